"""Assigns rows to the splits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.rows import Rows
from nnspec.data.section.plan import DataPlan, Part, Slot
from nnspec.diagnostics import SpecError

Positions = NDArray[np.int64]


def group_codes(keys: np.ndarray | None, rows: int) -> Positions:
    """A number for each row's group, in the order of first appearance; all 0 where there are no groups."""
    if keys is None:
        return np.zeros(rows, dtype=np.int64)
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


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


def assign(
    plan: DataPlan,
    labels: np.ndarray | None,
    series: Positions,
    groups: Positions | None,
    complete: NDArray[np.bool_],
    strata: np.ndarray | None,
) -> dict[str, Positions]:
    """The positions of each split's rows, ascending.

    Args:
        labels: each row's split label as text, axes `position`, where `by` names a column.
        series: from `group_codes`, axes `position`; each is cut by itself where rows are split in sequence.
        groups: from `group_codes`, axes `position`; what a random choice keeps together, None where nothing.
        complete: whether a row can be a sample; rows that are drawn one by one are drawn from these.
        strata: each row's class, which a random share of the training rows keeps in proportion; so do all random
            splits where the plan is stratified.

    Raises:
        SpecError: NN514 where a split is left without rows.
    """
    split, rows = plan.split, len(series)
    rng = np.random.default_rng(split.seed)
    if split.is_chronological:
        found = _cut_each(plan, series)
    elif split.by == "random" and groups is not None:
        found = _deal_groups(split.parts, groups, rng)
    elif split.by == "random":
        shuffled = rng.permutation(np.flatnonzero(complete))
        if strata is not None and plan.is_stratified:
            shuffled = in_proportion(shuffled, strata[shuffled])
        found = {name: np.sort(shuffled[r.start : r.stop]) for name, r in cut(len(shuffled), split.parts).items()}
    else:
        assert labels is not None
        found = {part.name: np.flatnonzero(labels == part.label) for part in split.parts if part.label is not None}
        for part in split.parts:
            if part.fraction is not None:
                share = _share(found["train"], part.fraction, groups, strata, rng)
                found[part.name] = share
                found["train"] = np.setdiff1d(found["train"], share)
        found = {part.name: found[part.name] for part in split.parts}
    for part in split.parts:
        if not len(found[part.name]):
            message = f"split `{part.name}` is empty: it gets none of the {rows} rows"
            raise SpecError.single("NN514", message, part.span, path=f"data.split.{part.name}")
    return found


def in_proportion(shuffled: Positions, strata: np.ndarray) -> Positions:
    """Rows in random order, reordered so that every stretch of them has each class in proportion.

    A row comes at the share of its class that precedes it: of two rows of a class one is in each half.

    Args:
        strata: the class of each of them.
    """
    _, codes, sizes = np.unique(strata, return_inverse=True, return_counts=True)
    together = np.argsort(codes, kind="stable")
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[together] = np.arange(len(codes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return shuffled[np.argsort((ranks + 0.5) / sizes[codes], kind="stable")]


def _cut_each(plan: DataPlan, series: Positions) -> dict[str, Positions]:
    """Every series by itself in sequence: no row of a split comes before one of its series that is trained on."""
    starts = np.flatnonzero(np.diff(series, prepend=-1))
    shares: dict[str, list[Positions]] = {part.name: [] for part in plan.split.parts}
    for start, stop in zip(starts, [*starts[1:], len(series)], strict=True):
        for name, span in cut(int(stop - start), plan.split.parts, plan.gap).items():
            shares[name].append(np.arange(start + span.start, start + span.stop, dtype=np.int64))
    return {name: np.concatenate(share) for name, share in shares.items()}


def _deal_groups(parts: tuple[Part, ...], groups: Positions, rng: np.random.Generator) -> dict[str, Positions]:
    """Shuffles whole groups and lays them in a row; each goes where its middle falls."""
    rows = len(groups)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    ends = np.cumsum(sizes[order])
    middles = ends - sizes[order] / 2
    ranges = cut(rows, parts)
    return {
        name: np.flatnonzero(np.isin(groups, order[(middles >= span.start) & (middles < span.stop)]))
        for name, span in ranges.items()
    }


def _share(
    train: Positions, fraction: float, groups: Positions | None, strata: np.ndarray | None, rng: np.random.Generator
) -> Positions:
    """A random share of the training rows: whole groups, or the same fraction of each class."""
    if groups is not None:
        present = np.unique(groups[train])
        chosen = rng.permutation(present)[: round(fraction * len(present))]
        return train[np.isin(groups[train], chosen)]
    if strata is None:
        return np.sort(rng.permutation(train)[: round(fraction * len(train))])
    picked = []
    for stratum in np.unique(strata[train]):
        members = train[strata[train] == stratum]
        picked.append(rng.permutation(members)[: round(fraction * len(members))])
    return np.sort(np.concatenate(picked))
