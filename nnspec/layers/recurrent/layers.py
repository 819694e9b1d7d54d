"""Recurrent layers: LSTM, GRU and SimpleRNN."""

from __future__ import annotations

from nnspec.layers.kit import args as a
from nnspec.layers.recurrent.arguments import GRU_STEP, LSTM_STEP, SIMPLE_STEP, sequence_arguments
from nnspec.layers.recurrent.base import GatedRecurrent
from nnspec.layers.recurrent.gates import GRUGates, LSTMGates, SimpleGates

CUDNN = {"use_cudnn": a.choice("Whether Keras uses cuDNN; auto: where possible.", ["auto", True, False], "auto")}


class LSTM(LSTMGates, GatedRecurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997): steps along a sequence with a state of `units` numbers.

    Each step reads all features and the state; gates i, f, o = sigmoid(x·W + h·U + b) select what is added, kept
    and output: c' = f·c + i·tanh(x·W + h·U + b), h' = o·tanh(c'). The output is h after the last step, or of every step
    with `return_sequences`. Masked steps keep the state and repeat the previous output (zeros before the
    first). With `return_state` the outputs `hidden` and `cell` follow. It starts from zeros, or from two further
    inputs: `from: [sequence, hidden, cell]`. With `stateful` the deployed graph takes the state as inputs and gives
    the next one as outputs.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, 4 · units), recurrent_kernel (units, 4 · units), bias (4 · units); columns i f c o

    Not this: an input of (feature, time), which would step along the features (NN308).
    """

    kind = "LSTM"
    args = {**LSTM_STEP, **a.activity_regularizer(), **sequence_arguments(), **CUDNN}


class GRU(GRUGates, GatedRecurrent):
    """Gated recurrent unit (Cho et al. 2014): steps along a sequence with a state of `units` numbers.

    Each step reads all features and the state; gates z, r = sigmoid(x·W + h·U + b) select what is kept and what is
    read: h' = z·h + (1 - z)·tanh(x·W + b + r·(h·U + b')); with `reset_after: false` tanh(x·W + b + (r·h)·U). The output
    is h after the last step, or of every step with `return_sequences`. Masked steps keep the state and repeat
    the previous output (zeros before the first). With `return_state` the output `hidden` follows. It starts from
    zeros, or from a second input. With `stateful` the deployed graph takes the state as an input and gives the next one
    as an output.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, 3 · units), recurrent_kernel (units, 3 · units), bias (2, 3 · units), or (3 · units)
                 with `reset_after: false`; columns z r h
    """

    kind = "GRU"
    args = {**GRU_STEP, **a.activity_regularizer(), **sequence_arguments(), **CUDNN}


class SimpleRNN(SimpleGates, GatedRecurrent):
    """A simple recurrent network (Elman 1990): each step's output is the next step's state, of `units` numbers.

    h' = tanh(x·W + h·U + b). The output is h after the last step, or of every step with `return_sequences`. Masked
    steps keep the state and repeat the previous output (zeros before the first). With `return_state` the
    output `hidden` follows. It starts from zeros, or from a second input. With `stateful` the deployed graph takes the
    state as an input and gives the next one as an output.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     kernel (feature, units), recurrent_kernel (units, units), bias (units)
    """

    kind = "SimpleRNN"
    args = {**SIMPLE_STEP, **a.activity_regularizer(), **sequence_arguments()}


LAYERS = (LSTM(), GRU(), SimpleRNN())
