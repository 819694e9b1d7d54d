"""The specs of published results are those networks; `python -m tests.tools.papers` trains them."""

from __future__ import annotations

import pytest

from nnspec import pipeline
from tests.tools.papers import CELLS, FOLDER, Cell

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


@pytest.mark.parametrize("cell", CELLS, ids=[cell.name for cell in CELLS])
def test_a_cell_is_the_published_network(cell: Cell) -> None:
    settings = {"data.source.npz": f"data/{cell.data}.npz", **cell.settings}
    checked = pipeline.check(FOLDER / f"{cell.spec}.yaml", settings)
    assert not checked.warnings
    steps, channels = (axis.size for axis in checked.graph.inputs["series"].axes)
    assert isinstance(steps, int)
    assert isinstance(channels, int)
    assert checked.graph.parameters == parameters(cell, steps, channels)
    assert checked.graph.outputs["kind"].value.axes[-1].size == CLASSES[cell.data]


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
