"""`input_dim: auto`: an Embedding has a vector for each id of what it reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import duckdb
import numpy as np
import pytest
import yaml

from nnspec import pipeline
from nnspec.data.sources import array_header
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


def of_array(folder: Path, ids: np.ndarray, **more: object) -> Path:
    """A spec whose ids are an array of an archive."""
    path = written(folder, ["number"], [TABLE], {"axes": {"token": ids.shape[-1]}, "dtype": "int32"})
    np.savez_compressed(folder / "a.npz", ids=ids, y=np.arange(len(ids), dtype=np.float32)[:, None])
    spec = yaml.safe_load(path.read_text(encoding="utf-8"))
    spec["data"] |= {"source": {"npz": "a.npz"}, "inputs": {"x": {"array": "ids", **more}}}
    spec["data"]["outputs"] = {"y": {"array": "y"}}
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.parametrize("dtype", ["int64", ">i4", "uint8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_counted_in_an_array(dtype: str, order: Literal["C", "F"], tmp_path: Path) -> None:
    """The largest id is the last of many more than are looked at for other checks."""
    ids = np.zeros((100_003, 3), dtype, order=order)
    ids[-1, -1] = 211
    checked = pipeline.check(of_array(tmp_path, ids))
    (table,) = [node for node in checked.graph.nodes if node.layer.looks_up_ids]
    assert table.args["input_dim"] == 212


def test_counted_in_an_array_by_itself(tmp_path: Path) -> None:
    path = of_array(tmp_path, np.arange(20, dtype=np.int32).reshape(10, 2))
    np.save(tmp_path / "ids.npy", np.arange(20).reshape(10, 2) * 3)
    text = path.read_text(encoding="utf-8").replace("array: ids", "npy: ids.npy")
    path.write_text(text, encoding="utf-8")
    (table,) = [node for node in pipeline.check(path).graph.nodes if node.layer.looks_up_ids]
    assert table.args["input_dim"] == 58


@pytest.mark.parametrize(
    ("ids", "why"),
    [
        (np.full((10, 2), 0.5, np.float32), "array `ids` has dtype <f4, and ids are integers"),
        (np.arange(-1, 19).reshape(10, 2), "array `ids` contains -1, and ids are integers from 0"),
    ],
)
def test_what_an_array_lacks_is_said(ids: np.ndarray, why: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        pipeline.check(of_array(tmp_path, ids))
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN619"
    assert why in fault.message


def test_counting_reads_no_more_than_a_second_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_header, "MAX_LOOKED_AT", 8 * 20)
    assert pipeline.check(of_array(tmp_path, np.arange(20).reshape(10, 2))).graph
    with pytest.raises(SpecError) as caught:
        pipeline.check(of_array(tmp_path, np.arange(22).reshape(11, 2)))
    assert "the ids in array `ids` are not counted without loading it" in caught.value.diagnostics[0].message


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


LISTS = """\
nnspec: 1
inputs: {{x: {{axes: {{{axes}}}, dtype: int32}}}}
model: [{{Embedding: {{input_dim: auto, output_dim: 3, mask_zero: {mask}}}}}, GlobalAveragePooling1D, {{Dense: auto}}]
outputs: {{y: {{task: regression}}}}
data:
  source: {{{kind}: "{file}"}}
  split: {{train: 0.6, test: 0.4}}
  inputs: {{x: {{array: ids{lengths}}}}}
  outputs: {{y: {{array: y}}}}
"""


@pytest.mark.parametrize("is_ragged", [False, True])
@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_counted_in_lists(kind: str, is_ragged: bool, tmp_path: Path) -> None:
    """Ids, the sizes of axes and the values of a target, in the rows of two files."""
    lists = [[1 + (i * j) % 7 for j in range(1, 4 + (i % 3) * is_ragged)] for i in range(10)]
    lists[8][1] = 40
    for number, part in enumerate((lists[:6], lists[6:])):
        rows = "".join(json.dumps({"ids": ids, "y": [1.5, 2, len(ids)]}) + "\n" for ids in part)
        (tmp_path / f"{number}.json").write_text(rows)
        duckdb.sql(f"COPY (FROM read_json('{tmp_path}/{number}.json')) TO '{tmp_path}/{number}.parquet'")
    (tmp_path / "spec.yaml").write_text(
        LISTS.format(
            axes="token: null" if is_ragged else "token: auto",
            mask=str(is_ragged).lower(),
            kind=kind,
            file=f"*.{kind}",
            lengths=", lengths: auto, pad_value: 0" if is_ragged else "",
        )
    )
    checked = pipeline.check(tmp_path / "spec.yaml")
    (table,) = [node for node in checked.graph.nodes if node.layer.looks_up_ids]
    assert table.args["input_dim"] == 41
    if not is_ragged:
        assert checked.graph.inputs["x"].axes[0].size == 3
    (head,) = [node for node in checked.graph.nodes if node.kind == "Dense"]
    assert head.args["units"] == 3


@pytest.mark.parametrize(
    ("ids", "why"), [([0.5, 1.0], "dtype <f8, and ids are integers"), ([-1, 3], "contains -1, and ids are integers")]
)
def test_what_lists_lack_is_said(ids: list[float], why: str, tmp_path: Path) -> None:
    rows = "".join(json.dumps({"ids": ids, "y": [1.5]}) + "\n" for _ in range(10))
    (tmp_path / "a.json").write_text(rows)
    text = LISTS.format(axes="token: 2", mask="false", kind="json", file="a.json", lengths="")
    (tmp_path / "spec.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        pipeline.check(tmp_path / "spec.yaml")
    assert [fault.code for fault in caught.value.diagnostics] == ["NN619"]
    assert why in caught.value.diagnostics[0].message
