"""Pictures resized on JAX as TensorFlow and the deployed graph do it, where Keras on JAX does otherwise.

TensorFlow looks cubic weights up in a table of 1,024 places between two pixels, where JAX computes them: up to 1e-04
apart. Which of two pixels is the nearest to a place between them, each decides by other roundings.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FunctionType, SimpleNamespace

from nnspec.backends.resampling import matrix, nearest_indices
from nnspec.backends.types import Tensor


def resize(image: Tensor, shape: Sequence[int], method: str, antialias: bool = True) -> Tensor:
    """`jax.image.resize`."""
    import jax
    from jax import numpy as jnp

    is_cubic = method == "bicubic" and not antialias
    if not is_cubic and method != "nearest":
        return jax.image.resize(image, shape, method=method, antialias=antialias)
    made = image if jnp.issubdtype(image.dtype, jnp.inexact) or method == "nearest" else image.astype(jnp.float32)
    for axis, (old, new) in enumerate(zip(image.shape, shape, strict=True)):
        if old == new:
            continue
        if method == "nearest":
            made = jnp.take(made, nearest_indices(old, new), axis=axis)
        else:
            weights = jnp.asarray(matrix(method, old, new, antialias=False), made.dtype)
            product = jnp.tensordot(made, weights, (axis, 1), precision=jax.lax.Precision.HIGHEST)
            made = jnp.moveaxis(product, -1, axis)
    return made


def resize_as_tensorflow() -> None:
    """Has Keras take this in place of JAX' own function, wherever it resizes pictures."""
    from keras.src.backend.jax import image

    plain = image.resize
    known = {**plain.__globals__, "jax": SimpleNamespace(image=SimpleNamespace(resize=resize))}
    image.resize = FunctionType(plain.__code__, known, plain.__name__, plain.__defaults__, plain.__closure__)
