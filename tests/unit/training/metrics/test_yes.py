"""The label that a binary output takes for a yes is named where its word does not say so."""

from __future__ import annotations

from typing import Any

import pytest

from nnspec.training.metrics.yes import describe_yes


@pytest.mark.parametrize(
    ("labels", "threshold", "named"),
    [
        (["nein", "ja"], 0.5, "ja"),
        (["ham", "spam"], 0.5, "spam"),
        (["no", "yes"], 0.5, None),
        (["0", "1"], 0.5, None),
        (["a", "b"], None, None),  # classes, which have no threshold
        (["a", "b", "c"], 0.5, None),
    ],
)
def test_the_yes_is_named(labels: list[str], threshold: float | None, named: str | None) -> None:
    scored: dict[str, Any] = {"by_class": {label: {} for label in labels}}
    found = describe_yes("left", scored | ({} if threshold is None else {"threshold": threshold}))
    assert (found is None) == (named is None)
    assert named is None or f"yes of `left` is `{named}`" in (found or "")
