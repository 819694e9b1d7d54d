"""Recurrent layers: LSTM, GRU and SimpleRNN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.layers import args as a
from nnspec.layers.recurrent_base import Recurrent

CELL_ACTIVATION = "Function applied to what a step proposes; none is linear."
GATE_ACTIVATION = "Function applied to the gates; none is linear."


def _dropouts() -> dict[str, a.Arg]:
    return {
        "dropout": a.number("Share of the inputs that each training step drops.", 0.0, minimum=0, maximum=1),
        "recurrent_dropout": a.number("Share of the state that each training step drops.", 0.0, minimum=0, maximum=1),
        "seed": a.integer("Seed of the dropout.", None, minimum=None),
    }


def _returns() -> dict[str, a.Arg]:
    return {
        "return_sequences": a.boolean("Whether every step gives an output, or only the last.", False),
        "return_state": a.boolean("Whether the state after the last step is given too, as further outputs.", False),
        "go_backwards": a.boolean(
            "Whether it steps from the last step to the first; so are the outputs ordered.", False
        ),
        "stateful": a.boolean(
            "Whether a batch goes on from where the batch before it ended. Batches then have one size (the input's "
            "`batch`), and the deployed graph takes and gives the state.",
            False,
        ),
        "unroll": a.boolean("Whether Keras writes out all steps instead of a loop.", False),
    }


def _cudnn() -> dict[str, a.Arg]:
    return {
        "use_cudnn": a.choice("Whether Keras computes by cuDNN; auto: where it can.", ["auto", True, False], "auto")
    }


def _weights() -> dict[str, a.Arg]:
    return {
        **a.weight_arguments("kernel", "recurrent", "bias"),
        **a.activity_regularizer(),
        **a.weight_constraints("kernel", "recurrent", "bias"),
    }


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): steps along a sequence with a state of `units` numbers.

    Each step reads all features and the state; gates i, f, o = sigmoid(x·W + h·U + b) decide what enters, stays and
    shows: c' = f·c + i·tanh(x·W + h·U + b), h' = o·tanh(c'). The output is h after the last step, or of every step
    with `return_sequences`. Masked steps leave the state as it is and repeat the output before them (zeros before the
    first). With `return_state` the outputs `hidden` and `cell` follow. It starts from zeros, or from two further
    inputs: `from: [sequence, hidden, cell]`. With `stateful` the deployed graph takes the state as inputs and gives
    the next one as outputs.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, 4 · units), recurrent_kernel (units, 4 · units), bias (4 · units); columns i f c o

    Not this: an input of (feature, time), which would step along the features (NN308).
    """

    kind = "LSTM"
    op = "LSTM"
    gates = 4
    gate_order = (0, 3, 1, 2)
    states = ("hidden", "cell")
    arity = (1, 3)
    args = {
        "units": a.integer("Size of the state, and of the axis that it makes."),
        "activation": a.activation("tanh", CELL_ACTIVATION),
        "recurrent_activation": a.activation("sigmoid", GATE_ACTIVATION),
        "use_bias": a.boolean("Whether a bias is added.", True),
        "unit_forget_bias": a.boolean("Whether the bias of the forget gate starts at 1, the others at 0.", True),
        **_weights(),
        **_dropouts(),
        **_returns(),
        **_cudnn(),
    }

    def activations(self, args: Mapping[str, Any]) -> tuple[Any, ...]:
        return args["recurrent_activation"], args["activation"], args["activation"]


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014): steps along a sequence with a state of `units` numbers.

    Each step reads all features and the state; gates z, r = sigmoid(x·W + h·U + b) decide what stays and what is looked
    at: h' = z·h + (1 - z)·tanh(x·W + b + r·(h·U + b')); with `reset_after: false` tanh(x·W + b + (r·h)·U). The output
    is h after the last step, or of every step with `return_sequences`. Masked steps leave the state as it is and repeat
    the output before them (zeros before the first). With `return_state` the output `hidden` follows. It starts from
    zeros, or from a second input. With `stateful` the deployed graph takes the state as an input and gives the next one
    as an output.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, 3 · units), recurrent_kernel (units, 3 · units), bias (2, 3 · units), or (3 · units)
                 with `reset_after: false`; columns z r h
    """

    kind = "GRU"
    op = "GRU"
    gates = 3
    gate_order = (0, 1, 2)
    args = {
        "units": a.integer("Size of the state, and of the axis that it makes."),
        "activation": a.activation("tanh", CELL_ACTIVATION),
        "recurrent_activation": a.activation("sigmoid", GATE_ACTIVATION),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **_weights(),
        **_dropouts(),
        **_returns(),
        "reset_after": a.boolean(
            "Whether the reset gate acts after the recurrent kernel (as in cuDNN) or before it.", True
        ),
        **_cudnn(),
    }

    def bias_shape(self, args: Mapping[str, Any]) -> tuple[int, ...]:
        columns = self.gates * args["units"]
        return (2, columns) if args["reset_after"] else (columns,)

    def attributes(self, args: Mapping[str, Any]) -> dict[str, Any]:
        return {"linear_before_reset": 1} if args["reset_after"] else {}


class SimpleRNN(Recurrent):
    """A fully connected recurrent layer (Elman 1990): each step's output is the next step's state, of `units` numbers.

    h' = tanh(x·W + h·U + b). The output is h after the last step, or of every step with `return_sequences`. Masked
    steps leave the state as it is and repeat the output before them (zeros before the first). With `return_state` the
    output `hidden` follows. It starts from zeros, or from a second input. With `stateful` the deployed graph takes the
    state as an input and gives the next one as an output.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, units), recurrent_kernel (units, units), bias (units)
    """

    kind = "SimpleRNN"
    op = "RNN"
    gates = 1
    gate_order = (0,)
    args = {
        "units": a.integer("Size of the state, and of the axis that it makes."),
        "activation": a.activation("tanh", CELL_ACTIVATION),
        "use_bias": a.boolean("Whether a bias is added.", True),
        **_weights(),
        **_dropouts(),
        **_returns(),
    }

    def activations(self, args: Mapping[str, Any]) -> tuple[Any, ...]:
        return (args["activation"],)


LAYERS = (LSTM(), GRU(), SimpleRNN())
