"""The checker's verdict on reshapes against an index tensor in NumPy: thousands of random ones, and all small ones."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nnspec.ir import axes as ax
from nnspec.ir.axes import Atom, Axes, Size, Symbolic
from nnspec.ir.reshape import Kind, Rebracketing, find_reordering, rebracket
from tests.support.oracles.reshape import Verdict, transposed_verdicts, verdicts

# The same examples in every run: a test that is green stays green.
FIXED = {"derandomize": True, "database": None, "deadline": None, "suppress_health_check": list(HealthCheck)}


def axes_of(sizes: Sequence[Size]) -> Axes:
    return tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(sizes))


def said(result: Rebracketing) -> list[Verdict]:
    """The checker's verdict in the oracle's words."""
    return [
        Verdict(p.kind.value, p.sources if p.kind in (Kind.IDENTITY, Kind.MERGE, Kind.PART) else ())
        for p in result.outputs
    ]


def check_digits(result: Rebracketing, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """The position along an output axis is exactly the number that its atoms spell, slow to fast."""
    index = np.arange(math.prod(before)).reshape(after)
    for place, provenance in enumerate(result.outputs):
        if provenance.atoms is None:
            continue
        spelt = np.zeros_like(index)
        for atom in provenance.atoms:
            assert isinstance(atom.size, int)
            spelt = spelt * atom.size + digit(index, before, atom)
        assert np.array_equal(spelt, np.indices(after)[place]), (before, after, place, str(provenance))


def digit(index: np.ndarray, sizes: tuple[int, ...], atom: Atom) -> np.ndarray:
    """The atom's value at every element: a digit of the coordinate along its input axis."""
    place = int(atom.key.rpartition(".")[2][1:])
    return np.asarray(np.unravel_index(index, sizes)[place] // atom.step % atom.size)


def check_against_numpy(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    result = rebracket(axes_of(before), after)
    expected = verdicts(before, after)
    assert said(result) == expected, (before, after)
    assert result.is_scrambled == any(verdict.kind == "mixed" for verdict in expected)


# ----------------------------------------------------------------------------------------- all of a few elements


def factorizations(number: int) -> list[tuple[int, ...]]:
    """All ordered ways to write a number as a product of numbers above 1."""
    if number == 1:
        return [()]
    return [(d, *rest) for d in range(2, number + 1) if number % d == 0 for rest in factorizations(number // d)]


@pytest.mark.parametrize("total", [12, 16, 24, 30, 36, 48, 60])
def test_every_reshape_of_a_few_elements(total: int) -> None:
    for before, after in itertools.product(factorizations(total), repeat=2):
        check_against_numpy(before, after)
        check_digits(rebracket(axes_of(before), after), before, after)


# ----------------------------------------------------------------------------------------- random ones


T = Symbolic.symbol("T")
LENGTH = 11  # a large prime behaves as an unknown length does: it divides nothing and nothing divides it


def grouped(sizes: Sequence[Size], cuts: int, units: int) -> tuple[Size, ...]:
    """Neighbours multiplied together where a bit of `cuts` says so, axes of 1 strewn in where one of `units` does."""
    result: list[Size] = []
    for i, size in enumerate(sizes):
        if result and not cuts >> i & 1:
            result[-1] = ax.multiply((result[-1], size))
        else:
            result += [1, size] if units >> i & 1 else [size]
    return tuple(result)


def at(sizes: Sequence[Size], length: int) -> tuple[int, ...]:
    """The sizes with the symbol at a number."""
    numbers = []
    for size in sizes:
        number = size if isinstance(size, int) else size.coefficient * length ** size.powers[0][1]
        assert number == int(number)
        numbers.append(int(number))
    return tuple(numbers)


Reshape = tuple[tuple[Size, ...], tuple[Size, ...], int]


def reshape_of(seed: int, most: int = 5) -> Reshape:
    """Input and output sizes that hold as many elements, half of the time with a symbol T, and a number for T.

    The same factors are grouped in two ways. A quarter of the time T is cut in two, which needs T % 2 == 0.
    """
    draw = Random(seed)
    factors: list[Size] = [draw.choice([2, 2, 2, 3, 3, 5, 7]) for _ in range(draw.randint(1, most))]
    before, after, units = list(factors), list(factors), draw.choice([0, 0, draw.randrange(32)])
    symbol = draw.randrange(4)
    if symbol >= 2:
        before, units = [*factors[:3], T], 0
        half = ax.multiply((T, Symbolic(Fraction(1, 2), ())))
        after = [*factors[:3], T] if symbol == 2 else [*factors[:3], 2, half]
    draw.shuffle(before)
    draw.shuffle(after)
    wanted = grouped(after, draw.randrange(32), draw.choice([0, draw.randrange(32)]))
    is_cut = any(not isinstance(size, int) and size.coefficient.denominator > 1 for size in wanted)
    return grouped(before, draw.randrange(32), units), wanted, 2 * LENGTH if is_cut else LENGTH


SEEDS = st.integers(0, 2**48)


def test_twenty_thousand_random_reshapes() -> None:
    """Those that are drawn twice are looked at once."""
    drawn = {reshape_of(seed) for seed in range(20_000)}
    assert len(drawn) > 10_000
    for before, after, length in drawn:
        assert said(rebracket(axes_of(before), after)) == verdicts(at(before, length), at(after, length)), (
            before,
            after,
        )


@settings(max_examples=1500, **FIXED)
@given(SEEDS)
def test_atoms_spell_positions(seed: int) -> None:
    before, after, length = reshape_of(seed)
    check_digits(rebracket(axes_of(at(before, length)), at(after, length)), at(before, length), at(after, length))


# ----------------------------------------------------------------------------------------- the permute that was meant


def orders(sizes: Sequence[int]) -> list[tuple[int, ...]]:
    """All orders of the axes that are not 1, which stay where they are."""
    moving = [i for i, size in enumerate(sizes) if size != 1]
    result = []
    for permuted in itertools.permutations(moving):
        order = list(range(len(sizes)))
        for slot, axis in zip(moving, permuted, strict=True):
            order[slot] = axis
        result.append(tuple(order))
    return result


def rank(order: Sequence[int], found: Sequence[Verdict]) -> tuple[int, int]:
    """Parts first, then inversions."""
    parts = sum(verdict.kind == "part" for verdict in found)
    return parts, sum(a > b for i, a in enumerate(order) for b in order[i + 1 :])


@settings(max_examples=2500, **FIXED)
@given(SEEDS)
def test_the_best_permute_is_found(seed: int) -> None:
    """Of every scramble: all orders are tried in NumPy, and the checker proposes the best of those that keep apart."""
    before, after, length = reshape_of(seed, 4)
    static, target = at(before, length), at(after, length)
    if sum(size != 1 for size in static) > 4 or not any(v.kind == "mixed" for v in verdicts(static, target)):
        return
    ranks = {}
    for order in orders(static):
        found = transposed_verdicts(static, order, target)
        if all(verdict.kind != "mixed" for verdict in found):
            ranks[order] = rank(order, found)
    proposed = find_reordering(axes_of(before), after)
    if not ranks:
        assert proposed is None
        return
    assert proposed is not None
    best = min(ranks.values())
    assert ranks[proposed.order] == best
    assert proposed.is_unique == (list(ranks.values()).count(best) == 1)


PUBLIC_BUGS = [
    ((96, 8, 64), (8, 96, 64), (1, 0, 2), ["identity", "identity", "identity"]),  # Informer2020, issue 59
    ((2048, 7, 7), (49, 2048), (1, 2, 0), ["merge", "identity"]),  # knowing-when-to-look, issue 6
    ((1024, 7, 7), (49, 1024), (1, 2, 0), ["merge", "identity"]),  # keras, issue 2167
]


@pytest.mark.parametrize(("before", "after", "order", "kinds"), PUBLIC_BUGS)
def test_public_bugs(before: tuple[int, ...], after: tuple[int, ...], order: tuple[int, ...], kinds: list[str]) -> None:
    """Each ran without an error: NumPy says what was mixed, and that the proposed permute keeps it apart."""
    check_against_numpy(before, after)
    assert "mixed" in [verdict.kind for verdict in verdicts(before, after)]
    proposed = find_reordering(axes_of(before), after)
    assert proposed is not None
    assert proposed.order == order
    assert [verdict.kind for verdict in transposed_verdicts(before, proposed.order, after)] == kinds
