"""Crossentropies behind a softmax or a sigmoid on JAX: of the logits, as on TensorFlow.

Keras on JAX takes the logarithm of probabilities, limited to 1e-07 and less exact near 1: a network that is confident
and wrong, as with the first weights over large inputs, has another loss there, no gradient, and does not learn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from nnspec.backends.types import Tensor

MARK = "_takes_logits"
LOGITS = "_keras_logits"  # where Keras' activations leave them, which tracers of JAX do not have room for
CROSSENTROPIES = ("binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
Function = Callable[..., Tensor]


def take_logits() -> None:
    """Has Keras' softmax and sigmoid keep their logits, and its crossentropies take them."""
    from keras.src.backend.jax import nn

    for name, change in {
        **dict.fromkeys(("softmax", "sigmoid"), _keeping),
        **dict.fromkeys(CROSSENTROPIES, _of),
    }.items():
        plain = getattr(nn, name)
        if not hasattr(plain, MARK):
            setattr(nn, name, change(plain))
            setattr(getattr(nn, name), MARK, True)


def _keeping(plain: Function) -> Function:
    from keras.src.backend.common.tensor_attributes import set_tensor_attr

    @wraps(plain)
    def activation(x: Tensor, axis: int = -1) -> Tensor:
        if axis not in (-1, len(x.shape) - 1):  # crossentropies are along the last one
            return plain(x, axis)
        made = plain(x)
        set_tensor_attr(made, LOGITS, x)
        return made

    return activation


def _of(plain: Function) -> Function:
    from keras.src.backend.common.tensor_attributes import get_tensor_attr

    @wraps(plain)
    def loss(target: Tensor, output: Tensor, from_logits: bool = False, **more: Tensor) -> Tensor:
        logits = None if from_logits else get_tensor_attr(output, LOGITS)
        return plain(target, output, from_logits, **more) if logits is None else plain(target, logits, True, **more)

    return loss
