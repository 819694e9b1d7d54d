"""Columns that give the target away: its copy, an order-preserving function of it, its code, or the rows' numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.data.dataset import Dataset
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.section.ports import port_names

_FEWEST = 20  # samples: with fewer, anything may be a coincidence
_MOST_VALUES = 512  # of an input of a sample: what has more is no table
_PROBED = 64  # samples that rule most columns out
_MOST_BYTES = 1 << 27  # of more, an even choice is looked at, but of so many samples:
_LEAST = 10_000
Chosen = Mapping[str, slice]  # samples, by split


@dataclass(frozen=True, slots=True)
class Telltale:
    """A column of an input that gives the target of an output away.

    Attributes:
        how: what it is to the target, as words between the column and the output.
    """

    input: SlotPlan
    column: str
    output: SlotPlan
    how: str


def find_telltales(plan: DataPlan, data: Dataset) -> Iterator[Telltale]:
    """The columns of tables, each once, with the first output that it tells."""
    size = sum(split.size for split in data.splits.values())
    if size < _FEWEST:
        return
    chosen = _choose_samples(data)
    rows = np.concatenate([split.rows[chosen[name]] for name, split in data.splits.items()])
    for slot in plan.inputs.values():
        columns = list(_columns(plan, data, slot, chosen))
        for name, values in columns:
            found = _find_telltale(
                plan, data, chosen, name, values, is_alone=len(columns) == 1 and len(plan.inputs) == 1
            )
            if found is None and plan.outputs and not plan.split.is_chronological and _numbers_rows(values, rows):
                found = next(iter(plan.outputs.values())), "numbers the rows of the file, which the splits mix:"
            if found is not None:
                yield Telltale(slot, name, *found)


def _choose_samples(data: Dataset) -> Chosen:
    """All samples; of more than `_MOST_BYTES`, as many as that, at even distances."""
    splits = data.splits.values()
    size = sum(split.size for split in splits)
    total = sum(values.nbytes for split in splits for values in (*split.raw.values(), *split.target.values()))
    step = max(1, min(-(-total // _MOST_BYTES), size // _LEAST))
    return {name: slice(None, None, None if step == 1 else step) for name in data.splits}


def _columns(plan: DataPlan, data: Dataset, slot: SlotPlan, chosen: Chosen) -> Iterator[tuple[str, np.ndarray]]:
    """Each column's values: axes `sample step`, with one step where there is no window."""
    ports = port_names(plan, plan.outputs).get(slot.name)
    for index, name in enumerate(slot.columns):
        found = []
        for split_name, split in data.splits.items():
            given = split.raw[slot.name if ports is None else ports[index]]
            if ports is None and given.shape[-1] != len(slot.columns):
                return
            if math.prod(given.shape[1:]) > _MOST_VALUES * (1 if ports is not None else len(slot.columns)):
                return
            values = given[chosen[split_name]]
            found.append((values if ports is not None else values[..., index]).reshape(len(values), -1))
        column = np.concatenate(found)
        if 0 < column.shape[1] <= _MOST_VALUES:
            yield name, column


def _find_telltale(
    plan: DataPlan, data: Dataset, chosen: Chosen, name: str, values: np.ndarray, *, is_alone: bool
) -> tuple[SlotPlan, str] | None:
    for output in plan.outputs.values():
        if name in output.columns:
            continue  # which the check has refused where it is a leak
        target, codes = (
            np.concatenate([np.reshape(part, (len(part), -1)) for part in parts])
            for parts in (
                [split.target[output.name][chosen[split_name]] for split_name, split in data.splits.items()],
                [split.y[output.name][chosen[split_name]] for split_name, split in data.splits.items()],
            )
        )
        is_class = data.outputs[output.name].classes is not None
        if target.shape[1] > _MOST_VALUES:
            continue
        for wanted, code in zip(target.T, codes.T, strict=False):
            for step in values.T:
                if is_class and _is_recoded(step, code):
                    return output, "has one value for each class of"
                if not is_class and step.dtype.kind in "iufb" and wanted.dtype.kind in "iufb":
                    how = _relation(step, wanted, is_alone=is_alone)
                    if how:
                        return output, how
    return None


def _relation(values: np.ndarray, target: np.ndarray, *, is_alone: bool) -> str:
    probed = slice(None, None, max(1, len(values) // _PROBED))
    some, few = values[probed].astype(float), target[probed].astype(float)
    if len(np.unique(few)) < 3 or not (np.isfinite(some).all() and np.isfinite(few).all()):
        return ""
    if np.array_equal(some, few) and np.array_equal(values, target):
        return "is equal in every row to the target of"
    if is_alone or len(np.unique(few)) < min(10, len(few)) or not _is_monotone(some, few):
        return ""
    return "is a monotonic function, in every row, of the target of" if _is_monotone(values, target) else ""


def _is_monotone(values: np.ndarray, target: np.ndarray) -> bool:
    """Whether each is a strictly monotone function of the other."""
    order = np.argsort(values, kind="stable")
    steps, changes = np.diff(values[order].astype(float)), np.diff(target[order].astype(float))
    if not np.isfinite(steps).all() or not np.isfinite(changes).all():
        return False
    return bool(np.array_equal(steps == 0, changes == 0) and (np.all(changes >= 0) or np.all(changes <= 0)))


def _is_recoded(values: np.ndarray, codes: np.ndarray) -> bool:
    """Whether values and classes stand for each other one to one, with rows enough to say so."""
    distinct, inverse = np.unique(values, return_inverse=True)
    classes, own = np.unique(codes, return_inverse=True)
    if len(distinct) != len(classes) or len(classes) < 2 or np.bincount(own).min() < 3:
        return False
    return len(np.unique(inverse * len(classes) + own)) == len(classes)


def _numbers_rows(values: np.ndarray, rows: np.ndarray) -> bool:
    if values.shape[1] != 1 or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return False
    return len(np.unique(values[:, 0].astype(float) - rows)) == 1
