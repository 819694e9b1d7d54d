"""Columns that give the target away: its copy, an order-preserving function of it, its code, or the rows' numbers.

Gaps may do so, too: a value that is written down only once the result is known.
"""

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
_SURPRISE = 30.0  # the logarithm of how many orders of the rows there are: one in 10¹³ is no chance
_FEWEST_GROUPS = 6
_MOST_OF_ROWS = 0.9  # that are in groups of several
_SHARE_OF_ERROR = 0.02  # of a mean's standard error: one group in 60 is as near by chance
_ROUNDED = 1e-6
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
                if is_class:
                    how = _relation_to_class(step, code, is_mixed=not plan.split.is_chronological)
                elif wanted.dtype.kind in "iufb":
                    how = _relation(step, wanted, is_alone=is_alone)
                    if not how and output.is_relative:
                        how = _relation(step, code, is_alone=is_alone)  # a column of differences
                else:
                    how = ""
                if how:
                    return output, how
    return None


def _relation_to_class(values: np.ndarray, codes: np.ndarray, *, is_mixed: bool) -> str:
    if _is_recoded(values, codes):
        return "has one value for each class of"
    missing = _is_missing(values)
    if missing.any() and _is_separate(codes, missing) and _surprise(np.unique(missing, return_counts=True)[1]):
        return "is missing in all rows of some classes and in none of others, of"
    if is_mixed and _counts_up(values, codes):
        return "gives every row another number, in the order of the classes of"
    return ""


def _relation(values: np.ndarray, target: np.ndarray, *, is_alone: bool) -> str:
    probed = slice(None, None, max(1, len(values) // _PROBED))
    few = target[probed].astype(float)
    if len(np.unique(few)) < 3 or not np.isfinite(few).all():
        return ""
    missing = _is_missing(values)
    if missing.any():
        is_told = _is_coarse(missing[probed], few) and _is_coarse(missing, target)
        return "is missing in every row above a value, or below it, of the target of" if is_told else ""
    if values.dtype.kind not in "iufb":
        return ""
    some = values[probed].astype(float)
    if not np.isfinite(some).all():
        return ""
    if np.array_equal(some, few) and np.array_equal(values, target):
        return "is equal in every row to the target of"
    if _is_group_mean(values, target):
        return "has the mean of the rows with its value, test rows among them, of the target of"
    if is_alone or len(np.unique(few)) < min(10, len(few)):
        return ""
    if _is_monotone(some, few) and _is_monotone(values, target):
        return "is a monotonic function, in every row, of the target of"
    if _is_coarse(some, few) and not _is_sorted(values) and _is_coarse(values, target):
        return "is, in every row, a rounded monotonic function of the target of"
    return ""


def _is_missing(values: np.ndarray) -> np.ndarray:
    """Where a raw column has no value."""
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray(values == "") & (values.dtype.kind in "OTU")


def _is_sorted(values: np.ndarray) -> bool:
    """Whether a column goes one way with the rows, as a year does: whatever grows in time is then told by it."""
    steps = np.diff(values.astype(float))
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _is_coarse(values: np.ndarray, target: np.ndarray) -> bool:
    """Whether each value goes with a separate stretch of targets, in order, in rows enough to say so."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    if not _surprise(counts):
        return False
    order = np.lexsort((target, inverse))
    bounds = np.cumsum(counts)[:-1]
    ordered = target[order].astype(float)
    least = ordered[np.concatenate([[0], bounds])]
    most = ordered[np.concatenate([bounds, [len(order)]]) - 1]
    return bool(np.all(most[:-1] < least[1:]) or np.all(least[:-1] > most[1:]))


def _is_group_mean(values: np.ndarray, target: np.ndarray) -> bool:
    """Whether each value is the mean of its rows' targets, much closer than a mean of other rows would be."""
    if not np.isfinite(values).all() or len(np.unique(values[:_PROBED])) > _PROBED // 2:
        return False
    distinct, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    numbers = target.astype(float)
    means = np.bincount(inverse, numbers) / counts
    spread = np.sqrt(np.bincount(inverse, (numbers - means[inverse]) ** 2) / counts)
    varied = (counts > 1) & (spread > 0)
    if np.count_nonzero(varied) < _FEWEST_GROUPS or counts[varied].sum() < len(values) * _MOST_OF_ROWS:
        return False
    near = _SHARE_OF_ERROR * spread / np.sqrt(counts) + _ROUNDED * np.abs(means)
    return bool(np.all(np.abs(distinct - means)[varied] <= near[varied]))


def _surprise(counts: np.ndarray) -> bool:
    """Whether chance would hardly sort rows into runs of these lengths."""
    ways = math.lgamma(1 + int(counts.sum())) - sum(math.lgamma(1 + int(count)) for count in counts)
    return len(counts) > 1 and ways > _SURPRISE


def _is_separate(codes: np.ndarray, chosen: np.ndarray) -> bool:
    """Whether samples are chosen by class alone."""
    return len(np.intersect1d(codes[chosen], codes[~chosen])) == 0 and not chosen.all()


def _counts_up(values: np.ndarray, codes: np.ndarray) -> bool:
    """Whether values are whole numbers, one a row, those of a class in one stretch."""
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all() or np.any(values != np.round(values)):
        return False
    ordered = codes[np.argsort(values)]
    _, counts = np.unique(ordered, return_counts=True)
    runs = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
    return runs == len(counts) and _surprise(counts) and len(np.unique(values)) == len(values)


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
