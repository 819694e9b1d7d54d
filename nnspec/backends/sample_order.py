"""The order of samples in an epoch: a function of the seed and the epoch number, independent of the framework.

Keras' own shuffling goes on from one epoch to the next, so a training that goes on after an interruption would see its
samples in another order than one that was never interrupted, and each engine shuffles in its own way. This is a
Fisher-Yates shuffle by the random numbers of `nnspec.backends.random_numbers`, as TensorFlow's `stateless_shuffle` does
it, which gives the same order faster where TensorFlow is at hand.
"""

from __future__ import annotations

import numpy as np

from nnspec.backends.random_numbers import random_words


def sample_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The indices 0 to `count - 1`, shuffled.

    >>> sample_order(5, seed=7, epoch=0).tolist() == sample_order(5, seed=7, epoch=0).tolist()
    True
    """
    order = list(range(count))
    if count < 2:
        return np.asarray(order, np.int64)
    left = np.arange(count, 1, -1).astype(np.uint64)
    for i, distance in enumerate((random_words(seed, epoch, count - 1) % left).tolist()):
        other = i + distance
        order[i], order[other] = order[other], order[i]
    return np.asarray(order, np.int64)
