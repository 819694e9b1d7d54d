"""What `sort`, `top_k` and `take_along` refuse, and that positions of one select from another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nnspec.diagnostics import SpecError
from tests.support.layer_cases import Case, checked


@pytest.mark.parametrize(
    ("kind", "body", "inputs", "dtypes", "code", "words"),
    [
        ("top_k", 6, [{"class": 5}], ["float32"], "NN370", "keeps 6 positions of `class`, which has 5 positions"),
        ("sort", None, [{"word": 5}], ["string"], "NN407", "`sort`"),
        ("take_along", {"axis": "a"}, [{"a": 4, "b": 3}, {"c": 2}], ["float32", "int32"], "NN311", "`c` is not"),
        ("take_along", {"axis": "a"}, [{"a": 4, "b": 3}, {"b": 2}], ["float32", "int32"], "NN311", "`b` is not"),
        ("take_along", {"axis": "a"}, [{"a": 4, "b": 3}, {"b": 3}], ["float32", "bool"], "NN407", "dtype bool"),
        ("take_along", {"axis": "a"}, [{"a": 4, "b": "T"}, {"a": 2}], ["float32", "int32"], "NN313", "repeated"),
    ],
)
def test_refused(
    kind: str, body: Any, inputs: list[dict[str, Any]], dtypes: list[str], code: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError) as caught:
        checked(Case(kind, body, inputs, {}, None, None, dtypes=dtypes), tmp_path)
    told = [d for d in caught.value.diagnostics if d.is_error]
    assert [d.code for d in told] == [code]
    assert words in told[0].message


def test_the_open_axis_must_be_long_enough(tmp_path: Path) -> None:
    graph = checked(Case("top_k", {"k": 3, "axis": "time"}, [{"time": "T", "unit": 2}], {}, None, None), tmp_path).graph
    assert "T > 2" in graph.constraints
