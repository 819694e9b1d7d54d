"""Loads what a plan describes: splits of raw inputs, transformed inputs, and targets.

The order of things is what keeps test rows out of training: rows are sorted, split, and only then made into windows;
statistics, edges and label lists come from the training split alone. The same files and plan give the same arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import Gathered, is_gathered
from nnspec.data.augment.planned import augmentation_of
from nnspec.data.checks.files import probe
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.counted import by_step, counted_rows
from nnspec.data.prepare.encode import encode_output, fit_input, fit_output, relative_of, to_dtype
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.fit import FEATURE_NAMES, FitError, Layout, misfit_diagnostic, slot_layout
from nnspec.data.prepare.fit_columns import fit_columns
from nnspec.data.prepare.folds import assign_folds
from nnspec.data.prepare.further import further_of, raw_inputs
from nnspec.data.prepare.gaps import count_gaps, resolve_missing
from nnspec.data.prepare.history import Series, past_of
from nnspec.data.prepare.lazy_inputs import (
    encoded_samples,
    is_lazy,
    network_samples,
    raw_ports,
    raw_samples,
    with_samples,
)
from nnspec.data.prepare.loading import ColumnCache
from nnspec.data.prepare.normal_rows import only_normal
from nnspec.data.prepare.raw_columns import ColumnRows, raw_columns, read_column_rows
from nnspec.data.prepare.row_keys import RowKeys
from nnspec.data.prepare.rows import Mask, Rows, arrange, complete_by_role, read_rows
from nnspec.data.prepare.splits import assign, strata_of
from nnspec.data.prepare.static import check_static
from nnspec.data.prepare.transforms import InputTransform, OutputTransform
from nnspec.data.prepare.unchanged import refusing_changes
from nnspec.data.prepare.windows import take_targets, take_windows, window_ends, with_context
from nnspec.data.reconstructions import add_copies, copy_transforms
from nnspec.data.sample_weights import sample_weights
from nnspec.data.samples import Dataset, Origins, Split
from nnspec.data.section.agree import settle, windowed_reference
from nnspec.data.section.bind import bind
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.ports import port_names
from nnspec.data.section.recursive import with_furthest
from nnspec.diagnostics import SpecError

__all__ = ["Dataset", "Split", "load"]

Array = np.ndarray


def load(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> Dataset:
    """Loads, splits, windows and encodes the data.

    Raises:
        SpecError: any of NN208 and NN501 to NN516, as `probe`, and what only values show; NN568 where a file changes.
    """
    with refusing_changes(plan):
        faults = probe(plan, inputs, outputs)
        if any(fault.is_error for fault in faults):
            raise SpecError(faults)
        settled = settle(plan, inputs, outputs)
        return _Loader(bind(plan, *settled), *settled).load()


class _Loader:
    def __init__(self, plan: DataPlan, inputs: dict[str, Slot], outputs: dict[str, Slot]) -> None:
        self.plan = plan
        self.models = {("inputs", name): slot for name, slot in inputs.items()}
        self.models |= {("outputs", name): slot for name, slot in outputs.items()}
        self.tables = ColumnCache()
        self.rows: dict[tuple[str, str], Rows] = {}
        self.layouts: dict[tuple[str, str], Layout] = {}
        self.counted: dict[str, Mask] = {}
        self.left_out: dict[str, int] = {}
        self.gaps: dict[str, dict[str, int]] = {}
        self.series = Series(np.zeros(0, dtype=np.int64))
        self.notes: tuple[str, ...] = ()
        self.origins = Origins()

    def load(self) -> Dataset:
        plan = self.plan
        for slot in plan.slots():
            self.rows[slot.role, slot.name] = self.read(slot)
        count = self.check_counts()
        keys = RowKeys(plan, self.tables, count)
        order, series, self.notes = keys.order, keys.series, keys.notes
        self.series = Series(series, keys.names)
        for slot in plan.slots():
            self.rows[slot.role, slot.name] = self.rows[slot.role, slot.name].take(order)
            self.layouts[slot.role, slot.name] = self.layout(slot)
        for slot in plan.slots():
            rows = self.without_uncounted(slot) if slot.counts_in_part else self.rows[slot.role, slot.name]
            self.rows[slot.role, slot.name] = resolve_missing(plan, slot, self.model(slot), rows, series, order)
        check_static(plan, self.rows, series, order)
        ok = complete_by_role(plan, self.rows, count)
        divide = assign if plan.split.folds is None else assign_folds
        positions = divide(plan, keys.split_keys(ok, strata_of(plan, self.rows, self.models)))
        normal = only_normal(plan, self.rows, positions["train"])
        if left_out := len(positions["train"]) - len(normal):
            self.notes = (*self.notes, f"{left_out} rows of the training split that are anomalies are left out")
            positions["train"] = normal
        samples = {name: self.samples(name, found, series, ok) for name, found in positions.items()}
        parts = {
            name: found if mapped.is_arange(order) else mapped.take(order, found) for name, found in positions.items()
        }
        self.origins = Origins(parts, keys.by_row(keys.times), keys.by_row(keys.groups))
        dataset = self.encode(order, positions["train"], samples)
        if plan.window is None or not plan.window.recursive:
            return dataset
        far = copy(self)
        far.plan, far.left_out, far.gaps = with_furthest(plan, plan.window), {}, {}
        ends = {name: far.samples(name, found, series, ok) for name, found in positions.items()}
        raw = partial(raw_inputs, far.plan, self.rows, self.models, far.filled, far.gather)
        return replace(dataset, further=further_of(far.plan, self.rows, self.series, positions["train"], ends, raw))

    def read(self, slot: SlotPlan) -> Rows:
        """A slot's rows in file order."""
        if slot.encodings and slot.role == "inputs":
            return read_column_rows(self.plan, slot, self.tables)
        return read_rows(self.plan, slot, self.model(slot), self.tables)

    def without_uncounted(self, slot: SlotPlan) -> Rows:
        """An output's rows, of which those that do not count are not missed."""
        rows, layout = self.rows[slot.role, slot.name], self.layouts[slot.role, slot.name]
        inputs = {
            name: (given, self.model(given), self.rows["inputs", name], self.layouts["inputs", name])
            for name, given in self.plan.inputs.items()
        }
        counted = counted_rows(slot, self.model(slot), rows, layout, inputs)
        if counted is None:
            return rows
        self.counted[slot.name] = counted
        return replace(rows, missing=rows.missing & counted)

    def model(self, slot: SlotPlan) -> Slot:
        return self.models[slot.role, slot.name]

    def check_counts(self) -> int:
        """The number of rows, which all slots share."""
        counts = {slot.where(): len(self.rows[slot.role, slot.name]) for slot in self.plan.slots()}
        first = next(iter(counts.values()))
        for slot in self.plan.slots():
            if counts[slot.where()] != first:
                message = (
                    f"{slot.kind} `{slot.name}` has {counts[slot.where()]} samples, but other inputs and "
                    f"outputs have {first}"
                )
                raise SpecError.single("NN506", message, slot.span_of(slot.data_key), path=slot.where(slot.data_key))
        return first

    def layout(self, slot: SlotPlan) -> Layout:
        rows = self.rows[slot.role, slot.name]
        try:
            return slot_layout(self.plan, slot, self.model(slot), rows.names, rows.sizes)
        except FitError as error:
            raise SpecError([misfit_diagnostic(slot, f"the {slot.data_key}", error)]) from None

    def samples(
        self, name: str, positions: NDArray[np.int64], series: NDArray[np.int64], ok: Mapping[str, NDArray[np.bool_]]
    ) -> NDArray[np.int64]:
        """The position of each sample's row; of a window, that of its last row.

        Args:
            ok: whether a row lacks nothing, by role; axes `position`.
        """
        plan = self.plan
        part = next(part for part in plan.split.parts if part.name == name)
        member = None
        if plan.window is None:
            whole = mapped.map_rows(lambda at: ok["inputs"][at] & ok["outputs"][at], positions)
            found = positions if whole.all() else mapped.take(positions, whole)
            code, message = "NN514", f"every one of the {len(positions)} rows of split `{name}` has a missing value"
        else:
            member = np.zeros(len(series), dtype=bool)
            member[positions] = True
            member = with_context(member, series, plan.window)
            found = window_ends(member, series, ok["inputs"], ok["outputs"], plan.window, ok["ahead"])
            code = "NN505"
            message = (
                f"split `{name}` has {len(positions)} rows, but no {plan.window.reach} consecutive ones "
                "without a missing value"
            )
        if not len(found):
            raise SpecError.single(code, message, part.span, path=f"data.split.{name}")
        without_gaps = len(positions)
        if member is not None and plan.window is not None:
            whole = np.ones_like(member)
            is_whole = all(each.all() for each in ok.values())
            without_gaps = len(found if is_whole else window_ends(member, series, whole, whole, plan.window))
        self.left_out[name] = without_gaps - len(found)
        self.gaps[name] = count_gaps(plan, self.rows, positions)
        return found

    def gather(self, slot: SlotPlan, at: NDArray[np.int64]) -> Array:
        """A slot's values for samples at these positions: axes `sample *model axes`."""
        layout = self.layouts[slot.role, slot.name]
        return mapped.map_row_numbers(lambda part: arrange(self.filled(slot, part), layout), at)

    def filled(self, slot: SlotPlan, at: NDArray[np.int64]) -> Array:
        """The same, axes `sample *steps *data axes`: gaps within windows are between what is known there."""
        rows, window = self.rows[slot.role, slot.name], self.plan.window
        found = self.taken(slot, at, rows.values)
        if rows.between is None or window is None or not slot.is_windowed:
            return found
        steps = window.rows_of(slot)
        return rows.between.within(found, at[:, None] + np.array(steps), at + steps[-1])

    def gathered(self, slot: SlotPlan, at: NDArray[np.int64], values: Array) -> Array:
        """What belongs to samples at these positions: axes `row *data axes` to `sample *model axes`."""
        return arrange(self.taken(slot, at, values), self.layouts[slot.role, slot.name])

    def taken(self, slot: SlotPlan, at: NDArray[np.int64], values: Array) -> Array:
        """The same, axes `sample *steps *data axes`."""
        window = self.plan.window
        if window is None or not slot.is_windowed:
            return np.asarray(values[at])
        if slot.role == "inputs":
            return take_windows(values, at, window.rows_of(slot))
        return take_targets(values, at, window)

    def steps(self, slot: SlotPlan) -> tuple[int, ...]:
        """The positions, sample included, of the axes that an output's targets have for the steps of an input."""
        model, rows = self.model(slot), self.rows[slot.role, slot.name]
        names = [name for name, _ in model.data_axes]
        found = {1 + names.index(axis) for axis, _ in model.follows if axis.lower() not in FEATURE_NAMES}
        places = map(self.layouts[slot.role, slot.name].position, rows.steps)
        return tuple(sorted(found | {1 + place for place in places if place is not None}))

    def gather_counted(self, slot: SlotPlan, at: NDArray[np.int64], split: str) -> Mask | None:
        """Which of an output's targets for samples at these positions count.

        Raises:
            SpecError: NN541 where none does.
        """
        if slot.name not in self.counted:
            return None
        found = by_step(slot, self.model(slot), self.gathered(slot, at, self.counted[slot.name]))
        if not found.any():
            message = f"split `{split}` has {len(at)} samples, but no target of output `{slot.name}` counts"
            raise SpecError.single("NN541", message, slot.span, path=slot.where())
        return found

    def encode(
        self, order: NDArray[np.int64], train: NDArray[np.int64], samples: dict[str, NDArray[np.int64]]
    ) -> Dataset:
        plan = self.plan
        raw: dict[str, dict[str, Array]] = {name: {} for name in samples}
        inputs: dict[str, InputTransform] = {}
        columns: dict[str, EncodedInput] = {}
        gathered: dict[tuple[str, str], Gathered] = {}
        ports = port_names(plan, plan.outputs)
        for slot in plan.inputs.values():
            model, layout, rows = self.model(slot), self.layouts["inputs", slot.name], self.rows["inputs", slot.name]
            is_streamed = is_lazy(plan, slot, model, rows, samples)
            if isinstance(rows, ColumnRows):
                columns[slot.name] = fit_columns(plan, slot, model, layout, rows, train, ports[slot.name])
                if is_streamed:
                    for name, given in raw_ports(plan, slot, rows, ports[slot.name], samples).items():
                        raw[name] |= cast(dict[str, Array], given)
                    made = encoded_samples(plan, slot, rows, columns[slot.name], train)
                    gathered |= {(name, slot.name): with_samples(made, at) for name, at in samples.items()}
                    continue
                for name, at in samples.items():
                    found = raw_columns(slot, rows, self.filled(slot, at))
                    raw[name] |= dict(zip(ports[slot.name], found, strict=True))
                continue
            if is_streamed:
                for name, lazy in raw_samples(plan, slot, model, layout, rows, samples).items():
                    raw[name][slot.name] = cast(Array, lazy)
            else:
                for name, at in samples.items():
                    raw[name][slot.name] = to_dtype(slot, model, self.gather(slot, at))
            inputs[slot.name] = fit_input(plan, slot, model, layout, rows, train, raw["train"][slot.name])
            if is_streamed:
                made = network_samples(cast(Gathered, raw["train"][slot.name]), inputs[slot.name], layout)
                gathered |= {(name, slot.name): with_samples(made, at) for name, at in samples.items()}
        values = {
            name: {slot.name: self.gather(slot, at) for slot in plan.outputs.values()} for name, at in samples.items()
        }
        counted = {
            name: {slot.name: self.gather_counted(slot, at, name) for slot in plan.outputs.values()}
            for name, at in samples.items()
        }
        outputs: dict[str, OutputTransform] = {}
        encoded: dict[str, dict[str, tuple[Array, Array, Array | None]]] = {name: {} for name in samples}
        for slot in plan.outputs.values():
            model, layout = self.model(slot), self.layouts["outputs", slot.name]
            source = windowed_reference(plan, slot) if model.gives_values else None
            before = source and relative_of(plan, slot, layout, source, self.layouts["inputs", source.name])
            fitted = fit_output(
                plan,
                slot,
                model,
                layout,
                values["train"][slot.name],
                before or None,
                raw["train"],
                counted["train"][slot.name],
            )
            outputs[slot.name] = fitted.transform
            for name in samples:
                encoded[name][slot.name] = encode_output(
                    slot, name, fitted, values[name][slot.name], raw[name], counted[name][slot.name]
                )
        splits = {}
        deployment = Deployment(inputs, outputs, columns=columns)
        outputs |= copy_transforms(plan, self.models, deployment)
        for name, at in samples.items():
            x = deployment.to_network({key: v for key, v in raw[name].items() if not is_gathered(v)})
            x |= cast(dict[str, Array], {slot: v for (split, slot), v in gathered.items() if split == name})
            splits[name] = Split(
                raw=raw[name],
                x=x,
                y={key: learned for key, (learned, _, _) in encoded[name].items()},
                target={key: target for key, (_, target, _) in encoded[name].items()},
                last={key: last for key, (_, _, last) in encoded[name].items()},
                size=len(at),
                rows=mapped.rows_at(order, at),
                counted=counted[name],
                weights=sample_weights(plan, self.tables, name, order, at),
            )
        steps = {name: self.steps(plan.outputs[name]) for name in self.counted}
        for split in splits.values():
            steps |= add_copies(plan, self.models, deployment, split)
        past = past_of(plan, self.rows, self.layouts, self.series, train, samples)
        return Dataset(
            splits,
            deployment=deployment,
            steps=steps,
            left_out=self.left_out,
            gaps=self.gaps,
            notes=self.notes,
            past=past,
            origins=self.origins,
            augmentation=augmentation_of(plan, self.models, splits["train"].rows, inputs),
        )
