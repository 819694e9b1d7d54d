"""The graph with named axes: frozen values, nodes and outputs. It knows neither YAML nor a framework."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from nnspec.axes import Axes
from nnspec.diagnostics import Span

if TYPE_CHECKING:
    from nnspec.layers.base import Layer


@dataclass(frozen=True, slots=True)
class Field:
    """How far one position sees along an input axis.

    Attributes:
        size: input positions that it may depend on (padding counted), None for all of an axis of unknown length. A
            fraction where what slid moved by fractions of a position: 1 and the distance between the outermost places.
        stride: input positions between neighbours; 1/2 after an upsampling by 2.
        ahead: how many of them lie after the position itself; 0 is causal.
    """

    size: int | Fraction | None = 1
    stride: int | Fraction = 1
    ahead: int | Fraction | None = 0

    @property
    def positions(self) -> int | None:
        """`size` in whole positions: as many as fit between the outermost places."""
        return None if self.size is None else math.floor(self.size)


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A tensor: batch is left out of `axes`.

    Attributes:
        node: the input or node that makes it.
        port: which of the node's outputs; `output` where there is only one.
        mask: the axis that a mask runs along (padding of sequences), if one is attached.
        fields: receptive field along each input axis.
    """

    node: str
    axes: Axes
    dtype: str = "float32"
    port: str = "output"
    mask: str | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a layer, in Keras' order and shape."""

    name: str
    shape: tuple[int, ...]
    is_trainable: bool = True

    @property
    def count(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A layer at work.

    Attributes:
        args: every argument with its default filled in; axis names resolved to what Keras takes.
        inner: the wrapped layer of TimeDistributed or Bidirectional.
        backward: the layer of a Bidirectional that runs backwards, where the spec gives one.
        formula: how the parameters are counted, with this layer's numbers.
        notes: what the checker found out, for `show`.
        shared: the name under `layers:` whose weights this node uses.
    """

    name: str
    layer: Layer
    args: Mapping[str, Any]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    weights: tuple[Weight, ...]
    span: Span
    path: tuple[str | int, ...] = ()
    formula: str = ""
    notes: tuple[str, ...] = ()
    inner: Node | None = None
    shared: str | None = None
    backward: Node | None = None

    @property
    def kind(self) -> str:
        return self.layer.kind

    @property
    def parameters(self) -> int:
        return sum(weight.count for weight in self.weights)

    @property
    def trainable_parameters(self) -> int:
        return sum(weight.count for weight in self.weights if weight.is_trainable)


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A result of the graph: what the value means (`task`) and how it is trained."""

    name: str
    value: Value
    task: str
    span: Span
    classes: tuple[str | int, ...] | None = None
    class_axis: str | None = None
    loss: Any = None
    metrics: tuple[Any, ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """Nodes stand in the order in which they can be computed."""

    name: str
    inputs: Mapping[str, Value]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, Output]
    input_spans: Mapping[str, Span] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    batches: Mapping[str, int] = field(default_factory=dict)

    def owners(self) -> tuple[Node, ...]:
        """The nodes whose weights count: of those that share, the first."""
        seen: set[str] = set()
        result = []
        for node in self.nodes:
            if node.shared is not None:
                if node.shared in seen:
                    continue
                seen.add(node.shared)
            result.append(node)
        return tuple(result)

    @property
    def parameters(self) -> int:
        return sum(node.parameters for node in self.owners())

    @property
    def trainable_parameters(self) -> int:
        return sum(node.trainable_parameters for node in self.owners())
