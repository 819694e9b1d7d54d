"""The network of a report: its drawing, and every layer with what it reads and makes, in the blocks that it is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

from nnspec.ir.graph import Graph, Node
from nnspec.report.blocks import Block, Item, Leaf, Repeat, blocks_in, items_of, layer_count
from nnspec.report.drawing import Artist, Drawing
from nnspec.show.why import Page, explain_node


@dataclass(frozen=True, kw_only=True)
class LayerEntry:
    """A layer.

    Attributes:
        anchor: where drawings lead to.
        is_next: whether it reads the layer before it and nothing else.
        share: of all the network's parameters.
    """

    anchor: str
    page: Page
    reads: tuple[str, ...]
    axes: str
    parameters: int
    is_next: bool
    share: float

    @property
    def parts(self) -> tuple[Page, ...]:
        """The layer, and what it wraps."""
        return (self.page, *self.page.inner)


@dataclass(frozen=True, kw_only=True)
class BlockEntry:
    """A block, or what repeats, with a drawing of its own.

    Attributes:
        told: what it is, in words.
        axes: those of what its last layer makes.
    """

    anchor: str
    name: str
    told: str
    axes: str
    parameters: int
    share: float
    drawing: Drawing | None
    entries: tuple[Entry, ...]


Entry: TypeAlias = LayerEntry | BlockEntry


@dataclass(frozen=True)
class Shown:
    """Attributes:
    drawing: None without Graphviz.
    anchors: all places that a drawing leads to.
    """

    drawing: Drawing | None
    entries: tuple[Entry, ...]
    anchors: tuple[str, ...]


def can_draw() -> bool:
    """Whether what places the boxes of drawings is installed."""
    return find_spec("pygraphviz") is not None


def show_network(graph: Graph) -> Shown:
    """The drawing of the whole network, and its layers in order of computation."""
    items = items_of(graph)
    links = {node.name: f"layer-{number}" for number, node in enumerate(graph.nodes, start=1)}
    anchors = {item: f"block-{number}" for number, item in enumerate(blocks_in(items), start=1)}
    artist = Artist(graph, items, links, anchors) if can_draw() else None
    writer = _Writer(graph, artist, links, anchors)
    entries = writer.entries(items)
    drawing = artist.network() if artist is not None else None
    return Shown(drawing, entries, (*links.values(), *anchors.values()))


class _Writer:
    def __init__(self, graph: Graph, artist: Artist | None, links: dict[str, str], anchors: dict[Item, str]) -> None:
        self.graph = graph
        self.artist = artist
        self.links = links
        self.anchors = anchors
        self.total = max(1, graph.parameters)
        self.before = next(iter(graph.inputs), "")

    def entries(self, items: Sequence[Item]) -> tuple[Entry, ...]:
        return tuple(self.layer(item.node) if isinstance(item, Leaf) else self.block(item) for item in items)

    def block(self, item: Block | Repeat) -> BlockEntry:
        count = sum(node.parameters for node in item.nodes)
        if isinstance(item, Repeat):
            told = item.told + ("" if item.is_equal else ", of different sizes")
            inner: Sequence[Item] = [one for time in item.times for one in time]
        else:
            told, inner = f"block of {layer_count(len(item.nodes))}", item.items
        entries = self.entries(inner)
        return BlockEntry(
            anchor=self.anchors[item],
            name=item.name,
            told=told,
            parameters=count,
            share=count / self.total,
            drawing=self.artist.inside(item) if self.artist is not None else None,
            entries=entries,
            axes=next(reversed(_layers_in(entries))).axes,
        )

    def layer(self, node: Node) -> LayerEntry:
        reads = tuple(value.node for value in node.inputs)
        about = explain_node(self.graph, node)
        entry = LayerEntry(
            anchor=self.links[node.name],
            page=about,
            reads=reads,
            axes=", ".join(about.makes),
            parameters=node.parameters,
            is_next=reads == (self.before,),
            share=node.parameters / self.total,
        )
        self.before = node.name
        return entry


def _layers_in(entries: Sequence[Entry]) -> list[LayerEntry]:
    return [layer for e in entries for layer in ([e] if isinstance(e, LayerEntry) else _layers_in(e.entries))]
