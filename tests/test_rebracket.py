"""What a reshape does to named axes, against oracles that do not know the algorithm.

An index tensor (`arange` of the input's shape) goes through the reshape in NumPy; of every output axis it is asked
which digits of the input's coordinates it is a function of. Atoms are read as digits, `(index // step) % size`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec import axes as ax
from nnspec.axes import Atom, Axes, Axis, Size, Symbolic
from nnspec.pipeline import check, diagnose
from nnspec.rebracket import (
    Kind,
    Provenance,
    SizeMismatch,
    find_reordering,
    misnamed,
    rebracket,
    solve_unknown,
)

T = Symbolic.symbol("T")


def axes_of(*pairs: tuple[str, Size]) -> Axes:
    return tuple(ax.fresh(name, size, "x") for name, size in pairs)


def kinds(axes: Axes, sizes: Sequence[Size]) -> list[tuple[Kind, str]]:
    return [(p.kind, str(p)) for p in rebracket(axes, sizes).outputs]


def merged(*axes: Axis, name: str = "merged") -> Axis:
    atoms = ax.fuse(atom for axis in axes for atom in axis.atoms)
    return Axis(name, ax.multiply(axis.size for axis in axes), atoms)


# ----------------------------------------------------------------------------------------- the table of cases


def test_causal_cnn() -> None:
    assert kinds(axes_of(("time", 10), ("feature", 5)), (5, 10, 1)) == [
        (Kind.PART, "time // 2"),
        (Kind.MIXED, "(time % 2, feature)"),
        (Kind.NEW, "a new axis of size 1"),
    ]
    reorder = find_reordering(axes_of(("time", 10), ("feature", 5)), (5, 10, 1))
    assert reorder is not None
    assert reorder.is_unique
    assert reorder.order == (1, 0)
    assert [str(p) for p in reorder.result.outputs[:2]] == ["feature", "time"]


def test_features_back_to_channels() -> None:
    axes = axes_of(("feature", 5), ("time", 10), ("channel", 32))
    assert kinds(axes, (10, 160)) == [
        (Kind.MIXED, "(feature, time // 5)"),
        (Kind.MIXED, "(time % 5, channel)"),
    ]
    reorder = find_reordering(axes, (10, 160))
    assert reorder is not None
    assert reorder.order == (1, 0, 2)
    assert [(p.kind, str(p)) for p in reorder.result.outputs] == [
        (Kind.IDENTITY, "time"),
        (Kind.MERGE, "(feature, channel)"),
    ]


def test_a_scramble_is_seen_through_a_flatten() -> None:
    flat = (merged(*axes_of(("time", 10), ("feature", 5))),)
    assert rebracket(flat, (5, 10)).is_scrambled
    back = rebracket(flat, (10, 5))
    assert not back.is_scrambled
    assert [str(p) for p in back.outputs] == ["time", "feature"]


def test_equal_sizes() -> None:
    axes = axes_of(("a", 10), ("b", 10))
    result = rebracket(axes, (10, 10))
    assert [p.kind for p in result.outputs] == [Kind.IDENTITY, Kind.IDENTITY]
    assert [misnamed(p, name) for p, name in zip(result.outputs, ("b", "a"), strict=True)] == ["a", "b"]
    assert [misnamed(p, name) for p, name in zip(result.outputs, ("a", "b"), strict=True)] == [None, None]
    reorder = find_reordering(axes, (10, 10), ("b", "a"))
    assert reorder is not None
    assert reorder.order == (1, 0)


def test_units_carry_nothing() -> None:
    axes = axes_of(("time", 10), ("one", 1), ("feature", 5))
    assert kinds(axes, (10, 5, 1)) == [
        (Kind.IDENTITY, "time"),
        (Kind.IDENTITY, "feature"),
        (Kind.NEW, "a new axis of size 1"),
    ]


def test_unknown_length_scrambles() -> None:
    axes = axes_of(("time", T), ("feature", 5))
    sizes, constraints = solve_unknown(axes, (5, None))
    assert sizes == (5, T)
    assert constraints == ()
    assert rebracket(axes, sizes).is_scrambled
    reorder = find_reordering(axes, sizes)
    assert reorder is not None
    assert reorder.order == (1, 0)


def test_frame_stacking() -> None:
    axes = axes_of(("time", T), ("mel", 40))
    sizes, constraints = solve_unknown(axes, (None, 80))
    assert constraints == ("T % 2 == 0",)
    assert [str(p) for p in rebracket(axes, sizes).outputs] == ["time // 2", "(time % 2, mel)"]
    assert rebracket(axes, sizes).is_scrambled
    assert find_reordering(axes, sizes) is None


def test_merge_behind_an_unknown_length() -> None:
    axes = axes_of(("time", T), ("height", 7), ("channel", 64))
    sizes, _ = solve_unknown(axes, (None, 448))
    assert kinds(axes, sizes) == [(Kind.IDENTITY, "time"), (Kind.MERGE, "(height, channel)")]


@pytest.mark.parametrize(("first", "second"), [(("a", 2), ("b", 3)), (("frequency", 128), ("time", 1000))])
def test_irreducible(first: tuple[str, int], second: tuple[str, int]) -> None:
    axes = axes_of(first, second)
    result = rebracket(axes, (second[1], first[1]))
    assert [p.atoms for p in result.outputs] == [None, None]
    assert result.is_scrambled
    reorder = find_reordering(axes, (second[1], first[1]))
    assert reorder is not None
    assert reorder.order == (1, 0)


def test_unfolding_logits() -> None:
    assert kinds(axes_of(("logit", 112)), (16, 7)) == [(Kind.PART, "logit // 7"), (Kind.PART, "logit % 7")]


@pytest.mark.parametrize(
    ("axes", "sizes", "order"),
    [
        ((("length", 96), ("head", 8), ("depth", 64)), (8, 96, 64), (1, 0, 2)),  # Informer2020, issue 59
        ((("channel", 2048), ("row", 7), ("column", 7)), (49, 2048), (1, 2, 0)),  # knowing-when-to-look, issue 6
        ((("channel", 1024), ("row", 7), ("column", 7)), (49, 1024), (1, 2, 0)),  # keras, issue 2167
    ],
)
def test_public_bugs(axes: tuple[tuple[str, int], ...], sizes: tuple[int, ...], order: tuple[int, ...]) -> None:
    made = axes_of(*axes)
    assert rebracket(made, sizes).is_scrambled
    reorder = find_reordering(made, sizes)
    assert reorder is not None
    assert reorder.order == order


def test_sizes_that_never_agree() -> None:
    axes = axes_of(("time", 10), ("feature", 5))
    with pytest.raises(SizeMismatch, match="50 elements cannot become 55"):
        solve_unknown(axes, (5, 11))
    with pytest.raises(SizeMismatch, match="50 elements do not divide by 7"):
        solve_unknown(axes, (None, 7))
    with pytest.raises(SizeMismatch, match="agrees only where 5·T = 50") as caught:
        solve_unknown(axes_of(("time", T), ("feature", 5)), (10, 5))
    assert not caught.value.is_certain
    with pytest.raises(SizeMismatch):
        solve_unknown(axes_of(("time", 10), ("feature", 5)), (T, None))


# ----------------------------------------------------------------------------------------- the index tensor


def digits(index: np.ndarray, sizes: Sequence[int], atom: Atom) -> np.ndarray:
    """The atom's value at every element: a digit of the coordinate along its input axis."""
    place = int(atom.key.rpartition(".")[2][1:])
    coordinate = np.unravel_index(index, tuple(sizes))[place]
    assert isinstance(atom.step, int)
    assert isinstance(atom.size, int)
    return np.asarray(coordinate // atom.step % atom.size)


def check_against_numpy(before: Sequence[int], after: Sequence[int]) -> None:
    """Provenance and verdict of a static reshape against the index tensor."""
    axes = tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(before))
    result = rebracket(axes, tuple(after))
    index = np.arange(math.prod(before)).reshape(after)
    held_somewhere = set[int]()
    for place, provenance in enumerate(result.outputs):
        assert (provenance.kind is Kind.NEW) == (after[place] == 1)
        if provenance.atoms is None:
            assert not is_clean(index, before, after, place)
            continue
        # the output's position is exactly the number that its atoms spell, slow to fast
        spelt = np.zeros_like(index)
        for atom in provenance.atoms:
            assert isinstance(atom.size, int)
            spelt = spelt * atom.size + digits(index, before, atom)
        position = np.indices(after)[place]
        assert np.array_equal(spelt, position), (before, after, place, str(provenance))
        assert (provenance.kind is not Kind.MIXED) == is_clean(index, before, after, place)
        if provenance.kind is Kind.IDENTITY:
            assert provenance.axis is not None
            source = int(provenance.axis.name[1:])
            assert np.array_equal(np.unravel_index(index, tuple(before))[source], position)
            held_somewhere.add(source)
    assert result.is_scrambled == (not all(is_clean(index, before, after, i) for i in range(len(after))))


def is_clean(index: np.ndarray, before: Sequence[int], after: Sequence[int], place: int) -> bool:
    """Whether an output axis holds whole input axes, or one piece of a single one, by looking at values alone.

    Whole axes: the position is a bijection of the coordinates of a set of input axes. One piece: along the output axis
    only one input coordinate ever moves, from any start, and its position is a function of that coordinate.
    """
    if after[place] == 1:
        return True
    coordinates = np.unravel_index(index, tuple(before))
    position = np.indices(after)[place]
    whole = [i for i, c in enumerate(coordinates) if before[i] > 1 and is_function(c, position)]
    if math.prod(before[i] for i in whole) == after[place]:
        return True
    return any(before[i] > 1 and is_function(position, c) for i, c in enumerate(coordinates))


def is_function(values: np.ndarray, of: np.ndarray) -> bool:
    """Whether equal elements of `of` always have equal `values`."""
    table = np.full(int(of.max()) + 1, -1)
    table[of.ravel()] = values.ravel()
    return bool(np.array_equal(table[of], values))


def factorizations(number: int) -> list[tuple[int, ...]]:
    """All ordered ways to write a number as a product of numbers above 1."""
    if number == 1:
        return [()]
    return [(d, *rest) for d in range(2, number + 1) if number % d == 0 for rest in factorizations(number // d)]


@pytest.mark.parametrize("total", [12, 16, 24, 30, 36, 48, 60, 64, 72, 96])
def test_every_reshape_of_a_few_elements(total: int) -> None:
    """Each pair of ordered factorizations (of the largest totals, every third)."""
    shapes = factorizations(total)
    pairs = list(itertools.product(shapes, repeat=2))
    step = max(1, len(pairs) // 4000)
    for before, after in pairs[::step]:
        check_against_numpy(before, after)


SHAPES = st.lists(st.sampled_from([2, 2, 2, 3, 3, 5, 7]), min_size=1, max_size=6)


@st.composite
def reshapes(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Input and output sizes with one product, units strewn in: the same primes grouped in two ways."""
    primes = draw(SHAPES)
    return grouped(draw, primes), grouped(draw, draw(st.permutations(primes)))


def grouped(draw: st.DrawFn, primes: Sequence[int]) -> tuple[int, ...]:
    sizes = [1]
    for prime in primes:
        if draw(st.booleans()):
            sizes.append(1)
        sizes[-1] *= prime
    return tuple(sizes if draw(st.booleans()) else [s for s in sizes if s != 1] or [1])


@settings(max_examples=4000, deadline=None)
@given(reshapes())
def test_random_reshapes(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    check_against_numpy(*pair)


# ----------------------------------------------------------------------------------------- symbols


@settings(max_examples=1500, deadline=None)
@given(reshapes(), st.integers(0, 5), st.integers(0, 5), st.sampled_from([11, 13]))
def test_symbols_hold_for_every_value(
    pair: tuple[tuple[int, ...], tuple[int, ...]], at: int, to: int, prime: int
) -> None:
    """A symbol T times known sizes: what is said of T is true of every number in its place."""
    before: list[Size] = list(pair[0])
    after: list[Size] = list(pair[1])
    at, to = at % len(before), to % len(after)
    before[at] = ax.multiply((before[at], T))
    after[to] = ax.multiply((after[to], T))
    axes = tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(before))
    result = rebracket(axes, after)
    numbers = [instantiated(size, prime) for size in before]
    other = rebracket(
        tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(numbers)),
        [instantiated(size, prime) for size in after],
    )
    # a large prime behaves as an unknown length does: it divides nothing and nothing divides it
    assert [p.kind for p in result.outputs] == [p.kind for p in other.outputs], (before, after)
    for symbolic, static in zip(result.outputs, other.outputs, strict=True):
        if symbolic.atoms is not None and static.atoms is not None:
            assert [instantiated(a.size, prime) for a in symbolic.atoms] == [a.size for a in static.atoms]


def instantiated(size: Size, value: int) -> int:
    if isinstance(size, int):
        return size
    result = size.coefficient
    for _, power in size.powers:
        result *= value**power
    assert result.denominator == 1
    return int(result)


# ----------------------------------------------------------------------------------------- laws


@settings(max_examples=500, deadline=None)
@given(st.lists(st.integers(2, 7), min_size=1, max_size=5))
def test_split_then_merge_is_nothing(sizes: list[int]) -> None:
    axes = tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(sizes))
    flat = merged(*axes)
    parts = rebracket((flat,), sizes).outputs
    assert [p.atoms for p in parts] == [axis.atoms for axis in axes]
    assert all(isinstance(p, Provenance) for p in parts)
    again = merged(*(Axis(f"p{i}", size, p.atoms or ()) for i, (size, p) in enumerate(zip(sizes, parts, strict=True))))
    assert again.atoms == flat.atoms


@settings(max_examples=500, deadline=None)
@given(st.integers(1, 12), st.integers(2, 12))
def test_cut_and_fuse_is_nothing(slow: int, fast: int) -> None:
    size = slow * fast
    axis = ax.fresh("a", size, "x")
    pieces = rebracket((axis,), (size // fast, fast)).outputs
    assert ax.fuse(atom for p in pieces for atom in p.atoms or ()) == axis.atoms


def spec_with(tmp_path: Path, axes: dict[str, int], items: list[str]) -> Path:
    path = tmp_path / "spec.yaml"
    said = ", ".join(f"{name}: {size}" for name, size in axes.items())
    model = "".join(f"  - {item}\n" for item in items)
    path.write_text(
        f"nnspec: 1\ninputs: {{x: {{axes: {{{said}}}}}}}\nmodel:\n{model}outputs: {{y: {{task: regression}}}}\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_permute_then_its_inverse_is_nothing(order: tuple[str, ...], tmp_path: Path) -> None:
    path = spec_with(tmp_path, {"a": 2, "b": 3, "c": 5}, [f"permute: [{', '.join(order)}]", "permute: [a, b, c]"])
    graph = check(path).graph
    assert graph.outputs["y"].value.axes == graph.inputs["x"].axes


def test_verbs_undo_each_other(tmp_path: Path) -> None:
    items = [
        "split: {a: {slow: 2, fast: 3}}",
        "permute: [fast, b, slow]",
        "permute: [slow, fast, b]",
        "merge: {a: [slow, fast]}",
        "insert: {one: 1}",
        "drop: one",
        "rename: {a: c}",
        "rename: {c: a}",
    ]
    graph = check(spec_with(tmp_path, {"a": 6, "b": 5}, items)).graph
    assert graph.outputs["y"].value.axes == graph.inputs["x"].axes


def test_a_wrong_order_of_parts_is_remembered(tmp_path: Path) -> None:
    """Merged as (fast, slow), the axis is no longer `a`: a Reshape that says so is refused."""
    items = [
        "split: {a: {slow: 2, fast: 3}}",
        "permute: [fast, slow]",
        "merge: {mixed: [fast, slow]}",
        "Reshape: {to: {a: 6}}",
    ]
    assert [d.code for d in diagnose(spec_with(tmp_path, {"a": 6}, items))] == ["NN303"]


def test_frame_stacking_by_verbs(tmp_path: Path) -> None:
    items = ["split: {time: {pair: null, frame: 2}}", "merge: {channel: [frame, mel]}"]
    graph = check(spec_with(tmp_path, {"time": 10, "mel": 40}, items)).graph
    assert ax.describe(graph.outputs["y"].value.axes) == "(pair 5, channel 80)"


def test_a_flatten_taken_apart_is_time_again(tmp_path: Path) -> None:
    """After Flatten and Reshape back, the checker still knows which axis runs in time."""
    graph = check(
        spec_with(tmp_path, {"time": 10, "feature": 5}, ["Flatten", "Reshape: {target_shape: [10, 5]}"])
    ).graph
    assert graph.outputs["y"].value.axes == graph.inputs["x"].axes
    items = ["Flatten", "split: {time_feature: {step: 10, value: 5}}"]
    graph = check(spec_with(tmp_path, {"time": 10, "feature": 5}, items)).graph
    assert [axis.origin for axis in graph.outputs["y"].value.axes] == ["time", "feature"]


def test_a_split_cannot_swap_names(tmp_path: Path) -> None:
    items = ["Flatten", "split: {time_feature: {feature: 5, time: 10}}"]
    (found,) = diagnose(spec_with(tmp_path, {"time": 10, "feature": 5}, items))
    assert found.code == "NN303"
    items = ["Flatten", "split: {time_feature: {time: 10, feature: 5}}"]
    assert not diagnose(spec_with(tmp_path, {"time": 10, "feature": 5}, items))
    assert not diagnose(spec_with(tmp_path, {"time": 10, "feature": 5}, ["split: {time: {time: 5, frame: 2}}"]))
