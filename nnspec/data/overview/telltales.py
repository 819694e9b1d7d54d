"""Columns that give the target away: its copy, an order-preserving function of it, its code, or the rows' numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnspec.data.dataset import Dataset
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.section.ports import port_names

_FEWEST = 20  # samples: with fewer, anything may be a coincidence
_MOST_VALUES = 512  # of an input of a sample: what has more is no table
_PROBED = 64  # samples that rule most columns out


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
    rows = np.concatenate([split.rows for split in data.splits.values()])
    for slot in plan.inputs.values():
        columns = list(_columns(plan, data, slot))
        for name, values in columns:
            found = _told_by(plan, data, name, values, is_alone=len(columns) == 1 and len(plan.inputs) == 1)
            if found is None and plan.outputs and not plan.split.is_chronological and _numbers_rows(values, rows):
                found = next(iter(plan.outputs.values())), "numbers the rows of the file, which the splits mix:"
            if found is not None:
                yield Telltale(slot, name, *found)


def _columns(plan: DataPlan, data: Dataset, slot: SlotPlan) -> Iterator[tuple[str, np.ndarray]]:
    """Each column's values: axes `sample step`, with one step where there is no window."""
    ports = port_names(plan, plan.outputs).get(slot.name)
    for index, name in enumerate(slot.columns):
        found = []
        for split in data.splits.values():
            values = split.raw[slot.name if ports is None else ports[index]]
            if ports is None and values.shape[-1] != len(slot.columns):
                return
            found.append((values if ports is not None else values[..., index]).reshape(split.size, -1))
        column = np.concatenate(found)
        if 0 < column.shape[1] <= _MOST_VALUES:
            yield name, column


def _told_by(
    plan: DataPlan, data: Dataset, name: str, values: np.ndarray, *, is_alone: bool
) -> tuple[SlotPlan, str] | None:
    for output in plan.outputs.values():
        if name in output.columns:
            continue  # which the check has refused where it is a leak
        target = np.concatenate([split.target[output.name].reshape(split.size, -1) for split in data.splits.values()])
        codes = np.concatenate([split.y[output.name].reshape(split.size, -1) for split in data.splits.values()])
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
