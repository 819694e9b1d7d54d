"""Recurrent networks as one TensorFlow function, for predictions.

Called as they are, they take each step's operations one by one from Python: an LSTM over 100 steps some 3,000 of them.
The gate and the metrics predict dozens of times, so that tracing the loop over the steps once pays even where they are
few; it takes as long as some hundred steps one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from weakref import WeakKeyDictionary, ref

from nnspec.backends.keras.streaming import flat
from nnspec.backends.types import KerasModel, Tensor, Values

_UNTRACED = 150  # steps that are taken one by one, before the function is traced


@dataclass
class _Predictions:
    """How many steps a model with recurrent layers has taken one by one, and its function once that is traced."""

    steps: int = 0
    function: Callable[[Values], Values] | None = None


_MADE: WeakKeyDictionary[KerasModel, _Predictions | None] = WeakKeyDictionary()


def compiled_recurrence(model: KerasModel, inputs: Values, *, is_once: bool) -> Callable[[Values], Values] | None:
    """A model as a function of inputs of any batch and length; None where it had better be called as it is.

    The function reads the weights as they are when it is called.

    Args:
        inputs: what is to be predicted of.
        is_once: whether that is a single batch.
    """
    if model not in _MADE:
        _MADE[model] = _Predictions() if _is_recurrent(model) else None
    made = _MADE[model]
    if made is None:
        return None
    made.steps += max(prod(array.shape[1:-1] or array.shape[1:]) for array in flat(inputs))
    if made.function is None and not (is_once and made.steps <= _UNTRACED):
        made.function = _trace(model)
    return made.function


def _is_recurrent(model: KerasModel) -> bool:
    import keras

    return any(isinstance(layer, keras.layers.RNN) for layer in model._flatten_layers())


def _trace(model: KerasModel) -> Callable[[Values], Values]:
    import tensorflow as tf

    held: Callable[[], KerasModel] = ref(model)  # as a key, the model must not be held by its value

    def compute(inputs: Tensor) -> Tensor:
        return held()(inputs, training=False)

    # Without states, a model that declares a batch takes any other one, too.
    keeps_batch = any(getattr(layer, "stateful", False) for layer in model._flatten_layers())

    def describe(tensor: Tensor) -> Tensor:
        return tf.TensorSpec(tensor.shape if keeps_batch else (None, *tensor.shape[1:]), tensor.dtype)

    specs = tf.nest.map_structure(describe, model.input)
    return tf.function(compute, input_signature=[specs])  # type: ignore[no-any-return]
