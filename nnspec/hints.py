"""What people write out of habit from Keras, PyTorch or ONNX, and what a spec says instead."""

from __future__ import annotations

_KEYS = {
    "input_shape": "a spec says shapes under `inputs:`, with a name for every axis; layers infer theirs",
    "batch_input_shape": "a spec says shapes under `inputs:`; a fixed batch is `batch:` of the input",
    "input_dim": "a spec says sizes under `inputs:`; layers infer theirs",
    "batch_shape": "a spec says shapes under `inputs:`; a fixed batch is `batch:` of the input",
    "dtype": "the dtype is said under `inputs:`",
    "inputs": "inside a layer, what it reads is `from:`",
    "out_channels": "Keras' word is `filters`",
    "in_channels": "it is inferred from the input",
    "out_features": "Keras' word is `units`",
    "in_features": "it is inferred from the input",
    "hidden_size": "Keras' word is `units`",
    "stride": "Keras' word is `strides`",
    "dilation": "Keras' word is `dilation_rate`",
    "learning_rate": "it belongs to the optimizer: `optimizer: {Adam: {learning_rate: 0.001}}`",
    "axes": "axes are named under `inputs:`",
}
_BODY_KEYS = {
    ("units", "Conv"): "a convolution's outputs are `filters`",
    ("filters", "Dense"): "a Dense layer's outputs are `units`",
    ("filters", "LSTM"): "a recurrent layer's outputs are `units`",
}
_LAYERS = {
    "input": "inputs are declared under `inputs:`",
    "inputlayer": "inputs are declared under `inputs:`",
    "lambda": "a spec holds no code; axis operations and layers say what is meant",
    "linear": "Keras' word is `Dense`",
    "conv1": "Keras' word is `Conv1D`",
    "batchnorm1d": "Keras' word is `BatchNormalization`",
    "batchnorm2d": "Keras' word is `BatchNormalization`",
    "transpose": "axes are reordered by `permute: [names]` or Keras' `Permute`",
    "swapaxes": "axes are reordered by `permute: [names]` or Keras' `Permute`",
    "view": "memory is never reinterpreted silently: `split`, `merge` and `permute` say what is meant",
}


def hint_for(key: str, owner: str, *, is_item: bool) -> str | None:
    """What to say about a key that does not exist, if it is a known habit."""
    if is_item:
        return _LAYERS.get(key.lower())
    for (habit, prefix), text in _BODY_KEYS.items():
        if key == habit and owner.startswith(prefix):
            return text
    return _KEYS.get(key)
