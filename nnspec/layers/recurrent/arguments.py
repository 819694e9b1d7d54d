"""Arguments of recurrent layers and cells, in Keras' order."""

from __future__ import annotations

from nnspec.layers.kit import args as a

UNITS = {"units": a.integer("Size of the state and of the output's feature axis.")}
ACTIVATION = {"activation": a.activation("tanh", "Activation function of the candidate state; null: linear.")}
GATE_ACTIVATION = {"recurrent_activation": a.activation("sigmoid", "Activation function of the gates; null: linear.")}
USE_BIAS = {"use_bias": a.boolean("Whether to add a bias.", True)}
FORGET_BIAS = {"unit_forget_bias": a.boolean("Whether to initialize the forget gate's bias to 1.", True)}
RESET_AFTER = {
    "reset_after": a.boolean(
        "Whether to apply the reset gate after the recurrent kernel (as in cuDNN) or before it.", True
    )
}
WEIGHTS = {**a.weight_arguments("kernel", "recurrent", "bias"), **a.weight_constraints("kernel", "recurrent", "bias")}
DROPOUT = {
    "dropout": a.number("Fraction of the inputs that training drops.", 0.0, minimum=0, below=1),
    "recurrent_dropout": a.number("Fraction of the state that training drops.", 0.0, minimum=0, below=1),
    "seed": a.integer("Seed of the dropout.", None, minimum=None),
}

# What a step takes: the arguments of a cell.
LSTM_STEP = {**UNITS, **ACTIVATION, **GATE_ACTIVATION, **USE_BIAS, **FORGET_BIAS, **WEIGHTS, **DROPOUT}
GRU_STEP = {**UNITS, **ACTIVATION, **GATE_ACTIVATION, **USE_BIAS, **WEIGHTS, **DROPOUT, **RESET_AFTER}
SIMPLE_STEP = {**UNITS, **ACTIVATION, **USE_BIAS, **WEIGHTS, **DROPOUT}


def sequence_arguments(*, has_unroll: bool = True) -> dict[str, a.Arg]:
    """The arguments that say what of a sequence is given, and in which order."""
    unroll = {"unroll": a.boolean("Whether Keras unrolls the loop over steps.", False)}
    return {
        "return_sequences": a.boolean("Whether to output every step, or only the last.", False),
        "return_state": a.boolean("Whether to also output the final state.", False),
        "go_backwards": a.boolean(
            "Whether to run from the last step to the first; outputs are in that order too.", False
        ),
        "stateful": a.boolean(
            "Whether a batch continues from the final state of the previous batch. Requires a fixed batch size "
            "(`batch` of the input); the state becomes an input and output of the deployed graph.",
            False,
        ),
        **(unroll if has_unroll else {}),
        "zero_output_for_mask": a.boolean("Whether masked steps output zeros instead of the previous output.", False),
    }
