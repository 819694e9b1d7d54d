"""What a deployed model will do to data, told before any are read: the transforms, with stand-ins for what is fitted.

They are fitted by the same functions to a few rows that are made up, so each has the parts and axes that it will have,
and numbers that mean nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encode import fit_input, fit_output, relative_of
from nnspec.data.prepare.encodings.columns import EncodedInput
from nnspec.data.prepare.fit import Layout, has_steps, slot_layout
from nnspec.data.prepare.fit_columns import fit_columns
from nnspec.data.prepare.raw_columns import ColumnRows
from nnspec.data.prepare.rows import Rows
from nnspec.data.prepare.transforms import InputTransform, OutputTransform
from nnspec.data.reconstructions import copy_transforms
from nnspec.data.section.agree import settle, windowed_reference
from nnspec.data.section.feature_count import feature_count
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.section.ports import port_names

ROWS = 4  # of which statistics have a spread
STEPS = 3  # of an axis whose size is open
CLASSES: tuple[str | int, ...] = (0, 1)
THRESHOLD = 0.5


def foresee_deployment(plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> Deployment:
    """The transforms of a model's inputs and outputs, as `Dataset.deployment` will have them."""
    return _Foreseen(plan, *settle(plan, inputs, outputs)).deployment()


class _Foreseen:
    def __init__(self, plan: DataPlan, inputs: Mapping[str, Slot], outputs: Mapping[str, Slot]) -> None:
        self.plan = plan
        self.models = {("inputs", name): slot for name, slot in inputs.items()}
        self.models |= {("outputs", name): slot for name, slot in outputs.items()}
        self.layouts = {(slot.role, slot.name): self.layout(slot) for slot in plan.slots()}
        self.ports = port_names(plan, plan.outputs)

    def deployment(self) -> Deployment:
        plan, train = self.plan, np.arange(ROWS)
        inputs: dict[str, InputTransform] = {}
        columns: dict[str, EncodedInput] = {}
        raw: dict[str, np.ndarray] = {}
        for slot in plan.inputs.values():
            model, layout = self.models["inputs", slot.name], self.layouts["inputs", slot.name]
            if slot.encodings:
                rows, names = self.column_rows(slot), self.ports[slot.name]
                columns[slot.name] = fit_columns(plan, slot, model, layout, rows, train, names)
                steps = self.sizes(slot)[:1] if has_steps(plan, slot) else ()
                raw |= {name: numbers((ROWS, *steps)) for name in names}
                continue
            raw[slot.name] = numbers((ROWS, *_known_sizes(model)))
            inputs[slot.name] = fit_input(plan, slot, model, layout, self.rows(slot), train, raw[slot.name])
        outputs = {slot.name: self.output(slot, raw) for slot in plan.outputs.values()}
        deployment = Deployment(inputs, outputs, columns=columns)
        outputs |= copy_transforms(plan, self.models, deployment)
        return deployment

    def output(self, slot: SlotPlan, raw: Mapping[str, np.ndarray]) -> OutputTransform:
        model, layout = self.models["outputs", slot.name], self.layouts["outputs", slot.name]
        if model.is_anomaly:
            return OutputTransform()
        if model.task in ("classification", "binary"):
            return OutputTransform(classes=list(_classes(slot, model)))
        source = windowed_reference(self.plan, slot) if model.gives_values else None
        last = source and relative_of(self.plan, slot, layout, source, self.layouts["inputs", source.name])
        targets = numbers((ROWS, *(_size(size) for _, size in model.data_axes)))
        found = fit_output(self.plan, slot, model, layout, targets, last or None, raw).transform
        if found.levels is not None and model.is_calibrated:
            offset = numbers(_known_sizes(model))
            found = replace(found, levels=replace(found.levels, offset=offset))
        return found

    def layout(self, slot: SlotPlan) -> Layout:
        model = self.models[slot.role, slot.name]
        own = self.sizes(slot)[1:] if has_steps(self.plan, slot) else self.sizes(slot)
        return slot_layout(self.plan, slot, model, slot.axes if len(slot.axes or ()) == len(own) else None, own)

    def sizes(self, slot: SlotPlan) -> tuple[int, ...]:
        """Of a sample's axes as the data have them, batch left out, the steps of a window in front."""
        model, window = self.models[slot.role, slot.name], self.plan.window
        sizes = dict(model.data_axes)
        steps: tuple[int, ...] = ()
        if window is not None and has_steps(self.plan, slot):
            steps = (len(window.rows_of(slot) if slot.role == "inputs" else window.horizon),)
        if slot.encodings:
            rest = [_size(size) for size in sizes.values()]
            if steps and steps[0] in rest:
                rest.remove(steps[0])
            return (*steps, int(np.prod(rest)))
        if slot.columns:
            return (*steps, len(slot.columns))
        if slot.axes is not None and set(slot.axes) <= set(sizes):
            return (*steps, *(_size(sizes[name]) for name in slot.axes if not steps or name != model.data_axes[0][0]))
        return (*steps, *(_size(size) for size in list(sizes.values())[len(steps) :]))

    def rows(self, slot: SlotPlan) -> Rows:
        sizes = self.sizes(slot)
        own = sizes[1:] if has_steps(self.plan, slot) else sizes
        values = numbers((ROWS, *own))
        return Rows(values, np.zeros(values.shape, bool), slot.axes)

    def column_rows(self, slot: SlotPlan) -> ColumnRows:
        """Rows whose columns become as many features as the model's input has."""
        words: list[tuple[str, ...] | None] = []
        for column in slot.encodings:
            if column.is_text:
                words.append(tuple(sorted(column.categories or ("a",))))
            else:
                words.append(("no", "yes") if column.kind == "boolean" else None)
        counts = [
            feature_count(column, own, self.plan.missing_rule(column.name))
            for column, own in zip(slot.encodings, words, strict=True)
        ]
        missing = self.sizes(slot)[-1] - sum(counts)
        for place, column in enumerate(slot.encodings):
            if missing > 0 and column.has_places and column.categories is None:
                words[place] = tuple(f"word{i}" for i in range(1 + missing))
                break
        values = numbers((ROWS, len(slot.encodings))).astype(np.float64)
        for place, own in enumerate(words):
            if own is not None:
                values[:, place] = np.arange(ROWS) % len(own)
        return ColumnRows(values, np.zeros(values.shape, bool), None, words=tuple(words), features=sum(counts))


def _size(size: int | str | None) -> int:
    return size if isinstance(size, int) else STEPS


def _known_sizes(model: Slot) -> tuple[int, ...]:
    return tuple(_size(size) for _, size in model.axes)


def _classes(slot: SlotPlan, model: Slot) -> tuple[str | int, ...]:
    if model.classes:
        return model.classes
    if slot.classes is not None and slot.classes.labels:
        return slot.classes.labels
    return tuple(range(model.class_size or len(CLASSES)))


def numbers(shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that differ from each other, between 0 and 1."""
    count = int(np.prod(shape))
    return np.linspace(0.2, 0.8, count, dtype=np.float32).reshape(shape)
