"""The gates of each recurrent layer: weights, their count, and their order in the ONNX ops.

LSTM and LSTMCell, GRU and GRUCell, SimpleRNN and SimpleRNNCell share these rules.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from nnspec.catalogue import keras_objects
from nnspec.ir.graph import Args, Weight
from nnspec.layers.kit.habits import Hint, keras_word
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.layers.recurrent.cell_types import Activation, Cell, SteppedCell

# Keras' activations that recurrent ops know: the op's name for each, with alpha and beta. Softplus is none of them:
# within its recurrent ops ONNX Runtime computes it as log(1 + exp(x)), which is infinite from 89 on.
OP_ACTIVATIONS: dict[str, Activation] = {
    "linear": ("Affine", 1.0, 0.0),
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "hard_sigmoid": ("HardSigmoid", 1 / 6, 0.5),
    "sparse_sigmoid": ("HardSigmoid", 0.5, 0.5),
    "leaky_relu": ("LeakyRelu", 0.2, None),
    "elu": ("Elu", 1.0, None),
    "celu": ("Elu", 1.0, None),  # the same for its alpha of 1
    "softsign": ("Softsign", None, None),
}

SATURATING = frozenset({"sigmoid", "hard_sigmoid", "sparse_sigmoid"})  # which come to exactly 0 and 1

FEW_NODES = 1024  # steps to write out where each takes three nodes


def activation_name(value: str | None) -> str:
    """Keras' own name of an activation, whatever alias the spec uses."""
    return "linear" if value is None else keras_objects.canonical("activations", value)[0]


def _habits(states: Sequence[str]) -> Mapping[str, Hint]:
    """What people write for the arguments of a recurrent layer that hands these states on."""
    initial = (
        "list the states after the sequence: `from: [x, hidden, cell]`, or those of a layer with "
        "`return_state: true`, `from: [x, encoder.hidden, encoder.cell]`"
        if len(states) > 1
        else "list the state after the sequence: `from: [x, state]`"
    )
    return {
        "filters": Hint("a recurrent layer has `units`", "units"),
        "num_layers": Hint(
            "to stack recurrent layers, write one after another, all but the last with `return_sequences: true`"
        ),
        "bidirectional": Hint("for both directions, use `Bidirectional: {layer: {LSTM: {units: 8}}}`"),
        "batch_first": Hint("the batch axis is always first, and implicit"),
        "initial_state": Hint(initial),
        "nonlinearity": keras_word("activation"),
    }


class Gates:
    """The rules of a step.

    Attributes:
        gates: how many blocks of `units` columns the kernels have.
        states: what a step hands to the next; the first is also its output.
        op: the ONNX op.
        gate_order: for each block of the op, Keras' block.
        held: for each block of the op, what its gate does at masked steps: 1 opens it, -1 closes it.
        slow: activations with which nodes for every step are faster than the op.
    """

    gates: ClassVar[int]
    states: ClassVar[tuple[str, ...]] = ("hidden",)
    op: ClassVar[str]
    gate_order: ClassVar[tuple[int, ...]]
    held: ClassVar[tuple[int, ...] | None] = None
    slow: ClassVar[frozenset[str]] = frozenset()

    def weights_rule(self, args: Args, features: int) -> tuple[Weight, ...]:
        units = args["units"]
        columns = self.gates * units
        weights = [Weight("kernel", (features, columns)), Weight("recurrent_kernel", (units, columns))]
        if args["use_bias"]:
            weights.append(Weight("bias", self.bias_shape(args)))
        return tuple(weights)

    def bias_shape(self, args: Args) -> tuple[int, ...]:
        return (self.gates * args["units"],)

    def formula(self, args: Args, features: int) -> str:
        """`4·(4·(1 + 4) + 4)`: gates, each with units·(features + units) and its biases."""
        units = args["units"]
        each = f"{units}·({features} + {units})"
        if args["use_bias"]:  # a bias of two rows is one for the input and one for the state
            each += f" + 2·{units}" if len(self.bias_shape(args)) == 2 else f" + {units}"
        return each if self.gates == 1 else f"{self.gates}·({each})"

    # -------------------------------------------------------------------------------------------- ONNX

    def activations(self, args: Args) -> tuple[str, ...]:
        """Keras' activations in the op's order."""
        return activation_name(args["recurrent_activation"]), activation_name(args["activation"])

    def foreign_activation(self, args: Args) -> str | None:
        """An activation that the op does not know, if there is one."""
        return next((name for name in self.activations(args) if name not in OP_ACTIVATIONS), None)

    def foreign_reason(self, args: Args) -> str | None:
        """Why the op cannot run its steps; None where it can."""
        name = self.foreign_activation(args)
        return f"ONNX' {self.op} has no activation `{name}`" if name is not None else None

    def attributes(self, args: Args) -> dict[str, object]:
        return {}

    def cell(self, args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Cell | SteppedCell:
        """One direction: by the ONNX op, or step by step where the op does not know an activation."""
        if self.foreign_activation(args) is not None:
            return self.stepped_cell(args, weights, is_backwards=is_backwards)
        from nnspec.layers.recurrent.cell_types import Cell

        kernel, recurrent = self.in_op_order(weights["kernel"]), self.in_op_order(weights["recurrent_kernel"])
        bias = weights.get("bias")
        written = None
        if not self.slow.isdisjoint(self.activations(args)):
            written = replace(self.stepped_cell(args, weights, is_backwards=is_backwards), most=FEW_NODES)
        if bias is not None:
            both = np.stack([bias, np.zeros_like(bias)]) if bias.ndim == 1 else bias
            bias = np.concatenate([self.in_op_order(row[None]).ravel() for row in both])
        return Cell(
            op=self.op,
            units=args["units"],
            kernel=kernel,
            recurrent=recurrent.T,
            bias=bias,
            activations=tuple(OP_ACTIVATIONS[name] for name in self.activations(args)),
            attributes=self.attributes(args),
            is_backwards=is_backwards,
            written=written,
            hold=self.held if self.activations(args)[0] in SATURATING else None,
        )

    def in_op_order(self, matrix: np.ndarray) -> np.ndarray:
        blocks = np.split(matrix, self.gates, axis=1)
        return np.concatenate([blocks[i] for i in self.gate_order], axis=1)

    @abstractmethod
    def stepped_cell(self, args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
        """One direction as nodes for every step."""


class LSTMGates(Gates):
    op = "LSTM"
    gates = 4
    gate_order = (0, 3, 1, 2)
    held = (-1, -1, 1, 0)  # i o f c: the cell's state stays, and nothing is shown
    states = ("hidden", "cell")
    habits = _habits(states)

    def activations(self, args: Args) -> tuple[str, ...]:
        gate, made = super().activations(args)
        return gate, made, made

    def stepped_cell(self, args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
        from nnspec.layers.recurrent.onnx_steps import lstm_cell

        return lstm_cell(args, weights, is_backwards=is_backwards)


class GRUGates(Gates):
    op = "GRU"
    habits = _habits(Gates.states)
    gates = 3
    gate_order = (0, 1, 2)
    held = (1, 0, 0)  # z r h: the state stays

    def bias_shape(self, args: Args) -> tuple[int, ...]:
        columns = self.gates * args["units"]
        return (2, columns) if args["reset_after"] else (columns,)

    def attributes(self, args: Args) -> dict[str, object]:
        return {"linear_before_reset": 1} if args["reset_after"] else {}

    def stepped_cell(self, args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
        from nnspec.layers.recurrent.onnx_steps import gru_cell

        return gru_cell(args, weights, is_backwards=is_backwards)


class SimpleGates(Gates):
    op = "RNN"
    habits = _habits(Gates.states)
    gates = 1
    gate_order = (0,)
    # ONNX Runtime's RNN computes these one value at a time, its Tanh and so on in vectors: a sixth of the time in a
    # batch of 64, the same for one sequence. In LSTM and GRU both are fast.
    slow = frozenset({"tanh", "sigmoid", "elu", "celu", "leaky_relu"})

    def activations(self, args: Args) -> tuple[str, ...]:
        return (activation_name(args["activation"]),)

    def stepped_cell(self, args: Args, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> SteppedCell:
        from nnspec.layers.recurrent.onnx_steps import simple_cell

        return simple_cell(args, weights, is_backwards=is_backwards)
