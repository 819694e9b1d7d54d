"""What a layer kind is: schema, axes rule, weights rule, Keras lowering and ONNX lowering in one class.

`Layer.infer` sees a `Call` (inputs with named axes, arguments with places in the source) and returns an `Inferred`.
Frameworks are imported only inside `to_keras`; `to_onnx` works on a builder and never imports onnx itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node, Weight, Window
from nnspec.ir.names import keras_name
from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.kit.call import Call, Fault, insert_items

if TYPE_CHECKING:
    import numpy as np

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


@dataclass(frozen=True, slots=True)
class Inferred:
    """What a layer makes of its inputs.

    Attributes:
        outputs: the axes of each output.
        dtypes: of each output; default that of the first input.
        ports: names of the outputs where there are several.
        weights: in Keras' order.
        formula: how the parameters are counted, with numbers (`4·(4·(1 + 4) + 4)`).
        windows: for positions of the first input's axes that the layer slides along or reads whole; the others are
            read position by position. Axes that no output follows any more count as read whole.
        mask: the axis along which the first output carries a mask, or None.
        masks: the same for every output, where others than the first carry one.
        keras: arguments as Keras takes them, where they differ from the spec's (axis names).
        notes: for `show`.
        end_to_end: the position of the axis along which inputs stand one behind the other, so that nothing need be
            aligned there.
        inner: the wrapped layer.
        backward: the layer of a Bidirectional that runs backwards, where the spec gives one.
        cells: the cells of a stack.
        is_constant: whether the outputs are the same whatever the inputs hold.
    """

    outputs: tuple[Axes, ...]
    dtypes: tuple[str, ...] = ()
    _: KW_ONLY
    ports: tuple[str, ...] = ("output",)
    weights: tuple[Weight, ...] = ()
    formula: str = ""
    windows: Mapping[int, Window] = field(default_factory=dict)
    mask: str | None = None
    masks: tuple[str | None, ...] = ()
    keras: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    inner: Node | None = None
    backward: Node | None = None
    cells: tuple[Node, ...] = ()
    end_to_end: int | None = None
    is_constant: bool = False


MOVES_ZERO = frozenset({"bias", "beta", "mean", "moving_mean"})  # weights by which a step of zeros is no longer one


class Layer:
    """A kind of layer.

    Attributes:
        kind: the key in a spec; for Keras' layers, Keras' name.
        args: Keras' arguments in Keras' order.
        arity: how many inputs it reads, at least and at most (None: any number).
        makes: the default name of the axis that it makes; `as` is accepted where this is set.
        steps: whether it slides or steps along axes; `over` is accepted where this is set.
        short: the argument that a body which is not a mapping stands for (`permute: [a, b]`), where that is not the
            only one that it needs; `from` of layers that read several.
        is_verb: an axis operation of nnspec rather than a Keras layer.
        uses_mask: whether it leaves out what a mask marks as padding.
        keeps_state: whether it hands a state from step to step.
        arity_note: what to say where it is given another number of inputs.
        adapts_within: whether a layer that it wraps is shown the training data (`adapts`).
        pairs_positions: whether what it reads is joined position by position, so that branches must be aligned.
        makes_several: whether it may make several axes; `as` then takes a list of names too.
        call_arguments: those of `args` that Keras takes when the layer is called: a shared layer is given them at each
            use.
        references: those of `args` that name a value: it is read, after what `from` names.
        reads_text: whether it may read inputs of dtype string.
        moves_values: whether what it gives are the values that it reads, moved or repeated and nothing else.
        is_training_only: whether it acts in training alone.
        is_positionwise: whether it does the same at every position whatever the axes, so that TimeDistributed need not
            fold them.
        looks_up_ids: whether its integers are ids of vectors in a table of `input_dim`.
        own_activation: the function that it is, as `activation:` names it; empty where it is none.
        repeats_inner: whether it does what the layer that it wraps does, once for each position.
        has_one_kernel: whether its Keras layer has one `kernel` or `embeddings`, which SpectralNormalization divides.
        package: the package that it comes from, with its version; empty for nnspec's own.
    """

    kind: ClassVar[str]
    args: ClassVar[Mapping[str, Arg]] = {}
    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    makes: ClassVar[str | None] = None
    steps: ClassVar[bool] = False
    short: ClassVar[str | None] = None
    is_verb: ClassVar[bool] = False
    uses_mask: ClassVar[bool] = False
    keeps_state: ClassVar[bool] = False
    arity_note: ClassVar[str] = ""
    adapts_within: ClassVar[bool] = False
    pairs_positions: ClassVar[bool] = True
    makes_several: ClassVar[bool] = False
    call_arguments: ClassVar[tuple[str, ...]] = ()
    references: ClassVar[tuple[str, ...]] = ()
    reads_text: ClassVar[bool] = False
    moves_values: ClassVar[bool] = False
    is_training_only: ClassVar[bool] = False
    is_positionwise: ClassVar[bool] = False
    looks_up_ids: ClassVar[bool] = False
    own_activation: ClassVar[str] = ""
    repeats_inner: ClassVar[bool] = False
    has_one_kernel: ClassVar[bool] = False
    package: str = ""

    def required_arguments(self) -> list[str]:
        """Arguments without a default; a layer that has none may be written as a bare word."""
        return [name for name, arg in self.args.items() if arg.default is REQUIRED]

    @property
    def main_argument(self) -> str | None:
        """What a body that is no mapping stands for: `Dense: 10` for `Dense: {units: 10}`; None where it means nothing.

        `from` for layers that read several inputs: `Add: [a, b]`.
        """
        required = self.required_arguments()
        main = self.short or (required[0] if len(required) == 1 else None)
        if main is None or main == "from":
            return main
        return main if main in self.args and self.args[main].schema.keys() & {"type", "allOf"} else None

    def normalize(self, name: str, value: Any) -> Any:
        """An argument's value as the layer works with it: `16.0` is a whole number where one is wanted."""
        arg = self.args.get(name)
        if (
            isinstance(value, float)
            and arg is not None
            and value.is_integer()
            and "integer" in arg.schema.get("type", ())
        ):
            return int(value)
        return value

    def adapt_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The body's schema where it is not simply the arguments (short forms of the verbs)."""
        return schema

    def infer(self, call: Call) -> Inferred:
        """Axes, dtypes and weights of the outputs.

        Raises:
            Fault: where the inputs or arguments do not fit.
        """
        raise NotImplementedError(f"{self.kind} has no axes rule")

    def why(self, node: Node) -> dict[str, str]:
        """What `nnspec show --why` tells of a node: sentences by argument or weight, under "" what it did as a whole.

        An argument without a sentence that the spec sets is told by its description.
        """
        return {}

    def to_keras(self, node: Node) -> Callable[..., Any]:
        """A Keras layer (or a callable over Keras tensors) for the node, not yet called."""
        import keras

        return getattr(keras.layers, self.kind)(name=keras_name(node.name), **self.keras_arguments(node))  # type: ignore[no-any-return]

    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any:
        """The Keras layer's outputs on Keras tensors: a tensor, or a list where the node has several."""
        return layer(tensors[0] if self.arity == (1, 1) else tensors)

    def keras_weights(self, layer: Any) -> list[Any]:
        """The Keras layer's variables in the order of the node's weights."""
        return list(layer.weights)

    def keras_arguments(self, node: Node) -> dict[str, Any]:
        """The node's arguments as Keras' constructor takes them."""
        from nnspec.catalogue import keras_objects

        result: dict[str, Any] = {}
        for name, arg in self.args.items():
            if name in self.call_arguments:
                continue
            value = node.args[name]
            result[name] = value if arg.family is None else keras_objects.build(arg.family, value)
            if arg.family == "activations" and is_deep(node.outputs[0].axes):
                from nnspec.backends.keras.layers import for_many_axes

                result[name] = for_many_axes(result[name])
        return result

    def control_flow(self, node: Node) -> Mapping[str, str]:
        """The ops with a body (Scan) that the node cannot do without in ONNX, and why; the gate lets no others pass."""
        return {}

    def has_bounded_domain(self, node: Node) -> bool:
        """Whether there are finite numbers of which the node makes none, as a logarithm does of those below 0."""
        return False

    def state_ports(self, node: Node) -> Sequence[str]:
        """The states that the deployed graph takes under these names, and gives with `_next` behind them."""
        return ()

    def opset(self, node: Node) -> int:
        """The oldest operator set that the node's lowering can do with."""
        return 17

    def adapts(self, node: Node) -> bool:
        """Whether the node takes what it knows from the training data before training starts."""
        return False

    def lacks_vocabulary(self, node: Node) -> bool:
        """Whether the node's words are still to be taken from the training data: they become arguments, not weights."""
        return False

    def vocabulary_of(self, node: Node, read: Sequence[Any]) -> Mapping[str, Any]:
        """The arguments that a node without a vocabulary takes from all that it reads in training.

        Args:
            read: an array for each use of the layer, axes `sample *axes of the input`.

        Raises:
            SpecError: NN352 where there is no word in it.
        """
        raise NotImplementedError(f"{self.kind} has no vocabulary")

    def index_count(self, node: Node) -> int | None:
        """How many indices, from 0, the integers that the node makes may be; None where that is not known."""
        return None

    def examples(self, node: Node) -> Sequence[Any]:
        """Words or integers that the node knows what to make of, to try it with; none where any number will do."""
        return ()

    def invert_scaling(self, node: Node, values: np.ndarray, weights: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """What a node that only scales would have to read to give `values` (batch, …); None from all others.

        Args:
            weights: the node's; empty where they are not known.
        """
        return None

    def padding_behind(self, node: Node, value: float) -> float | None:
        """What the node makes of a step of nothing but `value`; None where weights or statistics decide that."""
        moves = any(weight.name in MOVES_ZERO for weight in node.weights)
        return None if moves or (node.weights and value) else value

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        """Writes ONNX nodes that compute the node from its inputs; returns its outputs."""
        raise NotImplementedError(f"{self.kind} has no ONNX lowering")


def is_deep(axes: Axes) -> bool:
    """Whether a tensor has more axes than TensorFlow's softmax takes on a CPU: five, with batch."""
    return len(axes) > 4


def sum_formula(*parts: str) -> str:
    return " + ".join(part for part in parts if part)


__all__ = [
    "Call",
    "Fault",
    "Inferred",
    "Layer",
    "Window",
    "insert_items",
    "sum_formula",
]
