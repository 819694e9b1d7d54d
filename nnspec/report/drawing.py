"""The network drawn: boxes for layers and blocks, and lines with the axes of what goes from one to the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from nnspec.ir.graph import Graph, Node, Value
from nnspec.report.blocks import SMALL, Block, Item, Leaf, Repeat, layer_count
from nnspec.report.layered import Places, Point, Sketch, place_boxes

LETTER = 7.9  # pixels that a letter of a name takes up, on average, in the fonts of most systems
_LINE = 17.0
_MOST_LETTERS = 34
_LABEL_LETTERS = 26
_PADDING = 30.0
HUES = {"convolution": 1, "linear": 2, "recurrent": 3, "attention": 4}  # by the package of a layer's class


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box: what it says in lines, what it leads to, and how it looks.

    Attributes:
        look: layer, block, repeat, input, output, or outside for what lies around a block.
        hue: the family of layers by colour; 0 for all others.
        share: of the network's parameters.
        spoken: all of it in a sentence.
    """

    lines: tuple[str, ...]
    link: str = ""
    look: str = "layer"
    hue: int = 0
    share: float = 0.0
    spoken: str = ""
    at: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)

    @property
    def size(self) -> tuple[float, float]:
        longest = max(len(self.lines[0]) * LETTER, *(len(line) * LETTER * 0.86 for line in self.lines))
        room = 6.0 if self.look == "repeat" else 0.0
        return max(84.0, longest + _PADDING) + room, len(self.lines) * _LINE + 14.0 + room


@dataclass(frozen=True, kw_only=True)
class Line:
    """An arrow and the axes beside it."""

    path: str
    head: str
    label: tuple[str, ...]
    label_at: Point


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The frame of a block whose layers are drawn one by one."""

    title: str
    link: str
    at: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A drawing; `spoken` says what it is of."""

    spoken: str
    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    frames: tuple[Frame, ...]

    @property
    def is_broad(self) -> bool:
        """Whether it needs the whole width of a page."""
        return self.width > 560


@dataclass(eq=False)
class _Plan:
    """A drawing as it grows, before its parts have places."""

    boxes: list[Box] = field(default_factory=list)
    lines: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)
    frames: list[tuple[list[int], int, str, str]] = field(default_factory=list)
    where: dict[str, int] = field(default_factory=dict)  # the box that shows a node or input


class Artist:
    """Draws a network and its blocks; those that look alike are placed once.

    Args:
        items: the outermost ones.
        links: where each layer's part of the page is, by the layer's name.
        anchors: the same of blocks and repeats.
    """

    def __init__(
        self, graph: Graph, items: Sequence[Item], links: Mapping[str, str], anchors: Mapping[Item, str]
    ) -> None:
        self.graph = graph
        self.items = items
        self.links = links
        self.anchors = anchors
        self.total = max(1, graph.parameters)
        self.placed: dict[Sketch, Places] = {}

    def network(self) -> Drawing:
        """The whole network; of a large one its blocks as one box each."""
        plan = _Plan()
        for name, value in self.graph.inputs.items():
            plan.where[name] = len(plan.boxes)
            kind = f"input, {value.dtype}"
            plan.boxes.append(Box(lines=(name, kind), look="input", spoken=f"{name}: {kind} {_axes(value)}"))
        self._add(plan, self.items, -1, is_expanded=len(self.graph.nodes) <= SMALL, parent="")
        for node in self.graph.nodes:
            self._join(plan, node)
        for name, output in self.graph.outputs.items():
            said = f"{name}: output, {output.task}"
            plan.boxes.append(Box(lines=(name, f"output, {output.task}"), look="output", spoken=said))
            start = plan.where[output.value.node]
            plan.lines.append((start, len(plan.boxes) - 1, _label(output.value)))
        return self._drawn(plan, f"The network {self.graph.name} from inputs to outputs")

    def inside(self, item: Block | Repeat) -> Drawing:
        """What is in a block, or in the first time of a repeat, and what lies around it."""
        items = item.items if isinstance(item, Block) else item.times[0]
        nodes = [node for each in items for node in each.nodes]
        names = {node.name for node in nodes}
        plan = _Plan()
        for source in dict.fromkeys(v.node for node in nodes for v in node.inputs if v.node not in names):
            plan.where[source] = len(plan.boxes)
            plan.boxes.append(self._outside("from", [source]))
        parent = item.name if isinstance(item, Block) else item.name.rpartition("/")[0]
        self._add(plan, items, -1, is_expanded=len(nodes) <= SMALL, parent=parent)
        for node in nodes:
            self._join(plan, node)
        for value, readers in self._leaving(names):
            plan.lines.append((plan.where[value.node], len(plan.boxes), _label(value)))
            plan.boxes.append(self._outside("to", readers))
        what = f"{item.name}, the first of {len(item.times)} times" if isinstance(item, Repeat) else item.name
        return self._drawn(plan, f"The layers of {what}")

    def _leaving(self, names: set[str]) -> list[tuple[Value, list[str]]]:
        found: dict[tuple[str, str], tuple[Value, list[str]]] = {}
        for node in self.graph.nodes:
            if node.name not in names:
                for value in node.inputs:
                    if value.node in names:
                        found.setdefault((value.node, value.port), (value, []))[1].append(node.name)
        for name, output in self.graph.outputs.items():
            value = output.value
            if value.node in names:
                found.setdefault((value.node, value.port), (value, []))[1].append(name)
        return list(found.values())

    def _outside(self, word: str, names: Sequence[str]) -> Box:
        more = f", {len(names) - 1} more" if len(names) > 1 else ""
        text = _cut(f"{word} {names[0]}{more}")
        return Box(lines=(text,), look="outside", link=self.links.get(names[0], ""), spoken=text)

    def _add(self, plan: _Plan, items: Sequence[Item], frame: int, *, is_expanded: bool, parent: str) -> None:
        for item in items:
            if isinstance(item, Block) and is_expanded:
                plan.frames.append(([], frame, _within(item.name, parent), self.anchors[item]))
                self._add(plan, item.items, len(plan.frames) - 1, is_expanded=True, parent=item.name)
                continue
            number = len(plan.boxes)
            plan.boxes.append(self._box(item, parent))
            plan.where |= {node.name: number for node in item.nodes}
            if frame >= 0:
                plan.frames[frame][0].append(number)

    def _box(self, item: Item, parent: str) -> Box:
        count = sum(node.parameters for node in item.nodes)
        share = count / self.total
        weighs = f"{count:,} parameters" if count else ""
        if isinstance(item, Leaf):
            node = item.node
            kind = f"{node.kind}({node.inner.kind})" if node.inner is not None else node.kind
            lines, look = (_within(node.name, parent), kind, weighs), "layer"
            hue, link = _hue(node), self.links[node.name]
        elif isinstance(item, Block):
            lines = (_within(item.name, parent), f"block of {layer_count(len(item.nodes))}", weighs)
            look, hue, link = "block", 0, self.anchors[item]
        else:
            first, last = (_within(one.name, parent) for one in (item.times[0][0], item.times[-1][-1]))
            lines = (f"{first} … {last}", item.told, weighs)
            look, hue, link = "repeat", 0, self.anchors[item]
        said = tuple(_cut(line) for line in lines if line)
        spoken = ", ".join((item.name, *(line for line in lines[1:] if line)))
        return Box(lines=said, link=link, look=look, hue=hue, share=share, spoken=spoken)

    def _join(self, plan: _Plan, node: Node) -> None:
        end = plan.where[node.name]
        for value in node.inputs:
            start = plan.where[value.node]
            line = (start, end, _label(value))
            if start != end and line not in plan.lines:
                plan.lines.append(line)

    def _drawn(self, plan: _Plan, spoken: str) -> Drawing:
        sketch = Sketch(
            boxes=tuple(box.size for box in plan.boxes),
            lines=tuple((start, end, _room(label)) for start, end, label in plan.lines),
            frames=tuple((tuple(members), around, _room((title,))) for members, around, title, _ in plan.frames),
        )
        if sketch not in self.placed:
            self.placed[sketch] = place_boxes(sketch)
        places = self.placed[sketch]
        lines = [
            Line(path=_path(points), head=_head(points[-1], tip), label=label, label_at=middle)
            for (_, _, label), (points, tip, middle) in zip(plan.lines, places.lines, strict=True)
        ]
        return Drawing(
            spoken=spoken,
            width=places.size[0],
            height=places.size[1],
            boxes=tuple(_place_box(box, centre) for box, centre in zip(plan.boxes, places.boxes, strict=True)),
            lines=tuple(lines),
            frames=tuple(
                Frame(title=title, link=link, at=at)
                for (_, _, title, link), at in zip(plan.frames, places.frames, strict=True)
            ),
        )


def _place_box(box: Box, centre: Point) -> Box:
    width, height = box.size
    return replace(box, at=(round(centre[0] - width / 2, 1), round(centre[1] - height / 2, 1), width, height))


def _path(points: Sequence[Point]) -> str:
    first, *others = [f"{x:g},{y:g}" for x, y in points]
    return f"M{first}C{' '.join(others)}"


def _head(end: Point, tip: Point) -> str:
    """The triangle of an arrow, from where its line ends to its tip."""
    across = (tip[0] - end[0]) / 2.2, (tip[1] - end[1]) / 2.2
    corners = (tip, (end[0] - across[1], end[1] + across[0]), (end[0] + across[1], end[1] - across[0]))
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _label(value: Value) -> tuple[str, ...]:
    """Axes in lines of a width that does not spread the drawing."""
    parts = [str(axis) for axis in value.axes] or ["scalar"]
    if value.port != "output":
        parts[0] = f"{value.port}: {parts[0]}"
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + len(part) + 2 <= _LABEL_LETTERS:
            lines[-1] += f", {part}"
        else:
            lines[-1] += ","
            lines.append(part)
    return tuple(_cut(line) for line in lines)


def _room(lines: Sequence[str]) -> tuple[float, float]:
    return max(map(len, lines)) * 6.2 + 12.0, len(lines) * 14.0 + 4.0


def _axes(value: Value) -> str:
    return ", ".join(map(str, value.axes)) or "scalar"


def _within(name: str, parent: str) -> str:
    return name.removeprefix(f"{parent}/") if parent else name


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def _hue(node: Node) -> int:
    layer = node.inner.layer if node.inner is not None else node.layer
    parts = type(layer).__module__.split(".")
    return HUES.get(parts[2], 0) if len(parts) > 2 and parts[0] == "nnspec" else 0
