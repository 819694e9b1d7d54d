"""Receptive fields against dependencies found by brute force, and the joins, moves and reversals that change them."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from nnspec.diagnostics import Diagnostic
from nnspec.ir import axes as ax
from nnspec.ir.graph import Field, Graph, Window
from nnspec.ir.receptive_field import slide
from nnspec.layers.kit.sliding_windows import pads, window_over
from nnspec.layers.pooling.adaptive import window_seen, windows_of
from nnspec.pipeline import check, diagnose

Seen = list[set[int]]  # for each position the input positions that it depends on


def spec(folder: Path, axes: dict[str, Any], model: list[Any], **more: Any) -> Path:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
        **more,
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def graph_of(folder: Path, axes: dict[str, Any], model: list[Any]) -> Graph:
    return check(spec(folder, axes, model)).graph


def last_field(folder: Path, axes: dict[str, Any], model: list[Any], axis: str = "time") -> Field:
    return graph_of(folder, axes, model).nodes[-1].outputs[0].fields[axis]


# ------------------------------------------------------------------------------------------ chains, by brute force


def sliding(seen: Seen, span: int, stride: int, dilation: int, padding: str) -> tuple[Seen, Window]:
    """A convolution or pool: the dependencies that Keras' padding gives, and the window that nnspec takes it for."""
    whole = 1 + (span - 1) * dilation
    window = window_over(len(seen), whole, stride, padding)
    both = pads(len(seen), whole, stride, padding)
    assert both is not None
    count = (len(seen) + sum(both) - whole) // stride + 1
    made: Seen = []
    for position in range(count):
        taps = [position * stride - both[0] + tap * dilation for tap in range(span)]
        made.append(set().union(*(seen[tap] for tap in taps if 0 <= tap < len(seen))))
    return made, window


def upsampled(seen: Seen, times: int) -> tuple[Seen, Window]:
    """Every position repeated: position i reads i // times."""
    window = Window(Fraction(2 * times - 1, times), Fraction(1, times), 0)
    return [set(seen[i // times]) for i in range(len(seen) * times)], window


def transposed(seen: Seen, span: int, stride: int) -> tuple[Seen, Window]:
    """A transposed convolution without padding: position i is made of those p for which i - stride·p is a tap."""
    window = Window(Fraction(span - 1, stride) + 1, Fraction(1, stride), 0)
    count = (len(seen) - 1) * stride + span
    made: Seen = [set() for _ in range(count)]
    for position, there in enumerate(seen):
        for tap in range(span):
            made[position * stride + tap] |= there
    return made, window


def ends(seen: Seen, before: int, after: int) -> tuple[Seen, Window]:
    """Padding where positive, cropping where negative."""
    made = [set[int]() for _ in range(max(before, 0))] + seen + [set[int]() for _ in range(max(after, 0))]
    made = made[max(-before, 0) : len(made) - max(-after, 0)]
    return made, Window(1, 1, -before)


STEPS: list[Callable[[random.Random, Seen], tuple[Seen, Window]]] = [
    lambda r, s: sliding(s, r.randint(1, 4), 1, r.randint(1, 3), r.choice(["same", "causal"])),
    lambda r, s: sliding(s, r.randint(1, 4), r.randint(1, 3), 1, r.choice(["same", "valid"])),
    lambda r, s: upsampled(s, r.randint(2, 3)),
    lambda r, s: transposed(s, r.randint(1, 4), r.randint(1, 3)),
    lambda r, s: ends(s, r.randint(-2, 2), r.randint(-2, 2)),
]


@pytest.mark.parametrize("seed", range(60))
def test_chains_against_brute_force(seed: int) -> None:
    """No position depends on anything outside of its field, and one in the middle reaches as far as its field says."""
    rng = random.Random(seed)
    length = rng.randint(40, 60)
    seen: Seen = [{i} for i in range(length)]
    field = Field()
    for _ in range(rng.randint(1, 4)):
        made, window = rng.choice(STEPS)(rng, seen)
        if not made or len(made) > 400:
            continue
        field = slide(field, window, ax.fresh("time", len(seen), "x", origin="time"), "time")
        seen = made
    assert field.behind is not None
    assert field.ahead is not None
    for position, there in enumerate(seen):
        reference = field.stride * position
        assert all(reference - field.behind <= p <= reference + field.ahead for p in there), (position, there, field)
    assert field.size is not None
    hulls = [max(there) - min(there) + 1 for there in seen if there]
    assert max(hulls) <= field.size
    if all(seen) and len(seen) > 3 * field.size:
        assert max(hulls[len(seen) // 4 : 3 * len(seen) // 4]) == field.size


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ([lambda s: upsampled(s, 2)], 1),
        ([lambda s: upsampled(s, 2), lambda s: sliding(s, 3, 1, 1, "same")], 2),
        ([lambda s: upsampled(s, 2), lambda s: sliding(s, 4, 1, 1, "same")], 3),
        ([lambda s: transposed(s, 3, 2)], 2),
        ([lambda s: transposed(s, 4, 2)], 2),
        ([lambda s: transposed(s, 5, 2)], 3),
        ([lambda s: sliding(s, 2, 2, 1, "valid"), lambda s: upsampled(s, 2)], 2),
        ([lambda s: sliding(s, 3, 2, 1, "same"), lambda s: transposed(s, 2, 2)], 3),
        ([lambda s: sliding(s, 2, 2, 1, "valid"), lambda s: upsampled(s, 2), lambda s: sliding(s, 3, 1, 1, "same")], 4),
    ],
)
def test_sizes_where_positions_are_made(steps: list[Callable[[Seen], tuple[Seen, Window]]], size: int) -> None:
    seen: Seen = [{i} for i in range(60)]
    field = Field()
    for step in steps:
        made, window = step(seen)
        field = slide(field, window, ax.fresh("time", len(seen), "x", origin="time"), "time")
        seen = made
    middle = seen[len(seen) // 3 : 2 * len(seen) // 3]
    assert max(max(there) - min(there) + 1 for there in middle) == size == field.size


def test_strided_windows_over_an_unknown_length() -> None:
    """How many zeros go before depends on the length; the field holds for every length."""
    for span in range(1, 6):
        for stride in range(1, 4):
            window = window_over(ax.Symbolic.symbol("T"), span, stride, "same")
            field = slide(Field(), window, ax.fresh("time", ax.Symbolic.symbol("T"), "x", origin="time"), "time")
            assert field.size == span
            assert field.behind is not None
            assert field.ahead is not None
            for length in range(6, 30):
                made, _ = sliding([{i} for i in range(length)], span, stride, 1, "same")
                for position, there in enumerate(made):
                    assert all(-field.behind <= p - stride * position <= field.ahead for p in there)


# --------------------------------------------------------------------------------------------------- whole graphs

CAUSAL = {"filters": 4, "kernel_size": 3, "padding": "causal"}
SAME = {"filters": 4, "kernel_size": 3, "padding": "same"}
AXES = {"time": 10, "channel": 4}


def test_a_join_sees_what_either_branch_sees(tmp_path: Path) -> None:
    model = [
        {"Conv1D": {**CAUSAL, "kernel_size": 4, "name": "past"}},
        {"ZeroPadding1D": {"padding": [0, 2], "from": "x", "name": "longer"}},
        {"Conv1D": {"filters": 4, "kernel_size": 3, "name": "future"}},
        {"Add": {"from": ["past", "future"]}},
    ]
    found = last_field(tmp_path, AXES, model)
    assert (found.size, found.behind, found.ahead) == (6, 3, 2)


def test_causal_by_padding_or_by_cropping(tmp_path: Path) -> None:
    by_padding = [{"ZeroPadding1D": {"padding": [2, 0]}}, {"Conv1D": {"filters": 2, "kernel_size": 3}}]
    assert last_field(tmp_path, AXES, by_padding) == Field(3, 1, 0)
    shifted = [{"Conv1D": CAUSAL}, {"Cropping1D": {"cropping": [1, 0]}}]
    assert last_field(tmp_path, AXES, shifted) == Field(3, 1, 1)


def test_a_gate_from_all_steps_is_not_causal(tmp_path: Path) -> None:
    model = [
        {"Conv1D": {**CAUSAL, "name": "made"}},
        {"GlobalAveragePooling1D": {"keepdims": True}},
        {"drop": "time"},
        {"RepeatVector": {"n": 10, "as": "time"}},
        {"rename": {"filter": "gate"}},
        {"permute": ["time", "gate"]},
        {"rename": {"gate": "filter"}},
        {"Multiply": {"from": ["made", "rename_2"]}},
    ]
    found = last_field(tmp_path, AXES, model)
    assert found.ahead is None
    assert found.size is not None
    assert found.size >= 10


@pytest.mark.parametrize(
    ("axes", "model"),
    [
        ({"time": 10, "feature": 5}, [{"Reshape": {"target_shape": [5, 10]}}, "Flatten", {"Dense": {"units": 1}}]),
        (
            {"time": 10, "feature": 5},
            [
                {"split": {"time": {"block": 5, "step": 2}}},
                {"permute": ["step", "feature", "block"]},
                {"Dense": {"units": 3}},
                {"permute": ["unit", "step", "feature"]},
                {"Dense": {"units": 2, "as": "made"}},
                "Flatten",
                {"Dense": {"units": 1}},
            ],
        ),
    ],
)
def test_mixed_axes_count_as_read_whole(axes: dict[str, Any], model: list[Any], tmp_path: Path) -> None:
    found = last_field(tmp_path, axes, model)
    assert found.size is not None
    assert found.size >= 10


def test_blocks_of_steps(tmp_path: Path) -> None:
    """A convolution over blocks of two steps moves two steps a position."""
    model = [
        {"split": {"time": {"block": 5, "step": 2}}},
        {"permute": ["block", "step", "channel"]},
        {"merge": {"feature": ["step", "channel"]}},
        {"Conv1D": {"filters": 3, "kernel_size": 2, "padding": "causal", "over": "block"}},
    ]
    found = last_field(tmp_path, {"time": 10, "channel": 3}, model)
    assert found.size is not None
    assert found.size >= 4


def test_both_inputs_of_a_dot_are_seen(tmp_path: Path) -> None:
    document = {
        "nnspec": 1,
        "inputs": {"query": {"axes": {"q": 3, "feature": 5}}, "key": {"axes": {"k": 7, "feature": 5}}},
        "model": [
            {"permute": {"order": ["feature", "k"], "from": "key", "name": "turned"}},
            {"Dot": {"axes": ["q", "k"], "from": ["query", "key"], "name": "d"}},
        ],
        "outputs": {"y": {"task": "regression", "from": "d"}},
    }
    document["inputs"]["key"]["axes"] = {"k": 3, "value": 5}  # type: ignore[index]
    document["model"] = [{"Dot": {"axes": ["q", "k"], "from": ["query", "key"], "name": "d"}}]
    path = tmp_path / "dot.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    fields = check(path).graph.nodes[-1].outputs[0].fields
    assert {name: fields[name].size for name in ("q", "k")} == {"q": 3, "k": 3}


def test_end_to_end_is_no_position_of_its_own(tmp_path: Path) -> None:
    model = [
        {"Conv1D": {**CAUSAL, "name": "a"}},
        {"Conv1D": {**CAUSAL, "from": "x", "name": "b"}},
        {"Concatenate": {"axis": "time", "from": ["a", "b"]}},
    ]
    assert last_field(tmp_path, AXES, model).ahead is None


# ------------------------------------------------------------------------------------------------ misaligned joins


def warnings_of(folder: Path, axes: dict[str, Any], model: list[Any]) -> list[Diagnostic]:
    return diagnose(spec(folder, axes, model))


def test_steps_in_opposite_directions(tmp_path: Path) -> None:
    body = {"units": 3, "return_sequences": True, "from": "x"}
    model = [
        {"LSTM": {**body, "name": "forwards"}},
        {"LSTM": {**body, "name": "backwards", "go_backwards": True}},
        {"Add": {"from": ["forwards", "backwards"]}},
    ]
    (found,) = warnings_of(tmp_path, AXES, model)
    assert found.code == "NN318"
    assert "opposite directions" in found.message
    model[1:2] = [model[1], {"LSTM": {**body, "name": "again", "go_backwards": True, "from": "backwards"}}]
    model[-1] = {"Add": {"from": ["forwards", "again"]}}
    assert warnings_of(tmp_path, AXES, model) == []


@pytest.mark.parametrize(
    "grow", [{"Resizing": {"height": 8, "width": 8}}, {"UpSampling2D": {"size": 8, "interpolation": "bilinear"}}]
)
def test_a_map_of_one_position_is_aligned_with_all(tmp_path: Path, grow: Any) -> None:
    """The context of the whole image, at each position of a map."""
    (kind, body) = next(iter(grow.items()))
    model = [
        {"Conv2D": {"filters": 4, "kernel_size": 3, "strides": 2, "padding": "same", "name": "map"}},
        {"GlobalAveragePooling2D": {"keepdims": True}},
        {kind: {**body, "name": "context"}},
        {"Concatenate": {"from": ["map", "context"]}},
    ]
    assert warnings_of(tmp_path, {"height": 16, "width": 16, "channel": 3}, model) == []


@pytest.mark.parametrize(
    ("cropping", "is_shifted"),
    [([5, 0], False), ([0, 5], True), ([3, 2], False)],
)
def test_cropped_at_the_wrong_end(cropping: list[int], is_shifted: bool, tmp_path: Path) -> None:
    """A causal branch beside one that has lost its first five steps."""
    model = [
        {"Conv1D": {**CAUSAL, "name": "a"}},
        {"Cropping1D": {"cropping": cropping, "name": "cropped"}},
        {"Cropping1D": {"cropping": [5, 0], "from": "x", "name": "late"}},
        {"Conv1D": {**CAUSAL, "name": "b"}},
        {"Add": {"from": ["cropped", "b"]}},
    ]
    found = [d.code for d in warnings_of(tmp_path, AXES, model)]
    assert found == (["NN330"] if is_shifted else [])


def test_a_difference_of_neighbours_is_no_fault(tmp_path: Path) -> None:
    model = [
        {"Cropping1D": {"cropping": [1, 0], "name": "now"}},
        {"Cropping1D": {"cropping": [0, 1], "from": "x", "name": "before"}},
        {"Subtract": {"from": ["now", "before"]}},
    ]
    assert warnings_of(tmp_path, AXES, model) == []


def test_causal_beside_same_is_not_shifted(tmp_path: Path) -> None:
    """Their steps stand beside each other; that one of them looks ahead is told."""
    model = [
        {"Conv1D": {**CAUSAL, "name": "a"}},
        {"Conv1D": {**SAME, "from": "x", "name": "b"}},
        {"Add": {"from": ["a", "b"]}},
    ]
    assert [d.code for d in warnings_of(tmp_path, AXES, model)] == ["NN384"]


@pytest.mark.parametrize("size", range(2, 13))
def test_adaptive_windows(size: int) -> None:
    """Windows whose number is given begin and end where their fractions fall."""
    for made in range(2, 9):
        axis = ax.fresh("time", size, "x", origin="time")
        field = slide(Field(), window_seen(Fraction(size, made)), axis, "time")
        seen = [set(window) for window in windows_of(size, made)]
        phases = field.phases or ((int(field.ahead or 0) - (field.size or 0) + 1, int(field.ahead or 0)),)
        around = len(phases) * field.stride
        for position, there in enumerate(seen):
            first, last = (bound + int(position // len(phases) * around) for bound in phases[position % len(phases)])
            assert there == set(range(first, last + 1))
        assert field.size == max(map(len, seen))


def test_what_sees_all_sees_no_more(tmp_path: Path) -> None:
    """Layers that read whole axes, one behind the other, see no more than there is."""
    lstm = {"LSTM": {"units": 4, "return_sequences": True}}
    assert last_field(tmp_path, AXES, [lstm, lstm, lstm]) == Field(10, 1, 0)
    assert last_field(tmp_path, AXES, [lstm, {"Conv1D": CAUSAL}, lstm]) == Field(12, 1, 0)
    assert last_field(tmp_path, AXES, [{"Conv1D": CAUSAL}, "Flatten", {"Dense": {"units": 2}}]).size == 12
