"""Arguments of recurrent layers and cells, in Keras' order."""

from __future__ import annotations

from nnspec.layers.kit import args as a

UNITS = {"units": a.integer("Size of the state, and of the axis that it makes.")}
ACTIVATION = {"activation": a.activation("tanh", "Function applied to what a step proposes; none is linear.")}
GATE_ACTIVATION = {"recurrent_activation": a.activation("sigmoid", "Function applied to the gates; none is linear.")}
USE_BIAS = {"use_bias": a.boolean("Whether a bias is added.", True)}
FORGET_BIAS = {"unit_forget_bias": a.boolean("Whether the bias of the forget gate starts at 1, the others at 0.", True)}
RESET_AFTER = {
    "reset_after": a.boolean("Whether the reset gate acts after the recurrent kernel (as in cuDNN) or before it.", True)
}
WEIGHTS = {**a.weight_arguments("kernel", "recurrent", "bias"), **a.weight_constraints("kernel", "recurrent", "bias")}
DROPOUT = {
    "dropout": a.number("Share of the inputs that each training step drops.", 0.0, minimum=0, maximum=1),
    "recurrent_dropout": a.number("Share of the state that each training step drops.", 0.0, minimum=0, maximum=1),
    "seed": a.integer("Seed of the dropout.", None, minimum=None),
}

# What a step takes: the arguments of a cell.
LSTM_STEP = {**UNITS, **ACTIVATION, **GATE_ACTIVATION, **USE_BIAS, **FORGET_BIAS, **WEIGHTS, **DROPOUT}
GRU_STEP = {**UNITS, **ACTIVATION, **GATE_ACTIVATION, **USE_BIAS, **WEIGHTS, **DROPOUT, **RESET_AFTER}
SIMPLE_STEP = {**UNITS, **ACTIVATION, **USE_BIAS, **WEIGHTS, **DROPOUT}


def sequence_arguments(*, has_unroll: bool = True) -> dict[str, a.Arg]:
    """The arguments that say what of a sequence is given, and in which order."""
    unroll = {"unroll": a.boolean("Whether Keras writes out all steps instead of a loop.", False)}
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
        **(unroll if has_unroll else {}),
    }
