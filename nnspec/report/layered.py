"""Places of boxes and lines of a graph in layers, by Graphviz' `dot`, which is in the wheel of pygraphviz.

It is given numbers and sizes alone, so that the places do not depend on its fonts. Lengths are in
pixels, y grows downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Size = tuple[float, float]
Point = tuple[float, float]
_INCH = 72.0  # dot's points in an inch, here pixels


@dataclass(frozen=True, kw_only=True)
class Sketch:
    """What is to be placed.

    Attributes:
        boxes: the size of each box.
        lines: from which box to which, and the size of the text beside it.
        frames: the boxes and the frames within each frame, the outer before the inner: numbers of boxes, the number of
            the frame around it or -1, and the size of its title.
    """

    boxes: tuple[Size, ...]
    lines: tuple[tuple[int, int, Size], ...]
    frames: tuple[tuple[tuple[int, ...], int, Size], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where all of it goes.

    Attributes:
        boxes: the centres.
        lines: the points of each line's Bézier curve, the arrow's tip, and the centre of its text.
        frames: left, top, width and height.
    """

    size: Size
    boxes: tuple[Point, ...]
    lines: tuple[tuple[tuple[Point, ...], Point, Point], ...]
    frames: tuple[tuple[float, float, float, float], ...]


def place_boxes(sketch: Sketch) -> Places:
    """Places boxes from top to bottom in the direction of the lines."""
    from pygraphviz import AGraph

    drawn = AGraph(directed=True, strict=False, nodesep="0.3", ranksep="0.3", compound="true")
    drawn.node_attr.update(shape="box", fixedsize="true", label="")
    for number, (width, height) in enumerate(sketch.boxes):
        drawn.add_node(number, width=width / _INCH, height=height / _INCH)
    frames: list[AGraph] = []
    for number, (_, around, size) in enumerate(sketch.frames):
        outer = drawn if around < 0 else frames[around]
        members = _all_members(sketch, number)
        frames.append(outer.add_subgraph(members, name=f"cluster_{number}", label=_room(size), margin="10"))
    for number, (start, end, size) in enumerate(sketch.lines):
        drawn.add_edge(start, end, key=str(number), label=_room(size), arrowsize="0.7")
    drawn.layout(prog="dot")
    _, _, width, height = _numbers(drawn.graph_attr["bb"])
    boxes = tuple(_point(drawn.get_node(number).attr["pos"], height) for number in range(len(sketch.boxes)))
    lines = []
    for number, (start, end, _) in enumerate(sketch.lines):
        attributes = drawn.get_edge(start, end, key=str(number)).attr
        tip, *points = attributes["pos"].removeprefix("e,").split(" ")
        curve = tuple(_point(each, height) for each in points)
        lines.append((curve, _point(tip, height), _point(attributes["lp"], height)))
    corners = [_numbers(frame.graph_attr["bb"]) for frame in frames]
    return Places(
        size=(width, height),
        boxes=boxes,
        lines=tuple(lines),
        frames=tuple((left, height - top, right - left, top - low) for left, low, right, top in corners),
    )


def _all_members(sketch: Sketch, number: int) -> list[int]:
    """The boxes in a frame and in all frames within it."""
    members = list(sketch.frames[number][0])
    for inner, (_, around, _) in enumerate(sketch.frames):
        if around == number:
            members += _all_members(sketch, inner)
    return members


def _room(size: Size) -> str:
    """A label that takes up so much room, and has no text to be measured."""
    width, height = size
    cell = f'WIDTH="{width:.0f}" HEIGHT="{height:.0f}" FIXEDSIZE="TRUE"'
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"><TR><TD {cell}></TD></TR></TABLE>>'


def _numbers(text: str) -> Sequence[float]:
    return [float(part) for part in text.split(",")]


def _point(text: str, height: float) -> Point:
    x, y = _numbers(text)
    return round(x, 1), round(height - y, 1)
