"""What a check sees: the graph, the data plan and the document."""

from __future__ import annotations

from pathlib import Path

from nnspec.data.section.plan import DataPlan, Slot
from nnspec.diagnostics import Span
from nnspec.document import Mapping, Node
from nnspec.inference.counted import followed_axes
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Value
from nnspec.lazy import dataclass


@dataclass(frozen=True, eq=False)
class Context:
    """Everything that a check may ask of a spec.

    Attributes:
        folder: the spec's; None where no file of it is looked at.
        allow_outside: whether files may be outside of it.
    """

    graph: Graph
    plan: DataPlan | None
    root: Mapping
    folder: Path | None = None
    allow_outside: bool = False

    def node(self, *path: str) -> Node | None:
        """The document's node at a path of keys."""
        node: Node | None = self.root
        for key in path:
            node = node.get(key) if isinstance(node, Mapping) else None
        return node

    def span(self, *path: str) -> Span:
        """The span of a key's value, or of its closest existing parent."""
        node: Node = self.root
        span = self.root.span
        for key in path:
            child = node.get(key) if isinstance(node, Mapping) else None
            if child is None:
                break
            node, span = child, child.span
        return span


def axes_of(value: Value) -> tuple[tuple[str, int | str | None], ...]:
    return tuple((axis.name, ax.size_to_json(axis.size)) for axis in value.axes)


def input_slots(graph: Graph) -> dict[str, Slot]:
    """The graph's inputs as the data package wants them."""
    return {
        name: Slot(
            name=name,
            axes=axes_of(value),
            dtype=value.dtype,
            span=graph.input_spans[name],
            constraints=graph.constraints,
        )
        for name, value in graph.inputs.items()
    }


def output_slots(graph: Graph) -> dict[str, Slot]:
    return {
        name: Slot(
            name=name,
            axes=axes_of(o.value),
            dtype=o.value.dtype,
            span=o.span,
            task=o.task,
            classes=o.classes,
            class_axis=o.class_axis,
            follows=followed_axes(graph, o),
            levels=o.levels,
            is_calibrated=o.is_calibrated,
            constraints=graph.constraints,
        )
        for name, o in graph.outputs.items()
    }
