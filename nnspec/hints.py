"""What people write out of habit from Keras, PyTorch or ONNX, and what a spec says instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """What to say about a word that does not exist, and the word that takes its place, if one does."""

    text: str
    instead: str | None = None


def _word(instead: str) -> Hint:
    return Hint(f"Keras' word is `{instead}`", instead)


_SHAPES = Hint("a spec says shapes under `inputs:`, with a name for every axis; layers infer theirs")
_BATCH = Hint("a spec says shapes under `inputs:`; a fixed batch is `batch:` of the input")
_REORDER = Hint("axes are reordered by `permute: [names]` or Keras' `Permute`")
_INPUTS = Hint("inputs are declared under `inputs:`")
_INFERRED = Hint("it is inferred from the input; leave it out")

_KEYS = {
    "input_shape": _SHAPES,
    "input_dim": _SHAPES,
    "batch_input_shape": _BATCH,
    "batch_shape": _BATCH,
    "shape": Hint("an input says `axes: {time: 10, feature: 5}`, a name and a size for every axis"),
    "dtype": Hint("the dtype is said under `inputs:`"),
    "inputs": Hint("inside a layer, what it reads is `from:`", "from"),
    "input": Hint("inside a layer, what it reads is `from:`", "from"),
    "out_channels": _word("filters"),
    "in_channels": _INFERRED,
    "out_features": _word("units"),
    "in_features": _INFERRED,
    "input_size": _INFERRED,
    "hidden_size": _word("units"),
    "stride": _word("strides"),
    "dilation": _word("dilation_rate"),
    "bias": _word("use_bias"),
    "learning_rate": Hint("it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`"),
    "lr": Hint("it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`"),
    "axes": Hint("axes are named under `inputs:`"),
}
_BODY_KEYS = {
    ("units", "Conv"): Hint("a convolution's outputs are `filters`", "filters"),
    ("filters", "Dense"): Hint("a Dense layer's outputs are `units`", "units"),
    ("filters", "LSTM"): Hint("a recurrent layer's outputs are `units`", "units"),
    ("filters", "GRU"): Hint("a recurrent layer's outputs are `units`", "units"),
}
_LAYERS = {
    "input": _INPUTS,
    "linear": _word("Dense"),
    "conv1": _word("Conv1D"),
    "batchnorm1d": _word("BatchNormalization"),
    "batchnorm2d": _word("BatchNormalization"),
    "layernorm": _word("LayerNormalization"),
    "maxpool1d": _word("MaxPooling1D"),
    "maxpool2d": _word("MaxPooling2D"),
    "transpose": _REORDER,
    "swapaxes": _REORDER,
    "unsqueeze": Hint("an axis of size 1 is added by `insert: {name: 1}`", "insert"),
    "squeeze": Hint("an axis of size 1 is left out by `drop: name`", "drop"),
    "view": Hint("memory is never reinterpreted silently: `split`, `merge` and `permute` say what is meant"),
}


def hint_for(key: str, owner: str, *, is_item: bool) -> Hint | None:
    """What to say about a key that does not exist, if it is a known habit."""
    if is_item:
        return _LAYERS.get(key.lower())
    for (habit, prefix), hint in _BODY_KEYS.items():
        if key == habit and owner.startswith(prefix):
            return hint
    return _KEYS.get(key)
