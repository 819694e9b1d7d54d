"""Mixed precision in Keras, and the float32 network that is deployed; who computes in what: `nnspec.ir.precision`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nnspec.backends.types import KerasModel


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Layers that are made and called inside have this dtype policy."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def copy_weights(source: KerasModel, target: KerasModel) -> None:
    """All weights of a model to one of the same graph that computes in another precision."""
    for variable, value in zip(target.weights, source.weights, strict=True):
        variable.assign(np.asarray(value).astype(str(variable.dtype)))
    for layer in target.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
