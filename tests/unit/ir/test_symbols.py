"""Lengths at which a network with open axes can be run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnspec.ir.axes import Symbolic, derived, divide, multiply
from nnspec.ir.symbols import lengths_of, size_at
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


def graph(model: str, folder: Path, axes: str = "time: T, feature: 3") -> object:
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
