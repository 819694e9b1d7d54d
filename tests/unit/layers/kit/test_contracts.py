"""Contracts of layers on the axes that they read, beyond those that step: softmax and normalization."""

from __future__ import annotations

from pathlib import Path

import pytest

from nnspec.pipeline import diagnose

WINDOW = "time: 10, feature: 5"


def codes(tmp_path: Path, axes: str, items: list[str], task: str = "regression") -> list[tuple[str, bool]]:
    model = "".join(f"  - {item}\n" for item in items)
    path = tmp_path / "spec.yaml"
    text = f"nnspec: 1\ninputs: {{x: {{axes: {{{axes}}}}}}}\nmodel:\n{model}outputs: {{y: {{task: {task}}}}}\n"
    path.write_text(text, encoding="utf-8")
    return [(d.code, d.is_error) for d in diagnose(path)]


BEHIND = "Dense: {units: 2}"


@pytest.mark.parametrize(
    ("axes", "items"),
    [
        (WINDOW, ["Dense: {units: 1}", "Softmax", BEHIND]),
        (WINDOW, ["Dense: {units: 1, activation: softmax}", BEHIND]),
        (WINDOW, ["Conv1D: {filters: 1, kernel_size: 3, activation: softmax}", BEHIND]),
        (WINDOW, ["TimeDistributed: {layer: {Dense: {units: 1, activation: softmax}}}", BEHIND]),
        ("time: 1, feature: 5", ["Softmax: {axis: time}", BEHIND]),
        ("a: 1, b: 1, feature: 5", ["Softmax: {axis: [a, b]}", BEHIND]),
    ],
)
def test_a_softmax_over_one_position(axes: str, items: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, axes, items) == [("NN324", True)]


@pytest.mark.parametrize(
    ("axes", "items"),
    [
        (WINDOW, ["Dense: {units: 1}", "Softmax: {axis: time}", BEHIND]),
        ("time: T, feature: 5", ["Dense: {units: 1}", "Softmax: {axis: time}", BEHIND]),
        ("a: 1, feature: 5", ["Softmax: {axis: [a, feature]}", BEHIND]),
        (WINDOW, ["LSTM: {units: 1, activation: softmax, return_sequences: true}", BEHIND]),
        (WINDOW, ["Dense: {units: 1, activation: sigmoid}", BEHIND]),
    ],
)
def test_a_softmax_that_shares_out(axes: str, items: list[str], tmp_path: Path) -> None:
    assert not codes(tmp_path, axes, items)


def test_a_head_is_said_once(tmp_path: Path) -> None:
    """Where the task says already that its softmax is wrong, that is enough."""
    head = ["Flatten", "Dense: {units: 1, activation: softmax}"]
    assert codes(tmp_path, WINDOW, head, "binary") == [("NN507", True)]
    assert codes(tmp_path, WINDOW, head, "classification") == [("NN324", True)]


@pytest.mark.parametrize(
    ("axes", "item", "is_warned"),
    [
        (WINDOW, "BatchNormalization: {axis: 1}", True),
        (WINDOW, "GroupNormalization: {axis: 1, groups: 2}", True),
        ("feature: 5, time: 10", "BatchNormalization", True),
        (WINDOW, "BatchNormalization", False),
        (WINDOW, "BatchNormalization: {axis: time}", False),
        ("time: 10, frequency: 7", "BatchNormalization: {axis: 1}", False),
        ("time: 10", "BatchNormalization", False),
        ("time: 10, channel: 1", "BatchNormalization: {axis: 1}", False),
        (WINDOW, "LayerNormalization: {axis: 1}", False),
    ],
)
def test_statistics_for_each_step(axes: str, item: str, is_warned: bool, tmp_path: Path) -> None:
    assert codes(tmp_path, axes, [item]) == ([("NN325", False)] if is_warned else [])
