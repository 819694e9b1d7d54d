"""Lengths at which a network with open axes can be run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.diagnostics import SpecError
from nnspec.ir.axes import Symbolic, derived, divide, multiply
from nnspec.ir.graph import Graph
from nnspec.ir.symbols import broken_rule, equal_at_multiples, lengths_of, size_at, without_implied
from nnspec.pipeline import check

T = Symbolic.symbol("T")


@pytest.mark.parametrize(
    ("size", "at_ten"),
    [
        (7, 7),
        (T, 10),
        (multiply((T, T, 3)), 300),
        (divide(T, 2), 5),
        (derived("(T - 4)"), 6),
        (derived("ceil(((T - 1) + 3)/5)"), 3),
        (multiply((derived("ceil(T/3)"), 2)), 8),
        (derived("ceil(2·T/7)"), 3),
    ],
)
def test_size_at(size: Symbolic | int, at_ten: int) -> None:
    assert size_at(size, {"T": 10}) == at_ten


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 5))
def test_size_of_a_window(length: int, span: int, stride: int) -> None:
    assert size_at(derived(f"ceil((T - {span - 1})/{stride})"), {"T": length}) == math.ceil(
        (length - span + 1) / stride
    )


def graph(model: str, folder: Path, axes: str = "time: T, feature: 3") -> Graph:
    path = folder / "spec.yaml"
    path.write_text(
        f"nnspec: 1\ninputs: {{x: {{axes: {{{axes}}}}}}}\nmodel:\n{model}\noutputs: {{y: {{task: regression}}}}\n"
    )
    return check(path).graph


def test_windows_fit(tmp_path: Path) -> None:
    """Even behind a layer that reads everything, where receptive fields say no more."""
    model = "  - MaxPooling1D: {pool_size: 4}\n" * 2 + "  - Conv1D: {filters: 2, kernel_size: 3}"
    assert lengths_of(graph(model, tmp_path), 5) == {"T": 48}
    assert lengths_of(graph(model, tmp_path), 100) == {"T": 100}


def test_constraints_hold(tmp_path: Path) -> None:
    model = "  - split: {time: {step: null, part: 6}}\n  - merge: {value: [part, feature]}"
    assert lengths_of(graph(model, tmp_path), 11) == {"T": 12}


def test_what_is_reflected_is_there(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {time: T}}}\nmodel: [{MelSpectrogram: {fft_length: 51}}]\n"
        "outputs: {y: {task: regression}}\n",
        encoding="utf-8",
    )
    found = check(path).graph
    assert found.constraints == ("T > 25",)
    assert lengths_of(found, 11)["T"] == 26
    assert lengths_of(found, 30)["T"] == 30


def test_an_open_axis_that_is_joined_has_one_length(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {a: {axes: {time: T, feature: 3}}, b: {axes: {time: 7, feature: 3}}}\n"
        "model: [{Add: {from: [a, b]}}]\noutputs: {y: {task: regression}}\n"
    )
    assert lengths_of(check(path).graph, 11) == {"T": 7}


def halved(size: int, factors: list[int], padding: str) -> int:
    for factor in factors:
        size = size // factor if padding == "valid" else -(-size // factor)
    return size


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("factors", [[2], [3], [2, 2], [2, 3], [2, 2, 2, 2], [4, 5], [7, 2]])
def test_sizes_that_come_back_at_multiples(factors: list[int], padding: str) -> None:
    """Windows that do not overlap, and as many repeats: the least number at whose multiples no position is lost."""
    size: Symbolic | int = T
    for factor in factors:
        size = derived(f"ceil(({size} - {factor - 1})/{factor})" if padding == "valid" else f"ceil({size}/{factor})")
    whole = math.prod(factors)
    fits = [length for length in range(1, 400) if halved(length, factors, padding) * whole == length]
    least = next(step for step in range(1, 200) if set(range(step, 400, step)) <= set(fits))
    assert equal_at_multiples(T, multiply((size, whole))) == ("T", least)


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (derived("((T - 1) - 2)"), derived("(T - 3)"), ("T", 1)),
        (T, derived("(T - 2)"), None),
        (T, divide(T, 2), None),
        (T, Symbolic.symbol("H"), None),
        (derived("ceil(T/2)"), derived("ceil((T - 1)/2)"), ("T", 2)),
        (derived("(T + H)"), derived("(H + T)"), None),
        (derived("frames of speech"), T, None),
    ],
)
def test_sizes_that_differ(first: Symbolic, second: Symbolic, found: tuple[str, int] | None) -> None:
    assert equal_at_multiples(first, second) == found


def test_rules_of_open_sizes() -> None:
    rules = without_implied(["H % 2 == 0", "W % 2 == 0", "H % 8 == 0", "H % 2 == 0", "T > 3", "(T - 1) % 3 == 0"])
    assert rules == ("W % 2 == 0", "H % 8 == 0", "T > 3", "(T - 1) % 3 == 0")
    assert broken_rule(rules, {"H": 16, "W": 6, "T": 4}) is None
    assert broken_rule(rules, {"W": 6}) is None
    assert broken_rule(rules, {"H": 12, "W": 6}) == ("H", "a multiple of 8")
    assert broken_rule(rules, {"T": 3}) == ("T", "more than 3")
    assert broken_rule(rules, {"T": 5}) == ("T", "a multiple of 3, as (T - 1) % 3 == 0")
    assert broken_rule(["T == 5"], {"T": 6}) == ("T", "5")


UNET = """
  - Conv1D: {filters: 2, kernel_size: 3, padding: same, name: wide}
  - MaxPooling1D: {pool_size: 2}
  - Conv1D: {filters: 2, kernel_size: 3, padding: same, name: narrow}
  - MaxPooling1D: {pool_size: 2}
  - Conv1DTranspose: {filters: 2, kernel_size: 2, strides: 2, name: up}
  - Concatenate: {from: [narrow, up], name: joined}
  - UpSampling1D: {size: 2}
  - Add: {from: [wide, up_sampling1d_1]}
"""


def test_what_was_halved_joins_what_was_not(tmp_path: Path) -> None:
    found = graph(UNET.replace("name: joined}", "name: joined}\n  - Dense: {units: 2}"), tmp_path)
    assert found.constraints == ("T % 4 == 0",)
    assert lengths_of(found, 5) == {"T": 8}
    assert str(found.outputs["y"].value.axes[0].size) == "T"
    with pytest.raises(SpecError, match="NN311"):
        graph(UNET.replace("kernel_size: 3, padding: same, name: wide", "kernel_size: 3, name: wide"), tmp_path)
