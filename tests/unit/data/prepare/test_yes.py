"""Of a binary output's two labels the one that says no is the first, from a column and from folders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from nnspec.data.section.plan import Slot
from tests.support.data_files import run
from tests.unit.data.section.test_plan import slot

TABLE = """
source: {csv: rows.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [left]}}
"""
FOLDER = """
split: {train: 0.5, test: 0.5}
inputs: {x: {images: photos}}
outputs: {y: {folder_of: x}}
"""
BINARY = slot("y", ("target", 1), task="binary")
TWO = slot("y", ("class", 2), task="classification", class_axis="class")


def classes(text: str, folder: Path, model: Slot, output: Slot) -> list[str]:
    data = run(text, folder, [model], [output])
    split = data.splits["train"]
    found = [str(name) for name in data.outputs["y"].classes or ()]
    assert [found[int(code)] for code in split.y["y"].ravel()] == [str(label) for label in split.target["y"].ravel()]
    return found


def test_of_a_column(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,left\n" + "1,nein\n2,ja\n" * 4)
    model = slot("x", ("feature", 1))
    assert classes(TABLE, tmp_path, model, BINARY) == ["nein", "ja"]
    assert classes(TABLE, tmp_path, model, TWO) == ["ja", "nein"]  # classes are in the order of the alphabet


def test_of_folders(tmp_path: Path) -> None:
    for label in ("rotten", "without rot"):
        for number in range(4):
            (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / "photos" / label / f"{number}.png")
    model = slot("x", ("height", 4), ("width", 4))
    assert classes(FOLDER, tmp_path, model, BINARY) == ["without rot", "rotten"]
