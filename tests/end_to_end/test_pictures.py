"""Pictures beside a table, from their files to predictions: the deployed model gives what was measured."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from nnspec import api, runtime
from nnspec.checks.context import input_slots, output_slots
from nnspec.cli import main
from nnspec.data.dataset import load
from nnspec.jobs import Run
from nnspec.runtime.reading import read_inputs, read_samples

SPEC = """nnspec: 1
name: leaves
data:
  source: {csv: data/leaves.csv}
  split: {train: 0.6, test: 0.4}
  inputs:
    photo: {images: file, fit: crop}
    facts: {columns: [age, height], scale: standard}
  outputs:
    weight: {columns: [weight], scale: standard}
inputs:
  photo: {axes: {height: 6, width: 4, channel: 3}}
  facts: {axes: {feature: 2}}
model:
  - Rescaling: {name: light, from: photo, scale: 0.00392156862745098}
  - GlobalAveragePooling2D: {name: colour}
  - Concatenate: [colour, facts]
  - Dense: {units: 1, as: target}
outputs: {weight: {task: regression}}
training: {epochs: 2, optimizer: {Adam: {learning_rate: 0.05}}}
"""
ROWS = 30


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A folder with a spec, its table and pictures of all kinds and sizes, and what was built of it."""
    root = tmp_path_factory.mktemp("leaves")
    rng = np.random.default_rng(0)
    (root / "data" / "photos").mkdir(parents=True)
    lines = ["file,age,height,weight"]
    for number in range(ROWS):
        height, width = rng.integers(3, 12, 2)
        name = f"photos/{number} é{('.png', '.jpg', '.webp')[number % 3]}"
        Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8)).save(root / "data" / name)
        age, tall = rng.integers(1, 9), rng.integers(10, 99)
        lines.append(f"{name},{age},{tall},{10 * age + tall}")
    (root / "data" / "leaves.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (root / "leaves.yaml").write_text(SPEC, encoding="utf-8")
    return root, api.load(root / "leaves.yaml").build(root / "out")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def written(root: Path, rows: list[dict[str, str]]) -> Path:
    path = root / "data" / "some.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_predictions_on_the_raw_test_rows_are_those_of_the_metrics(built: tuple[Path, Run]) -> None:
    root, run = built
    checked = api.load(root / "leaves.yaml").checked
    assert checked.data is not None
    test = load(checked.data, input_slots(checked.graph), output_slots(checked.graph)).splits["test"]
    table = rows_of(root / "data" / "leaves.csv")
    chosen = [table[row] for row in test.rows]
    done = CliRunner().invoke(
        main, ["predict", str(run.onnx), str(written(root, chosen)), "--out", str(root / "p.csv")]
    )
    assert done.exit_code == 0, done.output
    found = rows_of(root / "p.csv")
    assert [row["file"] for row in found] == [row["file"] for row in chosen]
    errors = [float(row["weight"]) - float(wanted["weight"]) for row, wanted in zip(found, chosen, strict=True)]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(run.metrics["test"]["weight"]["rmse"], rel=1e-4)


def test_the_file_says_how_its_pictures_are_read(built: tuple[Path, Run]) -> None:
    root, run = built
    predict = runtime.load(run.onnx)
    assert predict.metadata["inputs"]["photo"]["files"] == {
        "kind": "images",
        "column": "file",
        "axes": {"height": "height", "width": "width", "channel": "channel"},
        "size": [6, 4],
        "mode": "RGB",
        "fit": "crop",
    }
    samples = read_samples(root / "data" / "leaves.csv", predict.metadata)
    assert samples.count == ROWS
    assert samples.take(slice(2, 5))["photo"].shape == (3, 6, 4, 3)
    assert samples.take(slice(2, 5))["photo"].dtype == np.float32


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("photos/none.png", "there is no file `photos/none.png` (row 2 of `some.csv`)"),
        ("/etc/hostname", "outside"),
        ("../../leaves.yaml", "outside"),
        ("leaves.csv", "not a PNG, JPEG or WebP"),
        ("", "row 2"),
    ],
)
def test_paths_that_cannot_be_read(path: str, part: str, built: tuple[Path, Run]) -> None:
    root, run = built
    rows = rows_of(root / "data" / "leaves.csv")[:3]
    rows[1]["file"] = path
    done = CliRunner().invoke(main, ["predict", str(run.onnx), str(written(root, rows))])
    assert done.exit_code == 1
    assert part in done.output


def test_a_picture_alone_is_not_enough(built: tuple[Path, Run]) -> None:
    root, run = built
    for path in (root / "data" / "photos" / "0 é.png", root / "data" / "photos"):
        done = CliRunner().invoke(main, ["predict", str(run.onnx), str(path)])
        assert done.exit_code == 1
        assert "a table with the columns `file`, `age`, `height`" in done.output


ALONE = {
    "inputs": {
        "x": {
            "axes": [["channel", 3], ["batch", None], ["height", 6], ["width", 4]],
            "dtype": "uint8",
            "files": {
                "kind": "images",
                "axes": {"height": "height", "width": "width", "channel": "channel"},
                "size": [6, 4],
                "mode": "RGB",
                "fit": "crop",
            },
        }
    }
}


def test_a_picture_and_a_folder_of_them(built: tuple[Path, Run]) -> None:
    """For a model of pictures alone, in the layout and dtype that its file asks for."""
    photos = built[0] / "data" / "photos"
    every = read_inputs(photos, ALONE)["x"]
    assert every.shape == (3, ROWS, 6, 4)
    assert every.dtype == np.uint8
    samples = read_samples(photos, ALONE)
    assert samples.keys["file"] == sorted(path.name for path in photos.iterdir())
    for position, name in enumerate(samples.keys["file"]):
        np.testing.assert_array_equal(read_inputs(photos / name, ALONE)["x"], every[:, position : position + 1])
    table = built[0] / "data" / "x.csv"
    table.write_text("x\nphotos/0 é.png\n", encoding="utf-8")
    np.testing.assert_array_equal(read_inputs(table, ALONE)["x"], read_inputs(photos / "0 é.png", ALONE)["x"])
