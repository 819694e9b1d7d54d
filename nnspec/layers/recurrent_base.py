"""What recurrent layers share: the axes rule, masks, states and the way to one ONNX op."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nnspec import axes as ax
from nnspec.axes import Axis
from nnspec.graph import Node, Weight
from nnspec.layers.base import Call, Inferred, Layer, Window
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.layers.recurrent_onnx import Cell


class Recurrent(Layer):
    """What recurrent layers share: the axes rule, masks, states and the lowering to one ONNX op.

    Attributes:
        gates: how many blocks of `units` columns the kernels have.
        states: what a step hands to the next.
        op: the ONNX op.
        gate_order: for each block of the op, Keras' block.
    """

    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    op: ClassVar[str]
    gate_order: ClassVar[tuple[int, ...]]
    makes = "unit"
    steps = True
    uses_mask = True
    arity = (1, 2)

    def infer(self, call: Call) -> Inferred:
        call.require_rank(2, what="steps and features")
        call.check_steps((0,))
        step, feature = call.axes
        features = call.require_size(feature, "its kernel has a row for each position")
        units = call.args["units"]
        self.check_states(call, units)
        if call.args["unroll"] and not isinstance(step.size, int):
            call.require_size(step, "`unroll` writes out every step")
        made = ax.fresh(call.axis_name or "unit", units, call.name, is_learned=True)
        is_backwards, is_sequence = call.args["go_backwards"], call.args["return_sequences"]
        output = (self.stepped(call, step), made) if is_sequence else (made,)
        extra = self.states if call.args["return_state"] else ()
        reads_ahead = is_backwards or not is_sequence
        windows = {
            0: Window(None, -1 if is_backwards and is_sequence else 1, None if reads_ahead else 0),
            1: Window(None, ahead=None),
        }
        notes = [f"gives the steps of `{step.name}` from last to first"] if is_backwards and is_sequence else []
        return Inferred(
            (call.require_unique(output), *((made,) for _ in extra)),
            ports=("output", *extra),
            weights=self.weights_rule(call, features, units),
            formula=self.formula(call, features, units),
            windows=windows,
            mask=call.input.mask if is_sequence else None,
            notes=tuple(notes),
        )

    def stepped(self, call: Call, step: Axis) -> Axis:
        """The step axis of the output; reversed steps are positions of their own."""
        return ax.resized(step, step.size, call.name) if call.args["go_backwards"] else step

    def check_states(self, call: Call, units: int) -> None:
        """Inputs after the first are the state that it starts from."""
        check_initial_states(call, self.states, units)

    def weights_rule(self, call: Call, features: int, units: int) -> tuple[Weight, ...]:
        columns = self.gates * units
        weights = [Weight("kernel", (features, columns)), Weight("recurrent_kernel", (units, columns))]
        if call.args["use_bias"]:
            weights.append(Weight("bias", self.bias_shape(call.args)))
        return tuple(weights)

    def bias_shape(self, args: Mapping[str, Any]) -> tuple[int, ...]:
        return (self.gates * args["units"],)

    def formula(self, call: Call, features: int, units: int) -> str:
        """`4·(4·(1 + 4) + 4)`: gates, each with units·(features + units) and its biases."""
        each = f"{units}·({features} + {units})"
        if call.args["use_bias"]:  # a bias of two rows is one for the input and one for the state
            each += f" + 2·{units}" if len(self.bias_shape(call.args)) == 2 else f" + {units}"
        return each if self.gates == 1 else f"{self.gates}·({each})"

    def call_keras(self, layer: Callable[..., Any], node: Node, tensors: list[Any]) -> Any:
        return call_recurrent(layer, tensors)

    # -------------------------------------------------------------------------------------------- ONNX

    def cell(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Cell:
        """One direction of the ONNX op, with the weights in its order.

        Raises:
            NotImplementedError: where the op knows no such activation.
        """
        from nnspec.layers.recurrent_onnx import Cell, op_activation

        kernel, recurrent = self.in_op_order(weights["kernel"]), self.in_op_order(weights["recurrent_kernel"])
        bias = weights.get("bias")
        if bias is not None:
            both = np.stack([bias, np.zeros_like(bias)]) if bias.ndim == 1 else bias
            bias = np.concatenate([self.in_op_order(row[None]).ravel() for row in both])
        return Cell(
            self.op,
            node.args["units"],
            kernel,
            recurrent.T,
            bias,
            tuple(op_activation(name) for name in self.activations(node.args)),
            self.attributes(node.args),
            is_backwards,
        )

    def in_op_order(self, matrix: np.ndarray) -> np.ndarray:
        blocks = np.split(matrix, self.gates, axis=1)
        return np.concatenate([blocks[i] for i in self.gate_order], axis=1)

    def activations(self, args: Mapping[str, Any]) -> tuple[Any, ...]:
        """The op's activations in its order."""
        return args["recurrent_activation"], args["activation"]

    def attributes(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.recurrent_onnx import run_one

        return run_one(
            lowering, node, inputs, self.cell(node, lowering.weights, is_backwards=node.args["go_backwards"])
        )


def check_initial_states(call: Call, states: tuple[str, ...], units: int) -> None:
    """None of the states is given, or all are, each a vector of `units`."""
    given = call.inputs[1:]
    if not given:
        return
    if len(given) != len(states):
        call.fail(
            "NN404",
            f"`{call.kind}` starts from {len(states)} state{'s' if len(states) > 1 else ''} "
            f"({', '.join(states)}) beside its sequence, but `from` gives {len(given)}",
            "from",
        )
    for name, value in zip(states, given, strict=True):
        if ax.sizes(value.axes) != (units,):
            call.fail(
                "NN311",
                f"`{call.kind}` keeps a {name} state of {units} units, but is to start from {ax.describe(value.axes)}",
                "from",
            )


def call_recurrent(layer: Callable[..., Any], tensors: list[Any]) -> Any:
    """Keras passes a mask on by itself only where no initial state is given."""
    if len(tensors) == 1:
        return layer(tensors[0])
    return layer(tensors[0], initial_state=tensors[1:], mask=getattr(tensors[0], "_keras_mask", None))
