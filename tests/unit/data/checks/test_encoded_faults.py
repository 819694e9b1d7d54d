"""What cannot be encoded is told with its file and row, also where `check` counts the features."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nnspec.diagnostics import Diagnostic
from nnspec.pipeline import diagnose

SPEC = """\
nnspec: 1
inputs: {x: {axes: {feature: auto}}}
model: [{Dense: {units: 1}}]
outputs: {y: {task: regression}}
data:
  source: SOURCE
  split: {train: 0.5, test: 0.5}
  inputs: {x: {columns: {a: standard, k: one_hot}}}
  outputs: {y: {columns: [y]}}
"""


def told(source: str, folder: Path) -> Diagnostic:
    (folder / "s.yaml").write_text(SPEC.replace("SOURCE", source), encoding="utf-8")
    (found,) = diagnose(folder / "s.yaml")
    return found


@pytest.mark.parametrize("name", ["a", "k"])
@pytest.mark.parametrize("value", [{"b": 1}, [1, 2]])
def test_nested_json(value: object, name: str, tmp_path: Path) -> None:
    rows = [{"a": i, "k": "uv"[i % 2], "y": i} for i in range(10)]
    rows[6][name] = value  # type: ignore[assignment]
    (tmp_path / "f.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = told("{json: f.jsonl}", tmp_path)
    assert (found.code, found.span.text) == ("NN502", name)
    assert f"`{name}` of row 7" in found.message


def test_text_in_a_column_of_numbers_names_its_file_and_is_to_be_corrected(tmp_path: Path) -> None:
    for index in range(3):
        rows = [f"{'x1' if (index, i) == (2, 4) else i},u,{i}" for i in range(10)]
        (tmp_path / f"{index}.csv").write_text("\n".join(["a,k,y", *rows]), encoding="utf-8")
    found = told("{csv: '*.csv'}", tmp_path)
    assert found.message == "column `a` contains text (`x1` in row 5 of `2.csv`), which `standard` cannot take"
    assert [fix.message.partition(",")[0] for fix in found.fixes] == ["correct `x1`"]


def test_a_quote_that_no_cell_is_written_in_is_not_proposed(tmp_path: Path) -> None:
    rows = ["1,u,2"] * 4
    for cell, code in (('"u', "NN502"), ("'u,u'", "NN560")):
        rows[2] = f"1,{cell},2"
        (tmp_path / "f.csv").write_text("\n".join(["a,k,y", *rows]), encoding="utf-8")
        assert told("{csv: f.csv}", tmp_path).code == code


def test_a_few_words_in_a_listed_column_of_numbers_are_to_be_corrected(tmp_path: Path) -> None:
    """Not to be looked up: what a model does with columns of words is no answer."""
    text = SPEC.replace("SOURCE", "{csv: f.csv}").replace("{columns: {a: standard, k: one_hot}}", "{columns: [a]}")
    (tmp_path / "s.yaml").write_text(text.replace("auto", "1"), encoding="utf-8")
    for word, advice in (("abc", "correct `abc`, or write `na_values: abc`"), ("n/a", "write `na_values: [n/a]`")):
        rows = [f"{word if i == 6 else i},u,{i}" for i in range(10)]
        (tmp_path / "f.csv").write_text("\n".join(["a,k,y", *rows]), encoding="utf-8")
        (found,) = diagnose(tmp_path / "s.yaml")
        assert found.code == "NN506"
        assert len(found.fixes) == 1
        assert advice in found.fixes[0].message
