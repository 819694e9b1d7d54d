"""Finds targets that are later steps of an input, where the network reads those steps: it would learn to copy them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from nnspec.checks.context import Context
from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.plan import SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, Fix, Related
from nnspec.ir import axes as ax
from nnspec.ir.causality import looking_ahead, position_of, steps_ahead
from nnspec.ir.graph import Node, Output, Value
from nnspec.lazy import dataclass

_MOST_AHEAD = 8  # steps by which targets are compared with later ones
_MOST_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Steps:
    """The numbers of an array of samples, each of so many steps with so many features."""

    numbers: Sequence[float]
    steps: int
    features: int

    @property
    def samples(self) -> int:
        return min(len(self.numbers) // (self.steps * self.features), _MOST_SAMPLES)

    def series(self, sample: int, feature: int) -> Sequence[float]:
        """One feature of a sample, step by step."""
        start = sample * self.steps * self.features
        return self.numbers[start + feature : start + self.steps * self.features : self.features]


def check_later_targets(context: Context, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN382: of arrays, in which no window says how far ahead a target is."""
    for output in context.graph.outputs.values():
        slot = files.plan.outputs.get(output.name)
        for value in context.graph.inputs.values() if slot is not None and output.is_trained else ():
            given = files.plan.inputs.get(value.node)
            axis = next((axis for axis in value.axes[:1] if position_of(output.value, axis.name) == 0), None)
            found = None if axis is None else looking_ahead(context.graph, output.value, axis.name)
            if given is None or slot is None or axis is None or found is None:
                continue
            inputs, targets = _steps(files, given, axis.size), _steps(files, slot, axis.size)
            by = None if inputs is None or targets is None else _steps_later(inputs, targets)
            seen = steps_ahead(found[0].fields[axis.name])
            if by is not None and (seen is None or seen >= by):
                yield _copied(context, output, value, axis.name, by, found[1])


def causal_fixes(node: Node) -> list[Fix]:
    """What makes a layer causal that is not."""
    if node.args.get("padding") in ("same", "valid") and "causal" in str(node.layer.args["padding"].schema):
        return [Fix(f"set `padding: causal` on `{node.name}`")]
    if "use_causal_mask" in node.layer.args:
        return [Fix(f"set `use_causal_mask: true` on `{node.name}`")]
    return [Fix(f"let `{node.name}` read forwards alone: no `{node.kind}`")] if node.layer.runs_both_ways else []


def _steps(files: PlanFacts, slot: SlotPlan, size: ax.Size) -> Steps | None:
    """The numbers of a slot whose array has samples, then these steps, then features; None where it has not."""
    is_array = slot.array is not None or not (slot.columns or slot.source.source.is_per_file)
    if not is_array or slot.lengths or slot.is_windowed or slot.encodings:
        return None
    try:
        name = slot.array or ""
        facts, numbers = files.array(slot.source, name), files.numbers(slot.source, name)
    except SourceError:
        return None
    if facts is None or numbers is None or len(facts.shape) < 2 or facts.shape[1] != size:
        return None
    features = prod(facts.shape[2:])
    return Steps(numbers, facts.shape[1], features) if features and facts.shape[1] > 1 else None


def _steps_later(inputs: Steps, targets: Steps) -> int | None:
    """By how many steps the input's are later that the targets are, if they are; None too where they vary nowhere."""
    count = min(inputs.samples, targets.samples)
    if not count:
        return None
    wanted = [targets.series(i, 0) for i in range(count)]
    if len({value for one in wanted for value in one}) < 3:
        return None
    for feature in range(inputs.features):
        read = [inputs.series(i, feature) for i in range(count)]
        for by in range(min(_MOST_AHEAD, inputs.steps - 1) + 1):
            pairs = zip(wanted, read, strict=True)
            if all(list(target[: len(target) - by]) == list(given[by:]) for target, given in pairs):
                return by or None
    return None


def _copied(context: Context, output: Output, value: Value, axis: str, by: int, first: Node) -> Diagnostic:
    steps = "1 step" if by == 1 else f"{by} steps"
    return Diagnostic(
        "NN382",
        f"the targets of output `{output.name}` are those of input `{value.node}` {steps} later, "
        "which it reads: it would learn to copy them",
        context.span("outputs", output.name),
        path=f"outputs.{output.name}",
        related=(Related(first.span, f"`{first.name}` is the first layer that looks ahead"),),
        notes=(f"a step of `{axis}` may depend only on that step and earlier ones",),
        fixes=(
            *causal_fixes(first),
            Fix(f"`expect: {{outputs: {{{output.name}: {{causal: {axis}}}}}}}` keeps it causal from then on"),
        ),
    )
