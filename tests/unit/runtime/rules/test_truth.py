"""Of two labels, the one that says no is the first: the yes of a binary output."""

from __future__ import annotations

import pytest

from nnspec.runtime.rules.truth import order_truths


@pytest.mark.parametrize(
    ("labels", "yes"),
    [
        (["ja", "nein"], "ja"),
        (["non", "oui"], "oui"),
        (["no", "sí"], "sí"),
        (["da", "nu"], "da"),
        (["ano", "ne"], "ano"),
        (["Ja", "NEIN "], "Ja"),
        (["fraud", "not fraud"], "fraud"),
        (["churned", "not_churned"], "churned"),
        (["default", "no-default"], "default"),
        (["absent", "present"], "present"),
        # as they are sorted, where neither says no
        (["no", "yes"], "yes"),
        ([0, 1], 1),
        (["ham", "spam"], "spam"),
        (["died", "survived"], "survived"),
        (["CA", "NE"], "NE"),
        (["norm", "note"], "note"),
        (["negative", "not tested"], "not tested"),
    ],
)
def test_yes(labels: list[str | int], yes: str | int) -> None:
    assert order_truths(labels)[1] == yes
    assert sorted(order_truths(labels), key=str) == sorted(labels, key=str)


def test_other_numbers_of_labels_stay() -> None:
    assert order_truths(["maybe", "nein", "ja"]) == ["maybe", "nein", "ja"]
    assert order_truths(["nein"]) == ["nein"]
