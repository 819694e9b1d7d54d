"""The network of a report: every layer with what it reads and makes, and its page."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.ir.graph import Graph
from nnspec.show.why import Page, page


@dataclass(frozen=True, kw_only=True)
class LayerEntry:
    """A layer.

    Attributes:
        is_next: whether it reads the layer before it and nothing else.
        share: of all the network's parameters.
    """

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


def layer_entries(graph: Graph) -> list[LayerEntry]:
    """The layers in order of computation."""
    total = max(1, graph.parameters)
    entries: list[LayerEntry] = []
    before = next(iter(graph.inputs), "")
    for node in graph.nodes:
        reads = tuple(value.node for value in node.inputs)
        about = page(graph, node)
        entries.append(
            LayerEntry(
                page=about,
                reads=reads,
                axes=", ".join(about.makes),
                parameters=node.parameters,
                is_next=reads == (before,),
                share=node.parameters / total,
            )
        )
        before = node.name
    return entries
