"""Labels of classes as files say them."""

from __future__ import annotations

import pytest

from nnspec.runtime.rules.class_labels import shorten, spell_out


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([0, 1, 2, 3], 4),
        (list(range(1000)), 1000),
        ([1, 2, 3], [1, 2, 3]),
        (["0", "1"], ["0", "1"]),
        ([0, 1, "2"], [0, 1, "2"]),
        (["cat"], ["cat"]),
        (None, None),
    ],
)
def test_unnamed_classes_are_a_number(labels: list[str | int] | None, said: list[str | int] | int | None) -> None:
    assert shorten(labels) == said
    assert spell_out(said) == labels


@pytest.mark.parametrize("count", [0, -1, 10**12])
def test_a_damaged_number(count: int) -> None:
    with pytest.raises(ValueError, match="is not a number of classes"):
        spell_out(count)
