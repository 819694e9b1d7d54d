"""`input_dim: auto`: an Embedding has a vector for each id of what it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec import pipeline
from nnspec.diagnostics import SpecError
from nnspec.expansion.resolved import to_plain_spec

KINDS = ["cat", "dog", "bird", "cat", "fish", "dog", "bird", "cat", "fish", "dog"]
TABLE = {"Embedding": {"input_dim": "auto", "output_dim": 3}}
IDS = {"axes": {"id": 1}, "dtype": "int32"}
TEXT = {"axes": {"id": 1}, "dtype": "string"}


def written(folder: Path, columns: object, model: list[object], x: object = IDS) -> Path:
    rows = "".join(f"{i * i % 7},{kind},{i / 2},{i}\n" for i, kind in enumerate(KINDS))
    (folder / "rows.csv").write_text("number,kind,half,y\n" + rows, encoding="utf-8")
    spec = {
        "nnspec": 1,
        "inputs": {"x": x},
        "data": {
            "source": {"csv": "rows.csv"},
            "split": {"train": 0.6, "test": 0.4},
            "inputs": {"x": {"columns": columns}},
            "outputs": {"y": {"columns": ["y"]}},
        },
        "model": [*model, "Flatten", {"Dense": {"units": 1, "as": "target"}}],
        "outputs": {"y": {"task": "regression"}},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("columns", "x", "model", "ids"),
    [
        (["number"], IDS, [TABLE], 5),  # 0, 1, 4 and 2
        ({"kind": "index"}, IDS, [TABLE], 5),  # four kinds, and unknown ones
        ({"kind": {"index": ["cat", "dog"]}}, IDS, [TABLE], 3),
        (["number"], IDS, [{"Reshape": {"target_shape": [1]}}, TABLE], 5),
        (["kind"], TEXT, [{"StringLookup": {"vocabulary": ["cat", "dog", "bird"]}}, TABLE], 4),
        (["kind"], TEXT, [{"StringLookup": {"max_tokens": 7}}, TABLE], 7),
    ],
)
def test_counted(columns: object, x: object, model: list[object], ids: int, tmp_path: Path) -> None:
    checked = pipeline.check(written(tmp_path, columns, model, x))
    (table,) = [node for node in checked.graph.nodes if node.layer.looks_up_ids]
    assert table.args["input_dim"] == ids
    assert f"'input_dim': {ids}" in str(to_plain_spec(checked.root)), "the resolved spec has the number"


@pytest.mark.parametrize(
    ("columns", "x", "model", "why"),
    [
        (["half"], IDS, [TABLE], "column `half` does not contain integers from 0"),
        (["kind"], TEXT, [{"StringLookup": {}}, TABLE], "the vocabulary of `string_lookup_1` is not known"),
        (
            ["number", "half"],
            {"axes": {"word": 2, "id": 1}, "dtype": "int32"},
            [{"TimeDistributed": {"over": "word", "layer": TABLE}}],
            "within another layer",
        ),
    ],
)
def test_what_is_missing_is_said(columns: object, x: object, model: list[object], why: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        pipeline.check(written(tmp_path, columns, model, x))
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN619"
    assert why in fault.message
    assert fault.fixes
