"""What splits get of rare classes, counted by the check, against the draws of the loader by many seeds."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold

from nnspec.data.checks.rare_classes import DrawnFolds, DrawnShares, DrawnSplits
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.fold_cuts import deal_groups
from nnspec.data.prepare.splits import Keys, share_of, spread_classes
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import Source, Span

SPAN = Span(Source("", ""))
NAMES = ("train", "validation", "test")
SEEDS = range(60)


def parts_of(*shares: float) -> list[Part]:
    return [Part(name, share, None, SPAN) for name, share in zip(NAMES, shares, strict=False)]


def draws(counts: dict[str, int], parts: list[Part]) -> list[dict[str, set[str]]]:
    """The classes of each split, by seed."""
    labels = np.repeat(list(counts), list(counts.values()))
    found = []
    for seed in SEEDS:
        rows = spread_classes(np.random.default_rng(seed).permutation(len(labels)), labels)
        ranges = cut(len(labels), parts)
        found.append({name: set(labels[rows[own.start : own.stop]].tolist()) for name, own in ranges.items()})
    return found


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ({"a": 298, "b": 2}, (0.6, 0.2, 0.2)),
        ({"a": 150, "b": 93, "c": 57}, (0.01, 0.2, 0.2)),
        ({"a": 11, "b": 3, "c": 7}, (0.7, 0.15, 0.15)),
        ({"a": 11, "b": 3, "c": 7}, (0.05, 0.15, 0.5)),
        ({"a": 5, "b": 5, "c": 5, "d": 1}, (0.5, 0.25, 0.25)),
        ({"a": 3, "b": 3, "c": 3}, (0.2, 0.8)),
        ({"a": 40, "b": 1}, (0.4, 0.3, 0.3)),
        ({"a": 40, "b": 1}, (0.8, 0.2)),
        (dict.fromkeys("abcdefghij", 2), (0.3, 0.4, 0.3)),
        (dict.fromkeys("abcdefghij", 1), (0.6, 0.4)),
        ({"a": 1000, "b": 17, "c": 3}, (0.8, 0.01, 0.01)),
    ],
)
def test_of_splits(counts: dict[str, int], shares: tuple[float, ...]) -> None:
    parts = parts_of(*shares)
    drawn, found = DrawnSplits(counts, cut(sum(counts.values()), parts)), draws(counts, parts)
    for label, count in counts.items():
        never = [part.name for part in parts if not any(label in each[part.name] for each in found)]
        assert drawn.without(count) == never, f"of {label}"
    is_always_missing = all(each["train"] != set(counts) for each in found)
    assert bool(drawn.list_untrained()) == is_always_missing
    if drawn.list_untrained():
        assert all(set(drawn.list_untrained()) - each["train"] for each in found)


def test_of_shares() -> None:
    labels = np.repeat(["a", "b", "c", "d"], [40, 5, 3, 1])
    counts = {"a": 40, "b": 5, "c": 3, "d": 1}
    rows = np.arange(len(labels))
    keys = Keys(series=np.zeros_like(rows), usable=np.ones(len(rows), bool), strata=labels)
    for share in (0.1, 0.2, 0.6):
        found = set(labels[share_of(rows, share, keys, np.random.default_rng(1))].tolist())
        drawn = DrawnShares(counts, [Part("validation", share, None, SPAN)])
        assert {label for label, count in counts.items() if drawn.without(count)} == set(counts) - found
        left = np.setdiff1d(rows, share_of(rows, share, keys, np.random.default_rng(1)))
        assert set(drawn.list_untrained()) == set(counts) - set(labels[left].tolist())


def test_of_folds() -> None:
    assert DrawnFolds({"a": 9, "b": 1, "c": 2}, 3).list_untrained() == ["b"]


@pytest.mark.parametrize("folds", [2, 3, 5])
def test_groups_are_dealt_as_by_scikit_learn(folds: int) -> None:
    groups = np.random.default_rng(folds).integers(0, 9, 70)
    sizes = np.bincount(groups)
    dealt = np.array(deal_groups(sizes.tolist(), folds))
    wanted = [set(groups[test].tolist()) for _, test in GroupKFold(folds).split(groups, groups=groups)]
    assert [set(np.flatnonzero(dealt == fold).tolist()) for fold in range(folds)] == wanted
