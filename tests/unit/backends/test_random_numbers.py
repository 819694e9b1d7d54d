"""Random numbers of NumPy alone against TensorFlow's kernels, which are a second program for the same numbers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nnspec.backends import random_numbers

SEEDS = [(7, 0), (123456789, 0), (999999999, 3), (2**31 - 3, 0)]
SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (4,), (5, 7), (2, 3, 5, 7), (101, 97)]
ROUNDINGS = 4 * np.finfo(np.float32).eps  # of a logarithm, a root and a cosine up to 6


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one array is made of several."""
    monkeypatch.setattr(random_numbers, "PART", 64)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_are_those_of_tensorflow(seed: tuple[int, int], shape: tuple[int, ...]) -> None:
    key = np.asarray(seed, np.int32)
    uniform = tf.random.stateless_uniform(shape, key, np.float32(-0.3), np.float32(0.7)).numpy()
    np.testing.assert_array_equal(random_numbers.uniform(shape, -0.3, 0.7, seed), uniform)
    normal = tf.random.stateless_normal(shape, key, 0.5, 2.0).numpy()
    np.testing.assert_allclose(random_numbers.normal(shape, 0.5, 2.0, seed), normal, atol=12 * ROUNDINGS)
    truncated = tf.random.stateless_truncated_normal(shape, key, 0.5, 2.0).numpy()
    np.testing.assert_allclose(random_numbers.truncated_normal(shape, 0.5, 2.0, seed), truncated, atol=4 * ROUNDINGS)


def test_what_is_beyond_two_deviations_is_drawn_again() -> None:
    """Also where the first eight numbers of a group hold no four that are kept: 3 groups in 100,000."""
    made = random_numbers.truncated_normal((400_000,), 0.0, 1.0, (5, 0))
    theirs = tf.random.stateless_truncated_normal((400_000,), [5, 0]).numpy()
    np.testing.assert_allclose(made, theirs, atol=4 * ROUNDINGS)
    assert np.abs(made).max() <= 2
