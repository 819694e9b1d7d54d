"""The order of samples in an epoch: a function of the seed and the epoch number, independent of the framework.

Keras' own shuffling goes on from one epoch to the next, so a training that goes on after an interruption would see its
samples in another order than one that was never interrupted, and each engine shuffles in its own way. This is a
Fisher-Yates shuffle by the random numbers of `nnspec.backends.random_numbers`, as TensorFlow's `stateless_shuffle` does
it, which gives the same order faster where TensorFlow is at hand.

More than `MANY` samples are not shuffled as a whole: an order of them would need memory that grows with them.
`samples_at` computes where each position leads, by a Feistel network over the pairs of a square (Black and Rogaway,
"Ciphers with arbitrary finite domains", 2002), so that the cost of a batch depends on its size alone.
"""

from __future__ import annotations

import math

import numpy as np

from nnspec.backends.random_numbers import HALF, random_words

MANY = 1 << 21
FEISTEL_ROUNDS = 6


def sample_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The indices 0 to `count - 1`, shuffled.

    >>> sample_order(5, seed=7, epoch=0).tolist() == sample_order(5, seed=7, epoch=0).tolist()
    True
    """
    if count > MANY:
        return samples_at(count, seed, epoch, np.arange(count))
    order = list(range(count))
    if count < 2:
        return np.asarray(order, np.int64)
    left = np.arange(count, 1, -1).astype(np.uint64)
    for i, distance in enumerate((random_words(seed, epoch, count - 1) % left).tolist()):
        other = i + distance
        order[i], order[other] = order[other], order[i]
    return np.asarray(order, np.int64)


def samples_at(count: int, seed: int, epoch: int, positions: np.ndarray) -> np.ndarray:
    """The samples at these positions of an epoch's order, of more than `MANY`: `sample_order(…)[positions]`.

    Memory and time are those of `positions`, however many samples there are.
    """
    side = np.uint64(math.isqrt(count - 1) + 1)
    words = random_words(seed, epoch, 2 * FEISTEL_ROUNDS).reshape(FEISTEL_ROUNDS, 2)
    keys = words[:, 0] << HALF | words[:, 1]
    found = np.array(positions, np.uint64)
    rest = np.arange(len(found))
    while len(rest):  # what leads out of the range goes on until it is back: no two meet, since each step is one to one
        found[rest] = _permute(found[rest], side, keys)
        rest = rest[found[rest] >= count]
    return found.astype(np.int64)


def _permute(places: np.ndarray, side: np.uint64, keys: np.ndarray) -> np.ndarray:
    """A permutation of the numbers below `side` squared."""
    left, right = places // side, places % side
    for key in keys:
        mixed = (right ^ key) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
        left, right = right, (left + (mixed >> HALF)) % side
    return np.asarray(left * side + right)
