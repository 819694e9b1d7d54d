"""What is written for a value is read back as that value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import Source
from nnspec.diagnostics.lists import enumerated, joined, quoted
from nnspec.diagnostics.values import as_yaml
from nnspec.document import parse, to_plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)  # control characters, line ends and all
SCALARS = st.none() | st.booleans() | st.integers(-999, 999) | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))


# The first draw builds the table of characters, which takes a second on a busy machine.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES)
def test_a_value_is_read_back(value: Any) -> None:
    assert to_plain(parse(Source("a.yaml", f"[{as_yaml(value)}]"))) == [value]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        ("true", '"true"'),
        ("10", '"10"'),
        ("0b_", '"0b_"'),  # other readers of YAML fail at such a number without digits
        ("T/2", "T/2"),
        ("a: b", '"a: b"'),
        ([1, "x", [2.5]], "[1, x, [2.5]]"),
        ({"rate": 0.1, "on": False}, "{rate: 0.1, on: false}"),
        (math.inf, ".inf"),
    ],
)
def test_form(value: Any, text: str) -> None:
    assert as_yaml(value) == text


def test_lists() -> None:
    assert [joined("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert joined("ab", "or") == "a or b"
    assert quoted(["x", 2]) == "`x` and `2`"
    assert (enumerated("abc"), enumerated("abc", 2)) == ("`a`, `b`, `c`", "`a`, `b`, …")
