"""The specs of published results are those networks; `python -m tests.tools.papers` trains them."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

from nnspec import pipeline
from tests.tools.papers import CELLS, FOLDER, Cell

SERIES = tuple(cell for cell in CELLS if cell.metric == "accuracy" and cell.data != "fashion_mnist")
CLASSES = {"italy_power_demand": 2, "gun_point": 2, "arrow_head": 3, "osu_leaf": 6, "japanese_vowels": 9}


def parameters(cell: Cell, steps: int, channels: int) -> int:
    """By the papers' tables: widths, kernels, and four numbers a channel for each batch normalization."""
    classes = CLASSES[cell.data]
    if cell.spec == "mlp":
        return (steps * channels + 1) * 500 + 2 * 501 * 500 + 501 * classes
    if cell.spec == "fcn":
        sizes = [(8, channels, 128), (5, 128, 256), (3, 256, 128)]
    else:
        sizes = []
        for read, filters in ((channels, 64), (64, 128), (128, 128)):
            sizes += [(8, read, filters), (5, filters, filters), (3, filters, filters)]
            sizes += [(1, read, filters)] if read != filters else []
    normalized = sum(filters for _, _, filters in sizes) + (128 if cell.spec == "resnet" else 0)  # the last shortcut
    return sum((kernel * read + 1) * filters for kernel, read, filters in sizes) + 4 * normalized + 129 * classes


@pytest.mark.parametrize("cell", SERIES, ids=[cell.name for cell in SERIES])
def test_a_cell_is_the_published_network(cell: Cell) -> None:
    settings = {"data.source.npz": f"data/{cell.data}.npz", **cell.settings}
    checked = pipeline.check(FOLDER / f"{cell.spec}.yaml", settings)
    assert not checked.warnings
    steps, channels = (axis.size for axis in checked.graph.inputs["series"].axes)
    assert isinstance(steps, int)
    assert isinstance(channels, int)
    assert checked.graph.parameters == parameters(cell, steps, channels)
    assert checked.graph.outputs["kind"].value.axes[-1].size == CLASSES[cell.data]


def test_the_adding_problem_is_as_published(tmp_path: Path) -> None:
    """Two numbers of each series are marked, and their sum is learned by a network of the paper's sizes."""
    x, y, split = runpy.run_path(str(FOLDER / "make_data.py"))["adding_problem"](samples=1040, steps=600)
    assert (x[..., 1].sum(axis=1) == 2).all()
    np.testing.assert_allclose(y[:, 0], [x[i, x[i, :, 1] == 1, 0].sum() for i in range(len(x))], rtol=1e-6)
    assert abs(float(y.var()) - 1 / 6) < 0.02
    checked = _checked_with("tcn", "adding_problem", tmp_path, x=x, y=y, split=split)
    level = (8 * 24 + 1) * 24
    assert checked.graph.parameters == (8 * 2 + 1) * 24 + level * 15 + (2 + 1) * 24 + 24 + 1  # about 70,000, as there


def test_the_two_convolutions_are_those_of_the_tutorial(tmp_path: Path) -> None:
    images, kinds = np.arange(40 * 784, dtype=np.uint8).reshape(40, 28, 28), np.arange(40, dtype=np.uint8) % 10
    split = np.array(["train"] * 20 + ["test"] * 20)
    checked = _checked_with("cnn", "fashion_mnist", tmp_path, x=images, y=kinds, split=split)
    dense = (7 * 7 * 64 + 1) * 1024 + (1024 + 1) * 10
    assert checked.graph.parameters == (5 * 5 + 1) * 32 + (5 * 5 * 32 + 1) * 64 + dense


def _checked_with(spec: str, data: str, folder: Path, **arrays: np.ndarray) -> pipeline.Checked:
    """The spec beside data of which the whole is too large to be committed."""
    (folder / "data").mkdir()
    np.savez(folder / "data" / f"{data}.npz", **arrays)
    checked = pipeline.check(Path(shutil.copy(FOLDER / f"{spec}.yaml", folder)))
    assert not checked.warnings
    return checked


def test_specs_are_short() -> None:
    for path in FOLDER.glob("*.yaml"):
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        assert len(lines) <= 36, path.name


def test_when_a_cell_is_reached() -> None:
    cell = Cell(spec="mlp", data="gun_point", published=92.7, deviation=1.1)
    assert [cell.is_reached(found) for found in (90.4, 90.6, 94.8, 95.0)] == [False, True, True, False]
    assert [Cell(spec="fcn", data="gun_point", published=100.0).is_reached(x) for x in (98.9, 99.1)] == [False, True]


def test_five_cells_are_quick() -> None:
    assert sum(cell.is_quick for cell in CELLS) == 5
