"""The comparison itself: an exported model, run, against Keras, on random inputs, rows that training never saw, and
hostile ones.

Random inputs and held-out rows must agree, where Keras adds many values if need be with its sums taken in parts, which
are the more exact ones. Hostile inputs must agree too, row by row, except where Keras' own results move so
far when inputs and weights move by rounding that two right programs may differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

import numpy as np

from nnspec.backends.base import ExportedModel, Session
from nnspec.data.deployment import label_axes, label_name
from nnspec.diagnostics import SpecError
from nnspec.document.types import JsonObject
from nnspec.verify import refusals
from nnspec.verify.bisect import first_difference, first_not_finite
from nnspec.verify.comparison import Comparison, Measure, clear_labels, errors
from nnspec.verify.exact_sums import sums_in_parts
from nnspec.verify.interface import arrange, check_interface, check_type, deployed_order, states_of
from nnspec.verify.raw_columns import axis_size
from nnspec.verify.rounding import (
    SMALLEST_SCALE,
    blows_up,
    explained_rows,
    moved_by_rounding,
)
from nnspec.verify.runs import Arrays, Run, Runs
from nnspec.verify.subject import Subject

LEAST = 0.01  # of its usual scale, that an output is measured by on hostile rows, however small it is there


@dataclass(frozen=True, eq=False)
class Candidate:
    """The model at the gate, and what runs it."""

    exported: ExportedModel
    session: Session

    @property
    def states(self) -> Mapping[str, str]:
        """The inputs that take recurrent state and the outputs that give it, as those who run the model are told."""
        return states_of(self.exported)


@dataclass(frozen=True, eq=False)
class Given:
    """What both gave in one run: outputs by name, those of Keras before and after data scaling is undone."""

    run: Run
    predicted: Arrays
    wanted: Arrays
    got: Arrays


@dataclass(frozen=True, eq=False)
class Gate(Subject):
    """What an exported model must be equal to, with the data that it is compared on.

    Attributes:
        held_out: raw inputs of rows that training never saw; empty without data.
        fixed_batch: the only batch size that the model takes, if it takes one alone.
    """

    _: KW_ONLY
    held_out: Arrays = field(default_factory=dict)
    fixed_batch: int | None = None

    def run(self, exported: ExportedModel) -> JsonObject:
        """All checks of a model, of whichever format.

        Returns:
            What `verify.json` holds of the model itself.

        Raises:
            SpecError: NN701 to NN703, NN710.
        """
        exported.check_form(self.graph)
        check_interface(exported, self.graph, self.deployment, self.layout)
        candidate = Candidate(exported, exported.open())
        runs = Runs(self, self.held_out, self.fixed_batch)
        scale = 1.0
        while True:
            groups = [[self.give(candidate, run) for run in batch] for batch in (runs.random(scale), runs.real())]
            comparisons, worst = self.compare_groups(groups)
            if not all(c.passes(self.tolerance) for c in comparisons.values()):
                exact = self.summed_in_parts(groups)
                again = self.compare_groups(exact)
                if all(c.passes(self.tolerance) for c in again[0].values()):
                    groups, (comparisons, worst) = exact, again
            strange = self.strange([given for group in groups for given in group])
            if strange is None and all(c.passes(self.tolerance) for c in comparisons.values()):
                break
            moved = self.moved_by_rounding(worst)
            may_overflow = strange is not None and not strange.run.is_held_out
            if scale <= SMALLEST_SCALE or not (may_overflow or blows_up(moved, self.tolerance)):
                raise self.refuse(comparisons, worst, strange, exported, moved)
            scale /= 4
        if candidate.states:
            self.compare_carried(candidate, comparisons, runs.carried(scale))
        least = {name: LEAST * self.measure(name, groups[0]).scale for name in comparisons}
        notes = self.compare_hostile(candidate, comparisons, runs.hostile(scale), least)
        return {
            "outputs": {name: c.to_json(self.tolerance) for name, c in comparisons.items()},
            "input_scale": scale,
            "notes": notes,
            **exported.describe(self.graph),
            "lowered_by": dict(exported.lowered_by),
            "lowered": dict(Counter(exported.lowered_by.values())),
        }

    def lengths(self, raw: Arrays) -> dict[str, list[int]]:
        """How long the axes of open size are in these inputs, by size."""
        found: dict[str, list[int]] = {}
        for name, value in self.graph.inputs.items():
            for i, axis in enumerate(value.axes):
                if not isinstance(axis.size, int):
                    size = axis_size(raw, name, i, self.deployment.columns, self.graph)
                    found.setdefault(str(axis.size), []).append(size)
        return found

    # ------------------------------------------------------------------------------------------- comparison

    def give(self, candidate: Candidate, run: Run, states: dict[str, np.ndarray] | None = None) -> Given:
        """What Keras and the model give, in the spec's order of axes.

        Args:
            states: those that the run before left, which this one goes on from and renews; empty at the first.

        Raises:
            SpecError: NN702 and NN703 where the model fails as it runs, or gives others than it declares.
        """
        predicted = self.predicted(run.raw, is_carried=bool(states))
        wanted = self.deployment.from_network(self.graph, predicted, run.raw)
        found = candidate.session.run(self.feed(candidate.session, run.raw) | (states or {}))
        if states is not None:
            states |= {name: found[renewed] for name, renewed in candidate.states.items()}
        backend = candidate.exported.backend
        got = {}
        for name, output in self.graph.outputs.items():
            axes = ["batch", *(a.name for a in output.value.axes)]
            check_type(found[name], name, wanted[name], backend)
            got[name] = arrange(found[name], name, deployed_order(self.layout, name, axes), axes, backend)
            labels = label_name(output)
            if labels in wanted:
                kept = label_axes(output)
                order = [a for a in deployed_order(self.layout, name, kept) if a in kept]
                got[labels] = arrange(found[labels], labels, order, kept, backend)
        return Given(run, predicted, wanted, got)

    def measure(self, name: str, group: Sequence[Given], least: float = 0.0) -> Measure:
        """What an output's differences are measured against: the scale over all runs of one kind, `least` at least."""
        transform = self.deployment.outputs.get(name)
        made = Measure.of(self.graph.outputs[name], [given.predicted[name] for given in group], transform)
        return replace(made, scale=max(made.scale, least))

    def row_errors(self, name: str, given: Given, measure: Measure) -> tuple[float, np.ndarray]:
        """The largest absolute difference, and that of each row in terms of the measure: axes `row`."""
        got, wanted = given.got[name], given.wanted[name]
        if got.shape != wanted.shape:
            return float("inf"), np.full(given.run.batch, np.inf)
        absolute = errors(got, wanted)
        relative = measure.relative(absolute, wanted, given.run.raw) if wanted.dtype.kind not in "OU" else absolute
        return float(np.max(absolute, initial=0.0)), relative.reshape(given.run.batch, -1).max(axis=1, initial=0.0)

    def compare(
        self,
        given: Given,
        comparisons: Mapping[str, Comparison],
        measures: Mapping[str, Measure],
        but: Mapping[str, np.ndarray] | None = None,
    ) -> refusals.Worst:
        """Adds a run to each output's comparison.

        Args:
            measures: what each output's differences are measured against.
            but: by output, which rows tell nothing; axes `row`.
        """
        worst = refusals.Worst(given.run)
        for name, comparison in comparisons.items():
            measure = measures[name]
            absolute, relative = self.row_errors(name, given, measure)
            kept = ~but[name] if but and name in but else np.ones(given.run.batch, bool)
            relative = np.where(kept, relative, 0.0)
            error = float(np.max(relative, initial=0.0))
            is_all = bool(kept.all())
            comparison.add(
                absolute if is_all else 0.0, error, given.run.batch, self.lengths(given.run.raw), given.run.is_held_out
            )
            comparison.other_labels = max(comparison.other_labels, self.other_labels(name, given, measure, kept))
            if error >= worst.error:
                worst = refusals.Worst(given.run, name, error, measure.scale, int(np.argmax(relative)))
        return worst

    def other_labels(self, name: str, given: Given, measure: Measure, kept: np.ndarray) -> float:
        """The share of labels that are not Keras', of those that rounding does not decide, or not the model's own.

        Whatever rounding does, a label is that of the highest of the scores beside it.
        """
        labels = label_name(self.graph.outputs[name])
        if labels not in given.wanted:
            return 0.0
        own = self.deployment.from_network(self.graph, {name: given.got[name]}, given.run.raw)[labels]
        is_number = ~np.isnan(given.got[name]).reshape(given.run.batch, -1).any(axis=1)
        strange = (given.got[labels].astype(str) != np.asarray(own).astype(str))[is_number]
        if strange.any():
            return float(np.mean(strange))
        output, margin = self.graph.outputs[name], 2 * self.tolerance * measure.scale
        clear = clear_labels(output, given.predicted[name], margin, self.deployment.threshold(output))
        others = given.got[labels].astype(str) != np.asarray(given.wanted[labels]).astype(str)
        return float(np.mean((others & clear)[kept])) if kept.any() else 0.0

    def not_finite(self, given: Given) -> bool:
        """Whether Keras itself gives something that is no number."""
        arrays = [given.predicted[name] for name in self.graph.outputs]
        return any(a.dtype.kind == "f" and not np.isfinite(a).all() for a in arrays)

    def strange(self, given: Sequence[Given]) -> Given | None:
        """A run on which Keras gives what is no number, though the network means to give one.

        Random inputs may lie where a formula has no value, a logarithm's below 0: NaN in both is right there, as long
        as every output has been seen to have values elsewhere.
        """
        outside = []
        for one in given:
            if not self.not_finite(one):
                continue
            if not self.is_outside_domain(one):
                return one
            outside.append(one)
        seen = {name for one in given for name in self.graph.outputs if np.isfinite(_floats(one.predicted[name])).any()}
        return outside[0] if outside and len(seen) < len(self.graph.outputs) else None

    def is_outside_domain(self, given: Given) -> bool:
        first = None if given.run.is_held_out else first_not_finite(self, given.run.raw)
        return first is not None and first.layer.has_bounded_domain(first)

    def summed_in_parts(self, groups: list[list[Given]]) -> list[list[Given]]:
        """The same runs with what Keras gives if it adds many values in parts: as they are where it adds none."""

        def again(given: Given) -> Given:
            predicted = self.predicted(given.run.raw)
            wanted = self.deployment.from_network(self.graph, predicted, given.run.raw)
            return replace(given, predicted=predicted, wanted=wanted)

        with sums_in_parts() as asked:
            again(groups[0][0])
            return [[again(given) for given in group] for group in groups] if asked else groups

    def compare_groups(self, groups: Sequence[Sequence[Given]]) -> tuple[dict[str, Comparison], refusals.Worst]:
        """The comparison of each output over all runs, each measured against its own group, and the worst run."""
        comparisons, found = {name: Comparison() for name in self.graph.outputs}, []
        for group in groups:
            measures = {name: self.measure(name, group) for name in comparisons}
            found += [self.compare(given, comparisons, measures) for given in group]
        return comparisons, max(found, key=lambda one: one.error)

    def compare_carried(self, candidate: Candidate, comparisons: Mapping[str, Comparison], runs: Sequence[Run]) -> None:
        """Batch after batch from the states that the one before left; the first starts from zeros."""
        states: dict[str, np.ndarray] = {}
        group = [self.give(candidate, run, states) for run in runs]
        measures = {name: self.measure(name, group) for name in comparisons}
        for given in group:
            worst = self.compare(given, comparisons, measures)
            if not all(c.passes(self.tolerance) for c in comparisons.values()):
                raise self.refuse(comparisons, worst, None, candidate.exported, 0.0)

    def compare_hostile(
        self,
        candidate: Candidate,
        comparisons: Mapping[str, Comparison],
        hostile: Sequence[Sequence[Run]],
        least: Mapping[str, float],
    ) -> list[str]:
        """Hostile inputs: rows that differ are let pass only where rounding alone moves Keras as far.

        Args:
            least: the smallest scale that each output is measured by, part of what it usually gives: where nearly all
                of a value cancels out, rounding is most of what is left.

        Returns:
            What is to be known of the model, in sentences.
        """
        notes: dict[str, None] = {}
        for runs in hostile:
            group = [self.give(candidate, run) for run in runs]
            measures = {name: self.measure(name, group, least[name]) for name in comparisons}
            for given in group:
                errors_of = {name: self.row_errors(name, given, measures[name])[1] for name in comparisons}
                let_pass: dict[str, np.ndarray] = {}
                if any((rows > self.tolerance).any() for rows in errors_of.values()):
                    let_pass = explained_rows(self, given.run.raw, measures, errors_of)
                worst = self.compare(given, comparisons, measures, let_pass)
                if not all(c.passes(self.tolerance) for c in comparisons.values()):
                    raise self.refuse(comparisons, worst, None, candidate.exported, 0.0)
                for rows in let_pass.values():
                    for row in np.flatnonzero(rows):
                        text = f"not compared on {given.run.row(int(row))}: rounding error alone changes Keras' result"
                        notes[text] = None
                notes |= dict.fromkeys(self.not_a_number_on(given))
        return list(notes)

    def not_a_number_on(self, given: Given) -> list[str]:
        return [
            f"output `{name}` is not a number on {given.run.row(int(row))}"
            for name in self.graph.outputs
            for row, values in enumerate(given.predicted[name])
            if np.asarray(values).dtype.kind == "f" and np.isnan(values).any()
        ]

    # --------------------------------------------------------------------------------------------- refusals

    def moved_by_rounding(self, worst: refusals.Worst) -> float:
        """By how much more than the inputs and weights themselves Keras' own outputs move, at most."""
        given = Given(worst.run, self.predicted(worst.run.raw), {}, {})
        found = moved_by_rounding(self, worst.run.raw, {n: self.measure(n, [given]) for n in self.graph.outputs})
        return float(np.max(list(found.values())))

    def refuse(
        self,
        comparisons: Mapping[str, Comparison],
        worst: refusals.Worst,
        strange: Given | None,
        exported: ExportedModel,
        moved: float,
    ) -> SpecError:
        """NN701 at the first layer that differs, or NN710 at the first one that gives no numbers."""
        if strange is not None and all(c.passes(self.tolerance) for c in comparisons.values()):
            return refusals.not_a_number(
                self, strange.run.row(0), first_not_finite(self, strange.run.raw), exported.backend
            )
        first = first_difference(self, exported, worst.run.raw)
        return refusals.mismatch_error(self, comparisons, worst, first, moved, exported.backend)


def _floats(values: np.ndarray) -> np.ndarray:
    """The values, or a number where they are no floats, which are always one."""
    return values if values.dtype.kind == "f" else np.zeros(1)
