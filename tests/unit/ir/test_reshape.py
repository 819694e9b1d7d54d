"""What a reshape does to named axes, against oracles that do not know the algorithm.

An index tensor (`arange` of the input's shape) goes through the reshape in NumPy; of every output axis it is asked
which digits of the input's coordinates it is a function of. Atoms are read as digits, `(index // step) % size`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis, Size, Symbolic
from nnspec.ir.reshape import Kind, Provenance, SizeMismatch, find_misnamed, find_reordering, rebracket, solve_unknown
from nnspec.pipeline import check, diagnose

T = Symbolic.symbol("T")


def axes_of(*pairs: tuple[str, Size]) -> Axes:
    return tuple(ax.fresh(name, size, "x") for name, size in pairs)


def kinds(axes: Axes, sizes: Sequence[Size]) -> list[tuple[Kind, str]]:
    return [(p.kind, str(p)) for p in rebracket(axes, sizes).outputs]


def merged(*axes: Axis, name: str = "merged") -> Axis:
    atoms = ax.fuse(atom for axis in axes for atom in axis.atoms)
    return Axis(name=name, size=ax.multiply(axis.size for axis in axes), atoms=atoms)


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
    assert [find_misnamed(p, name) for p, name in zip(result.outputs, ("b", "a"), strict=True)] == ["a", "b"]
    assert [find_misnamed(p, name) for p, name in zip(result.outputs, ("a", "b"), strict=True)] == [None, None]
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
    with pytest.raises(SizeMismatch, match="50 elements are not divisible by 7"):
        solve_unknown(axes, (None, 7))
    with pytest.raises(SizeMismatch, match="only works if 5·T = 50") as caught:
        solve_unknown(axes_of(("time", T), ("feature", 5)), (10, 5))
    assert not caught.value.is_certain
    with pytest.raises(SizeMismatch):
        solve_unknown(axes_of(("time", 10), ("feature", 5)), (T, None))


# ----------------------------------------------------------------------------------------- laws


@settings(max_examples=500, deadline=None)
@given(st.lists(st.integers(2, 7), min_size=1, max_size=5))
def test_split_then_merge_is_nothing(sizes: list[int]) -> None:
    axes = tuple(ax.fresh(f"a{i}", size, "x") for i, size in enumerate(sizes))
    flat = merged(*axes)
    parts = rebracket((flat,), sizes).outputs
    assert [p.atoms for p in parts] == [axis.atoms for axis in axes]
    assert all(isinstance(p, Provenance) for p in parts)
    again = merged(
        *(
            Axis(name=f"p{i}", size=size, atoms=p.atoms or ())
            for i, (size, p) in enumerate(zip(sizes, parts, strict=True))
        )
    )
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
