"""Random numbers that every engine draws alike: those of the counter-based generator Philox4x32-10.

Salmon et al. (2011), keyed and distributed as TensorFlow's `tf.random.stateless_*` do it on a CPU, so that a seed means
the same weights and the same order of samples on every engine, and needs no framework.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ROUNDS = 10
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
FIRST_KEY = (0x3EC8F720, 0x02461E29)  # TensorFlow's, which scrambles seeds with it
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
PART = 1 << 18  # numbers drawn at a time, of a few hundred bytes each meanwhile
TRUNCATED_AT = np.float32(2)
RESERVED = 256  # blocks of the stream for each four numbers of a truncated normal distribution
SMALLEST = np.float32(1e-7)  # what the Box-Muller transform takes in place of 0, which has no logarithm


def random_words(seed: int, number: int, count: int, start: int = 0) -> np.ndarray:
    """Random integers of 32 bits, of the stream that two numbers of 64 bits name; axes `word`.

    Args:
        start: the first block of four words.
    """
    return _blocks(seed, number, start + np.arange(-(-count // 4), dtype=np.uint64)).reshape(-1)[:count]


def uniform(shape: Sequence[int], low: float, high: float, seed: tuple[int, int]) -> np.ndarray:
    """Numbers from `low` to below `high`, float32."""
    made = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, len(made), PART):
        part = made[start : start + PART]
        part[:] = _fractions(random_words(*seed, len(part), start // 4))
    return (made * np.float32(np.float32(high) - np.float32(low)) + np.float32(low)).reshape(tuple(shape))


def normal(shape: Sequence[int], mean: float, deviation: float, seed: tuple[int, int]) -> np.ndarray:
    """Numbers of a normal distribution, float32."""
    made = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, len(made), PART):
        part = made[start : start + PART]
        part[:] = _normal_of_words(random_words(*seed, -(-len(part) // 4) * 4, start // 4))[: len(part)]
    return (made * np.float32(deviation) + np.float32(mean)).reshape(tuple(shape))


def truncated_normal(shape: Sequence[int], mean: float, deviation: float, seed: tuple[int, int]) -> np.ndarray:
    """Numbers of a normal distribution less those beyond two deviations, which are drawn again; float32."""
    made = np.empty(int(np.prod(shape)), np.float32)
    for start in range(0, len(made), PART):
        part = made[start : start + PART]
        groups = start // 4 + np.arange(-(-len(part) // 4), dtype=np.uint64)
        part[:] = _truncated_groups(seed, groups).reshape(-1)[: len(part)]
    return (made * np.float32(deviation) + np.float32(mean)).reshape(tuple(shape))


def _truncated_groups(seed: tuple[int, int], groups: np.ndarray) -> np.ndarray:
    """Four numbers for each group, which has a stretch of the stream to itself; axes `group number`."""
    found = np.empty((len(groups), 4), np.float32)
    waiting, blocks = np.arange(len(groups)), 2  # nearly always enough: 95 % of the numbers are within
    while len(waiting):
        places = groups[waiting, None] * np.uint64(RESERVED) + np.arange(blocks, dtype=np.uint64)
        drawn = _normal_of_words(_blocks(*seed, places.reshape(-1)).reshape(-1)).reshape(len(waiting), -1)
        is_kept = np.abs(drawn) < TRUNCATED_AT
        is_full = is_kept.sum(axis=1) >= 4
        first = np.argsort(~is_kept[is_full], axis=1, kind="stable")[:, :4]
        found[waiting[is_full]] = np.take_along_axis(drawn[is_full], first, axis=1)
        waiting, blocks = waiting[~is_full], 2 * blocks
    return found


def _fractions(words: np.ndarray) -> np.ndarray:
    """Floats from 0 to below 1, of the lowest 23 bits."""
    from_one = (words & np.uint64(0x7FFFFF)).astype(np.uint32) | np.uint32(0x3F800000)
    return np.asarray(from_one.view(np.float32) - np.float32(1), np.float32)


def _normal_of_words(words: np.ndarray) -> np.ndarray:
    """The Box-Muller transform of each two words, float32; functions rounded once, as a good C library does."""
    pairs = _fractions(words).reshape(-1, 2)
    length = np.log(np.maximum(pairs[:, 0], SMALLEST), dtype=np.float64).astype(np.float32)
    length = np.sqrt(np.float32(-2) * length)
    angle = (2 * np.pi * pairs[:, 1].astype(np.float64)).astype(np.float32).astype(np.float64)
    made = np.stack([np.sin(angle).astype(np.float32), np.cos(angle).astype(np.float32)], axis=1) * length[:, None]
    return np.asarray(made.reshape(-1), np.float32)


def _blocks(seed: int, number: int, places: np.ndarray) -> np.ndarray:
    """Four random words at each place of a stream; axes `place word`."""
    counter = [np.uint64(word) for part in (seed, number) for word in (part & 0xFFFFFFFF, part >> 32 & 0xFFFFFFFF)]
    mixed = [int(word) for word in _philox(counter, FIRST_KEY)]
    stream = [places & LOW, places >> HALF, *(np.full_like(places, word) for word in mixed[2:])]
    return np.stack(_philox(stream, (mixed[0], mixed[1])), axis=1)


def _philox(counter: list[np.ndarray] | list[np.uint64], key: tuple[int, int]) -> list[np.ndarray]:
    """Four words of 32 bits for each counter of four, kept in 64."""
    a, b, c, d = (np.asarray(word) for word in counter)
    left, right = key
    for _ in range(ROUNDS):
        first, second = a * MULTIPLIERS[0], c * MULTIPLIERS[1]
        a, b = (second >> HALF) ^ b ^ np.uint64(left), second & LOW
        c, d = (first >> HALF) ^ d ^ np.uint64(right), first & LOW
        left, right = (left + KEY_STEPS[0]) & 0xFFFFFFFF, (right + KEY_STEPS[1]) & 0xFFFFFFFF
    return [a, b, c, d]
