"""Drawings: each layer in one box, each edge with its axes, and no box upon another."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from nnspec import pipeline
from nnspec.report.drawing import Drawing
from nnspec.report.network import BlockEntry, Entry, LayerEntry, show_network

SPECS = sorted(
    [*Path("specs/networks").glob("*.yaml"), Path("specs/multi_output_classifier.yaml"), Path("specs/causal_cnn.yaml")]
)


def all_entries(entries: tuple[Entry, ...]) -> list[Entry]:
    return [one for e in entries for one in (e, *(all_entries(e.entries) if isinstance(e, BlockEntry) else ()))]


def overlapping(drawing: Drawing) -> list[tuple[str, str]]:
    found = []
    for first, then in combinations(drawing.boxes, 2):
        (x, y, w, h), (u, v, a, b) = first.at, then.at
        if x < u + a and u < x + w and y < v + b and v < y + h:
            found.append((first.spoken, then.spoken))
    return found


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_drawings_lead_to_all_layers_and_have_room(path: Path) -> None:
    graph = pipeline.check(path).graph
    shown = show_network(graph)
    entries = all_entries(shown.entries)
    assert [entry.page.name for entry in entries if isinstance(entry, LayerEntry)] == [n.name for n in graph.nodes]
    assert {entry.anchor for entry in entries} == set(shown.anchors)
    drawings = [shown.drawing, *(entry.drawing for entry in entries if isinstance(entry, BlockEntry))]
    for drawing in drawings:
        assert drawing is not None
        assert {box.link for box in drawing.boxes} - {""} <= set(shown.anchors)
        assert overlapping(drawing) == []
        for box in drawing.boxes:
            x, y, width, height = box.at
            assert x + 1 >= 0
            assert x + width <= drawing.width + 1
            assert y + 1 >= 0
            assert y + height <= drawing.height + 1


def test_edges_are_those_of_the_graph_with_their_axes() -> None:
    """Of a network without blocks: a line for each value that a layer reads, beside it the value's axes."""
    graph = pipeline.check(Path("specs/causal_cnn.yaml")).graph
    drawing = show_network(graph).drawing
    assert drawing is not None
    values = [v for node in graph.nodes for v in node.inputs] + [out.value for out in graph.outputs.values()]
    labels = Counter(" ".join(line.label) for line in drawing.lines)
    assert labels == Counter(", ".join(map(str, value.axes)) for value in values)


def test_lines_begin_and_end_at_their_boxes() -> None:
    """The input's line starts below its box, and the arrow's tip touches the first layer."""
    drawing = show_network(pipeline.check(Path("specs/causal_cnn.yaml")).graph).drawing
    assert drawing is not None
    (x, y, width, height), (left, top, wide, _) = drawing.boxes[0].at, drawing.boxes[1].at
    start = [float(number) for number in drawing.lines[0].path[1:].split("C")[0].split(",")]
    tip = [float(number) for number in drawing.lines[0].head.split(" ")[0].split(",")]
    assert x <= start[0] <= x + width
    assert start[1] == pytest.approx(y + height, abs=2)
    assert left <= tip[0] <= left + wide
    assert tip[1] == pytest.approx(top, abs=2)


def test_nested_blocks_have_frames_within_frames() -> None:
    graph = pipeline.check(Path("specs/networks/resnet50.yaml")).graph
    blocks = {e.name: e for e in all_entries(show_network(graph).entries) if isinstance(e, BlockEntry)}
    drawing = blocks["unit_2 … unit_3"].drawing
    assert drawing is not None
    unit, *inner = drawing.frames
    assert [frame.title for frame in (unit, *inner)] == ["unit_2", "conv_1", "conv_2", "correction"]
    for frame in inner:
        assert frame.at[0] > unit.at[0]
        assert frame.at[1] > unit.at[1]
        assert frame.at[0] + frame.at[2] < unit.at[0] + unit.at[2]
