"""Sizes, atoms, axes, and how far back every output sees."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nnspec.ir import axes as ax
from nnspec.ir.axes import Atom, Size, Symbolic, divide, divides, fuse, multiply
from nnspec.ir.graph import Field
from nnspec.pipeline import check

T, N = Symbolic.symbol("T"), Symbolic.symbol("N")


# ------------------------------------------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    ("sizes", "product", "text"),
    [
        ((), 1, "1"),
        ((2, 3, 5), 30, "30"),
        ((T,), T, "T"),
        ((T, 5), Symbolic(Fraction(5), (("T", 1),)), "5·T"),
        ((T, T), Symbolic(Fraction(1), (("T", 2),)), "T^2"),
        ((T, 3, N), Symbolic(Fraction(3), (("N", 1), ("T", 1))), "3·N·T"),
    ],
)
def test_multiply(sizes: tuple[Size, ...], product: Size, text: str) -> None:
    assert multiply(sizes) == product
    assert str(multiply(sizes)) == text


@pytest.mark.parametrize(
    ("size", "by", "quotient"),
    [
        (12, 3, 4),
        (12, 5, None),
        (12, 0, None),
        (T, T, 1),
        (multiply((T, 6)), 3, multiply((T, 2))),
        (multiply((T, 6)), T, 6),
        (multiply((T, N)), N, T),
    ],
)
def test_divide(size: Size, by: Size, quotient: Size | None) -> None:
    assert divide(size, by) == quotient


def test_fractions_and_denominators_are_kept_for_the_caller() -> None:
    half = divide(T, 2)
    assert isinstance(half, Symbolic)
    assert str(half) == "T/2"
    assert half.is_polynomial
    below = divide(5, T)
    assert isinstance(below, Symbolic)
    assert not below.is_polynomial
    assert divide(multiply((T, 2)), multiply((T, 4))) is None


@pytest.mark.parametrize(
    ("by", "size", "expected"),
    [
        (3, 12, True),
        (5, 12, False),
        (12, 3, False),
        (T, T, True),
        (5, multiply((T, 5)), True),
        (2, T, False),
        (T, 5, False),
        (T, multiply((T, N)), True),
        (T, N, False),
    ],
)
def test_divides(by: Size, size: Size, expected: bool) -> None:
    assert divides(by, size) == expected


SIZES = st.lists(st.one_of(st.integers(1, 9), st.sampled_from([T, N])), max_size=4).map(multiply)


@given(SIZES, SIZES)
def test_division_undoes_multiplication(left: Size, right: Size) -> None:
    product = multiply((left, right))
    assert divide(product, right) == left
    assert divides(right, product)
    assert multiply((right, left)) == product


def test_json() -> None:
    assert ax.size_to_json(5) == 5
    assert ax.size_to_json(multiply((T, 5))) == "5·T"
    assert ax.known_size(5) == 5
    assert ax.known_size(T) is None


# ------------------------------------------------------------------------------------------------- atoms


def test_an_atom_says_which_digits_it_is() -> None:
    whole = Atom(key="x.time", name="time", size=12, original_size=12)
    slow, fast = whole.cut(4)
    assert (str(slow), str(fast)) == ("time // 4", "time % 4")
    middle, _ = fast.cut(2)
    assert str(middle) == "(time // 2) % 2"
    assert whole.is_whole
    assert not slow.is_whole
    assert fuse((slow, fast)) == (whole,)
    assert fuse((slow, *fast.cut(2))) == (whole,)
    assert fuse((fast, slow)) == (fast, slow)
    assert fuse((whole, Atom(key="y.time", name="time", size=12, original_size=12))) != (whole,)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6))
def test_digits(slow: int, middle: int, fast: int) -> None:
    """`(index // step) % size`, as the text says."""
    whole = slow * middle * fast
    first, rest = Atom(key="k", name="a", size=whole, original_size=whole).cut(middle * fast)
    second, third = rest.cut(fast)
    index = np.arange(whole)
    spelt = np.zeros_like(index)
    for atom in (first, second, third):
        assert isinstance(atom.step, int)
        assert isinstance(atom.size, int)
        digit = index // atom.step % atom.size
        assert np.array_equal(eval(str(atom), {"a": index}) if str(atom) != "a" else index, digit) or atom.size == 1
        spelt = spelt * atom.size + digit
    assert np.array_equal(spelt, index)


# ------------------------------------------------------------------------------------------------- axes


def test_fresh_axes() -> None:
    axis = ax.fresh("time", 10, "x", origin="time")
    assert str(axis) == "time 10"
    assert axis.atoms == (Atom(key="x.time", name="time", size=10, original_size=10, step=1, origin="time"),)
    assert ax.fresh("one", 1, "x").atoms == ()
    assert ax.describe((axis, ax.fresh("f", T, "x"))) == "(time 10, f T)"
    assert ax.index_of((axis,), "time") == 0
    assert ax.index_of((axis,), "feature") is None
    other = ax.resized(axis, 8, "conv")
    assert (other.name, other.size, other.origin, other.atoms[0].key) == ("time", 8, "time", "conv.time")


@pytest.mark.parametrize(
    ("name", "is_learned", "sequence", "unordered"),
    [
        ("time", False, True, False),
        ("Frames", False, True, False),
        ("frequency", False, False, False),
        ("height", False, False, False),
        ("feature", False, False, True),
        ("cepstrum", False, False, True),
        ("time", True, False, True),
        ("something", False, False, False),
    ],
)
def test_what_names_say(name: str, is_learned: bool, sequence: bool, unordered: bool) -> None:
    axis = ax.fresh(name, 5, "x", is_learned=is_learned)
    assert ax.is_sequence(axis) == sequence
    assert ax.is_unordered(axis) == unordered


# ------------------------------------------------------------------------------------------------- receptive fields


def fields(tmp_path: Path, axes: dict[str, Any], model: list[Any], axis: str) -> dict[str, Field]:
    document = {"nnspec": 1, "inputs": {"x": {"axes": axes}}, "model": model, "outputs": {"y": {"task": "regression"}}}
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return {node.name: node.outputs[0].fields[axis] for node in check(path).graph.nodes}


def conv(size: int, stride: int = 1, padding: str = "same") -> dict[str, Any]:
    return {"Conv2D": {"filters": 2, "kernel_size": size, "strides": stride, "padding": padding}}


def pool(size: int, stride: int) -> dict[str, Any]:
    return {"MaxPooling2D": {"pool_size": size, "strides": stride}}


def test_alexnet(tmp_path: Path) -> None:
    """Published: conv1 11, pool1 19, conv2 51, pool2 67, conv3 99, conv4 131, conv5 163, pool5 195."""
    model = [conv(11, 4, "valid"), pool(3, 2), conv(5), pool(3, 2), conv(3), conv(3), conv(3), pool(3, 2)]
    found = fields(tmp_path, {"height": 227, "width": 227, "channel": 3}, model, "height")
    assert [f.size for f in found.values()] == [11, 19, 51, 67, 99, 131, 163, 195]
    assert [f.stride for f in found.values()] == [4, 8, 8, 16, 16, 16, 16, 32]


def test_vgg_16(tmp_path: Path) -> None:
    """Published: pool1 to pool5 see 6, 16, 44, 100, 212."""
    model = [layer for count in (2, 2, 3, 3, 3) for layer in [*[conv(3)] * count, pool(2, 2)]]
    found = fields(tmp_path, {"height": 224, "width": 224, "channel": 3}, model, "width")
    assert [f.size for name, f in found.items() if name.startswith("max_pooling")] == [6, 16, 44, 100, 212]


@pytest.mark.parametrize(("dilation", "size"), [(1, 3), (2, 5), (4, 9), (8, 17)])
def test_a_dilated_layer_alone(dilation: int, size: int, tmp_path: Path) -> None:
    layer = {"Conv1D": {"filters": 2, "kernel_size": 3, "dilation_rate": dilation, "padding": "causal"}}
    (field,) = fields(tmp_path, {"time": 40, "channel": 3}, [layer], "time").values()
    assert field == Field(size, 1, 0)


def dilated(kernel: int, rates: list[int], levels: int = 1) -> list[Any]:
    body = {"filters": 2, "kernel_size": kernel, "padding": "causal"}
    return [{"Conv1D": {**body, "dilation_rate": rate}} for rate in rates for _ in range(levels)]


def test_dilated_stacks(tmp_path: Path) -> None:
    """One convolution a level: 1 + (k − 1) Σd; two a level and several stacks: 1 + 2(k − 1) · stacks · Σd."""
    axes = {"time": 200, "channel": 3}
    assert list(fields(tmp_path, axes, dilated(2, [1, 2, 4, 8]), "time").values())[-1] == Field(16, 1, 0)
    stacked = dilated(3, [1, 2, 4, 8], 2) * 3
    assert list(fields(tmp_path, axes, stacked, "time").values())[-1] == Field(1 + 2 * 2 * 3 * 15, 1, 0)


def test_what_lies_ahead(tmp_path: Path) -> None:
    body = {"filters": 2, "kernel_size": 5}
    model = [{"Conv1D": {**body, "padding": p}} for p in ("causal", "same", "valid")]
    found = list(fields(tmp_path, {"time": 40, "channel": 3}, model, "time").values())
    assert [f.ahead for f in found] == [0, 2, 6]


def test_a_dense_layer_over_time_sees_it_all(tmp_path: Path) -> None:
    model = [{"permute": ["feature", "time"]}, {"Dense": {"units": 3}}]
    found = list(fields(tmp_path, {"time": 40, "feature": 3}, model, "time").values())
    assert [f.size for f in found] == [1, 40]
    model = [{"Conv1D": {"filters": 2, "kernel_size": 3}}, "Flatten", {"Dense": {"units": 3}}]
    assert list(fields(tmp_path, {"time": 40, "feature": 3}, model, "time").values())[-1].size == 40
    assert list(fields(tmp_path, {"time": "T", "feature": 3}, ["GlobalMaxPooling1D"], "time").values())[-1].size is None


def test_a_join_takes_the_larger_field(tmp_path: Path) -> None:
    body = {"filters": 3, "padding": "same", "from": "x"}
    model = [
        {"Conv1D": {**body, "kernel_size": 3, "name": "a"}},
        {"Conv1D": {**body, "kernel_size": 7, "name": "b"}},
        {"Add": {"from": ["a", "b"]}},
    ]
    assert fields(tmp_path, {"time": 40, "channel": 3}, model, "time")["add_1"] == Field(7, 1, 3)


@pytest.mark.parametrize(("name", "is_step"), [("time", True), ("days", True), ("time_steps", True), ("k", False)])
def test_names_of_sequences(name: str, is_step: bool) -> None:
    assert ax.is_sequence(ax.fresh(name, 5, "x")) is is_step


@pytest.mark.parametrize("name", ["feature", "sensors", "classes", "Channel"])
def test_names_without_order(name: str) -> None:
    assert ax.is_unordered(ax.fresh(name, 5, "x"))
    assert not ax.is_unordered(ax.fresh("frequency", 5, "x"))
