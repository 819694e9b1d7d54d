"""Ranges of formulas hold every value that NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

from nnspec.layers.formulas.algebra import compute
from nnspec.layers.formulas.parse import parse
from nnspec.layers.formulas.range_of import RangeOf

P = np.linspace(0, 1, 11)
X = np.linspace(-5, 5, 21)


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("1 - p", 1 - P, (0, 1)),
        ("1 - (1 - p) * (1 - p)", 1 - (1 - P) ** 2, (0, 1)),
        ("exp(-abs(x))", np.exp(-np.abs(X)), (0, 1)),
        ("(tanh(x) + 1) / 2", (np.tanh(X) + 1) / 2, (0, 1)),
        ("clip(x, 0, 1)", np.clip(X, 0, 1), (0, 1)),
        ("where(x > 0, p, 1)", np.where(X[:11] > 0, P, 1), (0, 1)),
        ("-square(x)", -np.square(X), (-np.inf, 0)),
        ("max(x, 0) + 1", np.maximum(X, 0) + 1, (1, np.inf)),
        ("x ** 2", X**2, (0, np.inf)),
        ("log(p)", np.log(P[1:]), (-np.inf, 0)),
        ("x * p", X[:11] * P, (-np.inf, np.inf)),
    ],
)
def test_range(text: str, values: np.ndarray, wanted: tuple[float, float]) -> None:
    low, high = compute(parse(text), RangeOf({"p": (0.0, 1.0)}), ["p", "x"])
    assert (low, high) == wanted
    assert low <= values.min()
    assert values.max() <= high
