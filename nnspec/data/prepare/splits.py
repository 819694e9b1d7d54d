"""Assigns rows to the splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped, ordered
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.membership import cut_at_starts
from nnspec.data.prepare.rows import Rows
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import SpecError

Positions = NDArray[np.int64]


def group_codes(keys: np.ndarray | None, rows: int) -> Positions:
    """A number for each row's group, in the order of first appearance; all 0 where there are no groups."""
    return mapped.zeros((rows,), np.int64) if keys is None else ordered.group_codes(keys)


def strata_of(
    plan: DataPlan, rows: Mapping[tuple[str, str], Rows], models: Mapping[tuple[str, str], Slot]
) -> np.ndarray | None:
    """Each row's class, from the first output that is a single label."""
    for slot in plan.outputs.values():
        given, model = rows[slot.role, slot.name], models[slot.role, slot.name]
        is_label = model.task in ("classification", "binary") and (
            slot.classes is None or slot.classes.kind in ("labels", "list")
        )
        if is_label and given.values[0].size == 1:
            return given.values.reshape(-1)
    return None


@dataclass(frozen=True, eq=False, kw_only=True)
class Keys:
    """What decides where rows go, each with axes `position`; None where it does not.

    Attributes:
        labels: each row's split label as text, the name of the split that it is drawn into, or "".
        starts: the values of `order_by`, and of each split the one at which it begins.
        series: from `group_codes`; each is cut by itself where rows are split in sequence.
        groups: from `group_codes`; what a random choice keeps together.
        usable: whether a row can be a sample, or be in one of its group.
        strata: each row's class, of which every split drawn at random has its share.
    """

    labels: np.ndarray | None = None
    starts: tuple[np.ndarray, dict[str, Any]] | None = None
    series: Positions
    groups: Positions | None = None
    usable: NDArray[np.bool_]
    strata: np.ndarray | None = None


def assign(plan: DataPlan, keys: Keys) -> dict[str, Positions]:
    """The positions of each split's rows, ascending.

    Raises:
        SpecError: NN514 where a split is left without rows.
    """
    split, rows, labels = plan.split, len(keys.series), keys.labels
    rng = np.random.default_rng(split.seed)
    if split.is_chronological:
        found = _cut_each(plan, keys)
    elif keys.groups is not None and (split.by == "random" or split.has_whole_files):
        found = _deal_groups(split.parts, keys.groups, keys.usable, rng)
    elif split.by == "random":
        shuffled = mapped.flatnonzero(keys.usable)
        rng.shuffle(shuffled)  # in place: what `permutation` gives, without a copy
        shuffled = spread_classes(shuffled, keys.strata)
        found = {name: shuffled[r.start : r.stop] for name, r in cut(len(shuffled), split.parts).items()}
        for rows_of_part in found.values():
            rows_of_part.sort()
    else:
        assert labels is not None
        drawn = split.drawn_from_train
        names = {part.name: part.label if split.by == "label" else part.name for part in split.parts}
        found = {name: _rows_with_label(labels, str(label)) for name, label in names.items() if label is not None}
        for part in drawn:
            assert part.fraction is not None
            share = share_of(found["train"], part.fraction, keys, rng)
            found[part.name] = share
            found["train"] = np.setdiff1d(found["train"], share)
        found = {part.name: found[part.name] for part in split.parts}
    for part in split.parts:
        if not len(found[part.name]):
            message = f"split `{part.name}` is empty: it gets none of the {rows} rows"
            raise SpecError.single("NN514", message, part.span, path=f"data.split.{part.name}")
    return found


def _rows_with_label(labels: np.ndarray, label: str) -> Positions:
    return mapped.flatnonzero(mapped.map_rows(lambda part: part == label, labels))


def first_rows(series: Positions) -> Positions:
    """The position at which each series begins."""
    parts = [np.zeros(min(1, len(series)), np.int64)]
    for part in mapped.stretches(len(series) - 1, 8):
        parts.append(np.flatnonzero(series[part] != series[part.start + 1 : part.stop + 1]) + part.start + 1)
    return np.concatenate(parts)


def spread_classes(shuffled: Positions, strata: np.ndarray | None) -> Positions:
    """The same rows with those of each class at even distances, so that every stretch has its share of each."""
    if strata is None:
        return shuffled
    known = ordered.distinct(strata)
    counts, place = np.zeros(len(known), np.int64), mapped.empty((len(shuffled),), np.float64)
    for part in mapped.stretches(len(shuffled), 32):  # the rank of a row among those of its class
        codes = np.searchsorted(known, strata[shuffled[part]])
        place[part] = counts[codes] + _ranks_within(codes)
        counts += np.bincount(codes, minlength=len(known))
    for part in mapped.stretches(len(shuffled), 32):
        place[part] = (place[part] + 0.5) / counts[np.searchsorted(known, strata[shuffled[part]])]
    return mapped.take(shuffled, ordered.argsort(place))


def _ranks_within(codes: Positions) -> Positions:
    """The number of each row among those of its code."""
    together = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    found = np.empty(len(codes), np.int64)
    found[together] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return found


def _cut_each(plan: DataPlan, keys: Keys) -> dict[str, Positions]:
    """Every series by itself in sequence: no row of a split comes before one of its series that is trained on."""
    series = keys.series
    starts = first_rows(series)
    shares: dict[str, list[range]] = {part.name: [] for part in plan.split.parts}
    for start, stop in zip(starts, [*starts[1:], len(series)], strict=True):
        if keys.starts is None:
            spans = cut(int(stop - start), plan.split.parts, plan.gap)
        else:
            times, begins = keys.starts
            spans = cut_at_starts(times[start:stop], begins, plan.gap)
        for name, span in spans.items():
            shares[name].append(range(int(start) + span.start, int(start) + span.stop))
    return {name: mapped.joined_ranges(share) for name, share in shares.items()}


def _deal_groups(
    parts: tuple[Part, ...], groups: Positions, usable: NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Positions]:
    """Shuffles whole groups and lays them in a row; each goes where its middle falls.

    A split that gets none with a sample takes the nearest one that another split can spare.
    """
    rows = len(groups)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    middles = np.cumsum(sizes[order]) - sizes[order] / 2
    has_sample = np.bincount(groups, weights=usable)[order] > 0
    spans = list(cut(rows, parts).values())
    owner = np.full(len(order), -1)
    for number, span in enumerate(spans):
        owner[(middles >= span.start) & (middles < span.stop)] = number
    for number, span in enumerate(spans):
        if (has_sample & (owner == number)).any():
            continue
        owned = np.bincount(owner[has_sample] + 1, minlength=len(spans) + 1)
        spare = has_sample & ((owner < 0) | (owned[owner + 1] > 1))
        if spare.any():
            far = np.abs(middles - (span.start + span.stop) / 2)
            owner[np.flatnonzero(spare)[far[spare].argmin()]] = number
    return {part.name: np.flatnonzero(np.isin(groups, order[owner == number])) for number, part in enumerate(parts)}


def share_of(train: Positions, fraction: float, keys: Keys, rng: np.random.Generator) -> Positions:
    """A random share of the training rows, at least one and never all: whole groups, or the same of each class."""
    groups, strata, usable = keys.groups, keys.strata, train[keys.usable[train]]
    if groups is not None:
        present = rng.permutation(np.unique(groups[usable]))
        return train[np.isin(groups[train], present[: _whole_share(fraction, len(present))])]
    if strata is None:
        return np.sort(rng.permutation(usable)[: _whole_share(fraction, len(usable))])
    picked = []
    for stratum in np.unique(strata[usable]):
        members = usable[strata[usable] == stratum]
        picked.append(rng.permutation(members)[: round(fraction * len(members))])
    chosen = np.sort(np.concatenate([*picked, np.zeros(0, dtype=np.int64)]))
    return chosen if len(chosen) else np.sort(rng.permutation(usable)[: _whole_share(fraction, len(usable))])


def _whole_share(fraction: float, count: int) -> int:
    return min(max(round(fraction * count), 1), max(count - 1, 0))
