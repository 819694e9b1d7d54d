"""Assigns rows to the splits of a fold: each row is tested on in one fold at most, by a model that has not seen it.

Folds in sequence have a rolling origin, in each series. Others are drawn: whole groups, or rows with the same share of
every class in each fold.
"""

from __future__ import annotations

import numpy as np

from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.fold_cuts import cut_rolling, deal_groups
from nnspec.data.prepare.splits import Keys, Positions, share_of, spread_classes
from nnspec.data.section.plan import DataPlan
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import SpecError

_NONE = np.zeros(0, dtype=np.int64)


def assign_folds(plan: DataPlan, keys: Keys) -> dict[str, Positions]:
    """The positions of each split's rows, ascending: of the fold `plan.split.fold`, else of the final model.

    Raises:
        SpecError: NN514 where a split is left without rows.
    """
    split = plan.split
    found = _roll_origin(plan, keys) if split.is_chronological else _draw_folds(plan, keys)
    for part in split.parts:
        if not len(found[part.name]):
            which = "the final model" if split.fold is None else f"fold {split.fold + 1} of {split.folds}"
            message = f"split `{part.name}` of {which} is empty: it gets none of the {len(keys.series)} rows"
            raise SpecError.single("NN514", message, part.span, path="data.split.folds")
    return found


def _roll_origin(plan: DataPlan, keys: Keys) -> dict[str, Positions]:
    """Every series by itself: what comes before the fold's test rows, its end for validation, and these."""
    split = plan.split
    assert split.folds is not None
    shares: dict[str, list[Positions]] = {part.name: [] for part in split.parts}
    starts = np.flatnonzero(np.diff(keys.series, prepend=-1))
    for start, stop in zip(starts, [*starts[1:], len(keys.series)], strict=True):
        rows = int(stop - start)
        known, tested = range(rows), range(0)
        if split.fold is not None:
            known, tested = cut_rolling(rows, split.folds, plan.gap)[split.fold]
        spans = cut(len(known), _training_parts(split.held_out, split.parts), plan.gap) | {"test": tested}
        for name, positions in shares.items():
            positions.append(np.arange(start + spans[name].start, start + spans[name].stop, dtype=np.int64))
    return {name: np.concatenate(positions) for name, positions in shares.items()}


def _training_parts(held_out: float, parts: tuple[Part, ...]) -> list[Part]:
    """The parts of the rows that are not tested on."""
    span = parts[0].span
    train = Part("train", 1.0 - held_out, None, span)
    return [train, *([Part("validation", held_out, None, span)] if held_out else [])]


def _draw_folds(plan: DataPlan, keys: Keys) -> dict[str, Positions]:
    split = plan.split
    assert split.folds is not None
    usable = np.flatnonzero(keys.usable)
    if keys.groups is not None:
        sizes = np.bincount(keys.groups, weights=keys.usable).astype(np.int64)
        dealt = np.array(deal_groups(sizes.tolist(), split.folds))[keys.groups]
        tested = _NONE if split.fold is None else np.flatnonzero(dealt == split.fold)
        train = np.flatnonzero(dealt != (-1 if split.fold is None else split.fold))
    else:
        shuffled = spread_classes(np.random.default_rng(split.seed).permutation(usable), keys.strata)
        tested = _NONE if split.fold is None else np.sort(np.array_split(shuffled, split.folds)[split.fold])
        train = np.setdiff1d(usable, tested)
    found = {"train": train, "test": tested}
    if split.held_out and len(train):
        rng = np.random.default_rng([split.seed, 0 if split.fold is None else split.fold + 1])
        found["validation"] = share_of(train, split.held_out, keys, rng)
        found["train"] = np.setdiff1d(train, found["validation"])
    return {part.name: found.get(part.name, _NONE) for part in split.parts}
