"""Initial weights that do not depend on the engine: the same seed draws the same numbers on each.

Keras' initializers ask the engine for random numbers, and each has a generator of its own. While a model is built on
another engine than TensorFlow, they get TensorFlow's, computed by NumPy: uniform ones bit for bit, normal ones within a
rounding of their logarithms and cosines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import keras
import numpy as np

from nnspec.backends import random_numbers
from nnspec.backends.types import KerasCallable, Tensor

Draw = Callable[..., np.ndarray]
LARGEST = 2**31 - 2  # Keras takes seeds modulo this number for TensorFlow


@contextmanager
def drawn_alike() -> Iterator[None]:
    """Inside, initializers get the numbers that TensorFlow gives for the same seed."""
    if keras.backend.backend() == "tensorflow":
        yield
        return
    from keras.src import backend

    own = {name: getattr(backend.random, name) for name in DRAWS}
    for name, draw in DRAWS.items():
        setattr(backend.random, name, _drawing(draw, own[name]))
    try:
        yield
    finally:
        for name, function in own.items():
            setattr(backend.random, name, function)


def _drawing(draw: Draw, own: KerasCallable) -> KerasCallable:
    """A function of `keras.random` that draws by NumPy where a number is the seed, as initializers have one.

    What has a generator for its seed, such as an augmentation, is told its shapes meanwhile, and computes nothing yet.
    """

    def drawn(*args: object, seed: object = None, **named: object) -> Tensor:
        if not isinstance(seed, int):
            return own(*args, seed=seed, **named)
        dtype = cast("str | None", named.pop("dtype", None)) or keras.config.floatx()
        return keras.ops.convert_to_tensor(draw(*args, seed=seed % LARGEST, **named), dtype=dtype)

    return drawn


def _uniform(shape: Sequence[int], minval: float = 0.0, maxval: float = 1.0, *, seed: int) -> np.ndarray:
    return random_numbers.uniform(shape, minval, maxval, (seed, 0))


def _normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, *, seed: int) -> np.ndarray:
    return random_numbers.normal(shape, mean, stddev, (seed, 0))


def _truncated_normal(shape: Sequence[int], mean: float = 0.0, stddev: float = 1.0, *, seed: int) -> np.ndarray:
    return random_numbers.truncated_normal(shape, mean, stddev, (seed, 0))


DRAWS: dict[str, Draw] = {"uniform": _uniform, "normal": _normal, "truncated_normal": _truncated_normal}
