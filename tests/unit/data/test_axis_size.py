"""`auto` under `inputs`: the size that the data give, counted without loading, and what its features are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from nnspec import pipeline
from nnspec.checks.context import input_slots, output_slots
from nnspec.cli import main
from nnspec.data.dataset import load
from nnspec.diagnostics import SpecError
from nnspec.document import to_plain
from nnspec.expansion import resolved

SPEC = """nnspec: 1
inputs: {x: {axes: {AXES}}}
model: [Flatten, {Dense: {units: 1}}]
outputs: {y: {task: regression}}
data:
  source: {csv: a.csv}
  missing: {b: constant}
  split: {train: 0.5, test: 0.5SPLIT}
WINDOW
  inputs: {x: {columns: COLUMNS}}
  outputs: {y: {columns: [y]}}
"""
TABLE = "a,b,c,d,y\n" + "".join(f"{i},{'' if i % 3 else 'uvwx'[i % 4]},{'pq'[i % 2]},{i * i},{i}\n" for i in range(24))


def spec(folder: Path, columns: str, axes: str = "feature: auto", window: str = "") -> Path:
    (folder / "a.csv").write_text(TABLE, encoding="utf-8")
    text = SPEC.replace("{AXES}", f"{{{axes}}}").replace("COLUMNS", columns)
    text = text.replace("WINDOW", window).replace("SPLIT", ", by: order" if window else "")
    (folder / "spec.yaml").write_text(text, encoding="utf-8")
    return folder / "spec.yaml"


@pytest.mark.parametrize(
    ("columns", "size"),
    [
        ("[a]", 1),
        ("[a, d]", 2),
        ("{a: standard, b: one_hot, c: one_hot}", 1 + 6 + 3),
        ("{c: {one_hot: [p, q, r]}, b: index}", 4 + 1),
    ],
)
def test_check_and_loader_count_alike(columns: str, size: int, tmp_path: Path) -> None:
    checked = pipeline.check(spec(tmp_path, columns))
    assert checked.graph.inputs["x"].axes[0].size == size
    assert checked.data is not None
    data = load(checked.data, input_slots(checked.graph), output_slots(checked.graph))
    assert {split.x["x"].shape[1] for split in data.splits.values()} == {size}
    assert to_plain(checked.root)["inputs"]["x"]["axes"]["feature"] == size
    (tmp_path / "again.yaml").write_text(resolved.to_yaml(checked.root), encoding="utf-8")
    assert pipeline.check(tmp_path / "again.yaml").graph.inputs["x"].axes[0].size == size


def test_steps_of_a_window(tmp_path: Path) -> None:
    path = spec(tmp_path, "{a: standard, c: one_hot}", "time: auto, feature: auto", "  window: {lookback: 5}")
    checked = pipeline.check(path)
    assert [axis.size for axis in checked.graph.inputs["x"].axes] == [5, 4]
    assert checked.data is not None
    data = load(checked.data, input_slots(checked.graph), output_slots(checked.graph))
    assert data.splits["train"].x["x"].shape[1:] == (5, 4)
    assert data.splits["train"].raw["c"].shape[1:] == (5,)


def test_show_names_the_features(tmp_path: Path) -> None:
    path = str(spec(tmp_path, "{a: standard, b: one_hot}"))
    text = CliRunner().invoke(main, ["show", path]).output
    assert "input x: a, b=u, b=v, b=w, b=x, b=?, b=(missing)\n" in text
    body = json.loads(CliRunner().invoke(main, ["show", path, "--format", "json"]).output)
    assert body["inputs"]["x"]["features"][-2:] == ["b=?", "b=(missing)"]


def test_show_says_nothing_of_a_list(tmp_path: Path) -> None:
    path = str(spec(tmp_path, "[a, d]"))
    assert "input x" not in CliRunner().invoke(main, ["show", path]).output
    body = json.loads(CliRunner().invoke(main, ["show", path, "--format", "json"]).output)
    assert body["inputs"]["x"] == {"axes": [["feature", 2]], "dtype": "float32"}


ARRAYS = """nnspec: 1
inputs: {x: {axes: {AXES}}}
model: [GlobalAveragePooling1D, {Dense: {units: 1}}]
outputs: {y: {task: regression}}
data:
  source: {npz: a.npz}
  split: {train: 0.5, test: 0.5}
  inputs: {x: {array: NAMES}}
  outputs: {y: {array: y}}
"""


@pytest.mark.parametrize(
    ("axes", "names", "sizes"),
    [
        ("time: auto, feature: auto", "x", [5, 3]),
        ("time: auto, feature: 5", "x, axes: [feature, time]", [3, 5]),
        ("time: null, feature: auto", "end, lengths: n", [None, 2]),
        ("time: null, feature: auto", "turned, lengths: n, axes: [feature, time]", [None, 2]),
    ],
)
def test_of_arrays(axes: str, names: str, sizes: list[int | None], tmp_path: Path) -> None:
    lengths = np.arange(1, 9)
    end = np.arange(2 * lengths.sum(), dtype=np.float32).reshape(-1, 2)
    x, y = np.arange(120, dtype=np.float32).reshape(8, 5, 3), np.arange(8, dtype=np.float32)
    np.savez(tmp_path / "a.npz", x=x, y=y, n=lengths, end=end, turned=end.T)
    (tmp_path / "spec.yaml").write_text(ARRAYS.replace("{AXES}", f"{{{axes}}}").replace("NAMES", names))
    checked = pipeline.check(tmp_path / "spec.yaml")
    found = [axis.size if isinstance(axis.size, int) else None for axis in checked.graph.inputs["x"].axes]
    assert found == sizes
    assert checked.data is not None
    load(checked.data, input_slots(checked.graph), output_slots(checked.graph))


@pytest.mark.parametrize(
    ("axes", "names", "why"),
    [
        ("time: auto, feature: 2", "end, lengths: n", "samples of array `end` have different lengths"),
        ("time: auto", "x", "array `x` has shape 8 × 5 × 3, which does not say what the size of `time` is"),
    ],
)
def test_arrays_without_the_size(axes: str, names: str, why: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.ones((8, 5, 3)), y=np.ones(8), n=[2] * 8, end=np.ones((16, 2)))
    (tmp_path / "spec.yaml").write_text(ARRAYS.replace("{AXES}", f"{{{axes}}}").replace("NAMES", names))
    with pytest.raises(SpecError) as caught:
        pipeline.check(tmp_path / "spec.yaml")
    (fault,) = [fault for fault in caught.value.diagnostics if fault.code == "NN553"]
    assert why in fault.message
