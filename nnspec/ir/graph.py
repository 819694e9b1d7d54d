"""The graph with named axes: frozen values, nodes and outputs. It knows neither YAML nor a framework."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from nnspec.diagnostics import Span
from nnspec.ir.axes import Axes, index_of
from nnspec.ir.layer_facts import LayerFacts
from nnspec.ir.levels import LEVEL
from nnspec.ir.thresholds import Threshold
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray]

NUMERIC_TASKS = ("regression", "quantiles")
NO_TASK = "none"  # that of an output without targets
ANOMALY = "anomaly"  # that of an output that scores how unusual a sample is
Steps = int | Fraction
NamedObject: TypeAlias = "str | Mapping[str, Args]"  # one of Keras' objects: its name, or that with its arguments
Args: TypeAlias = Mapping[str, Any]  # a layer's arguments by name: its schema has checked what each of them holds


@dataclass(frozen=True, slots=True)
class Window:
    """How a layer's output sees an axis of its input: position i reads `span` positions, up to `stride·i + ahead`.

    Attributes:
        span: how many positions; None for all of them. A fraction where positions are finer than what they read: a
            layer that repeats each step twice reads step i // 2, which lies in the 3/2 positions up to i / 2.
        stride: positions of the input from one of the output to the next; 1/2 doubles the length, -1 turns it round.
        ahead: how many of the positions lie after `stride·i`; None where it may read everything.
        slack: by how much the window may start earlier than that, where padding depends on an unknown length.
        dilation: every so many of the positions are read, the last among them; 1 reads them all.
    """

    span: Steps | None
    stride: Steps = 1
    ahead: Steps | None = 0
    slack: Steps = 0
    dilation: int = 1


@dataclass(frozen=True, slots=True)
class Field:
    """How far one position sees along an input axis: i depends on `stride·i - behind` to `stride·i + ahead` alone.

    Attributes:
        size: input positions that it may depend on (padding counted), None for all of an axis of unknown length.
        stride: input positions between neighbours; negative where steps run backwards.
        ahead: how many of them lie after the position itself; 0 is causal, None: it may be anything.
        slack: by how much more it may reach back, where padding depends on an unknown length.
        phases: the first and last position that each neighbour sees, until that repeats; empty where all see alike.
    """

    size: int | None = 1
    stride: Steps = 1
    ahead: Steps | None = 0
    slack: Steps = 0
    phases: tuple[tuple[int, int], ...] = ()

    @property
    def behind(self) -> Steps | None:
        """How many of the positions lie before the position itself; negative where all of them lie after it."""
        if self.size is None or self.ahead is None:
            return None
        if self.phases:
            return max(Fraction(self.stride * i - first) for i, (first, _) in enumerate(self.phases)) + self.slack
        return self.size - 1 - self.ahead + self.slack


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Value:
    """A tensor: batch is left out of `axes`.

    Attributes:
        node: the input or node that makes it.
        port: which of the node's outputs; `output` where there is only one.
        mask: the axis that a mask runs along (padding of sequences), if one is attached.
        outer: the axes before it for each of whose positions the mask is another: words are padded in each sentence.
        fields: receptive field along each input axis.
        is_zero_at_padding: whether it is 0 wherever its mask marks padding, so that a sum leaves padding out by itself.
    """

    node: str
    axes: Axes
    dtype: str = "float32"
    port: str = "output"
    mask: str | None = None
    outer: tuple[str, ...] = ()
    fields: Mapping[str, Field] = field(default_factory=dict)
    is_zero_at_padding: bool = False


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a layer, in Keras' order and shape."""

    name: str
    shape: tuple[int, ...]
    is_trainable: bool = True

    @property
    def count(self) -> int:
        return math.prod(self.shape)


class LayerKind(LayerFacts, Protocol):
    """What readers may ask of a node's layer (`nnspec.layers.kit.base.Layer`); a backend's tensors are opaque here."""

    def why(self, node: Node) -> dict[str, str]: ...
    def to_keras(self, node: Node) -> Callable[..., Any]: ...
    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any: ...
    def keras_weights(self, layer: Any) -> list[Any]: ...
    def computes_in_float32(self, node: Node) -> bool: ...
    def keras_arguments(self, node: Node) -> Args: ...
    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> list[Any]: ...
    def control_flow(self, node: Node) -> Mapping[str, str]: ...
    def has_bounded_domain(self, node: Node) -> bool: ...
    def runs_only_on_tensorflow(self, node: Node) -> bool: ...
    def state_axes(self, node: Node) -> Mapping[str, Axes]: ...
    def opset(self, node: Node) -> int: ...
    def adapts(self, node: Node) -> bool: ...
    def adapt(self, layer: Any, node: Node, data: np.ndarray) -> None: ...
    def adapt_in_chunks(self, layer: object, node: Node, read: Callable[[], Iterator[np.ndarray]]) -> None: ...
    def lacks_vocabulary(self, node: Node) -> bool: ...
    def vocabulary_of(self, node: Node, read: Sequence[np.ndarray]) -> Args: ...
    def index_count(self, node: Node) -> int | None: ...
    def examples(self, node: Node) -> Sequence[str | int]: ...
    def numbers_within(self, node: Node) -> Collection[float]: ...
    def masked_value(self, node: Node) -> float | None: ...
    def padding_behind(self, node: Node, value: float) -> float | None: ...
    def adds_up(self, args: Args) -> bool: ...
    def combination(self, args: Args) -> str: ...
    def counts_padding(self, node: Node, picked: int | None, value: float | None) -> bool: ...
    def head_behind(self, node: Node, heads: Sequence[str]) -> str | None: ...
    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]: ...
    def picked_position(self, node: Node, place: int) -> int | None: ...
    def invert_scaling(self, node: Node, values: np.ndarray, weights: Arrays) -> np.ndarray | None: ...


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Node:
    """A layer at work.

    Attributes:
        args: every argument with its default filled in; axis names resolved to what Keras takes.
        inner: the wrapped layer of TimeDistributed or Bidirectional.
        backward: the layer of a Bidirectional that runs backwards, where the spec gives one.
        cells: the cells of a stack.
        formula: how the parameters are counted, with this layer's numbers.
        notes: what the checker found out, for `show`.
        shared: the name under `layers:` whose weights this node uses.
        given: the arguments that the spec names.
        windows: how it sees its first input, by position of the axis; axes left out are read position by position.
    """

    name: str
    layer: LayerKind
    args: Args
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
    windows: Mapping[int, Window] = field(default_factory=dict)
    cells: tuple[Node, ...] = ()
    given: frozenset[str] = frozenset()

    @property
    def kind(self) -> str:
        return self.layer.kind

    @property
    def owner(self) -> str:
        """What weights and vocabularies are kept under: its name, or the shared layer's as no node is called."""
        return self.name if self.shared is None else f"layers.{self.shared}"

    @property
    def parameters(self) -> int:
        return sum(weight.count for weight in self.weights)

    @property
    def trainable_parameters(self) -> int:
        return sum(weight.count for weight in self.weights if weight.is_trainable)

    @property
    def is_stateful(self) -> bool:
        """Whether it, or a layer inside of it, goes on from the batch before."""
        return bool(self.args.get("stateful")) or any(node.is_stateful for node in self.inside)

    @property
    def inside(self) -> tuple[Node, ...]:
        """The layers that it wraps, and the cells that it runs."""
        if self.inner is None and self.backward is None and not self.cells:
            return ()  # as of nearly all
        return tuple(node for node in (self.inner, self.backward, *self.cells) if node is not None)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Output:
    """A result of the graph: what the value means (`task`) and how it is trained.

    Attributes:
        gives_scores: whether its values are scores rather than probabilities, so that yes begins at 0, not at 0.5.
        levels: of quantiles, the share of the targets below each position of the axis `level`, ascending.
        is_calibrated: whether calibration on the validation split moves its levels.
        cut: where yes begins, as the spec says it; None where it leaves that to the task.
        error_of: of a score of anomalies, the reconstruction whose error it is, and which of its axes the mean is over.
        label: what the output of the deployed graph is called that has its labels.
        counts: which targets count: `all`, `steps` (not the padded ones), or `values` (means over the last axis too).
    """

    name: str
    value: Value
    task: str
    span: Span
    classes: tuple[str | int, ...] | None = None
    class_axis: str | None = None
    loss: NamedObject | None = None
    metrics: tuple[NamedObject, ...] = ()
    weighted_metrics: tuple[NamedObject, ...] = ()  # which count each sample by its weight
    weight: float = 1.0
    gives_scores: bool = False
    counts: str = "all"
    levels: tuple[float, ...] = ()
    is_calibrated: bool = False
    cut: Threshold | None = None
    error_of: tuple[str, tuple[int, ...]] | None = None
    label: str = ""
    unit: str = ""  # what all its numbers are measured in, where the spec says it of the output itself

    @property
    def is_trained(self) -> bool:
        """Whether a loss compares it with targets."""
        return self.task not in (NO_TASK, ANOMALY)

    @property
    def gives_values(self) -> bool:
        """Whether it gives numbers in the units of its targets, rather than classes or their probabilities."""
        return self.task in NUMERIC_TASKS

    @property
    def level_axis(self) -> int | None:
        """The position of the axis of a quantile output's levels, batch left out."""
        return index_of(self.value.axes, LEVEL) if self.levels else None

    @property
    def threshold(self) -> float:
        """Where yes begins, in an output whose values each say yes or no, until a rule of the spec has chosen it."""
        if self.cut is not None and self.cut.value is not None:
            return self.cut.value
        return 0.0 if self.gives_scores else 0.5


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """Nodes stand in the order in which they can be computed."""

    name: str
    inputs: Mapping[str, Value]
    nodes: tuple[Node, ...]
    outputs: Mapping[str, Output]
    input_spans: Mapping[str, Span] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    batches: Mapping[str, int] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)  # by input, where all its numbers have the same

    def owners(self) -> tuple[Node, ...]:
        """The nodes whose weights count: of those that share, the first."""
        first = {node.shared: node for node in reversed(self.nodes)}
        return tuple(node for node in self.nodes if node.shared is None or first[node.shared] is node)

    @property
    def parameters(self) -> int:
        return sum(node.parameters for node in self.owners())

    @property
    def trainable_parameters(self) -> int:
        return sum(node.trainable_parameters for node in self.owners())
