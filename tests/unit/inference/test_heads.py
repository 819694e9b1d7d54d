"""What an output's values went through last, also where they are made of probabilities."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose

ONE = {"Dense": {"units": 1, "activation": "sigmoid", "name": "p"}}
TWO = {"Dense": {"units": 1, "activation": "sigmoid", "name": "q", "from": "x"}}
SHARES = {"Dense": {"units": 3, "activation": "softmax", "name": "p"}}
OTHERS = {"Dense": {"units": 3, "activation": "softmax", "name": "q", "from": "x"}}
LINEAR = {"Dense": {"units": 1, "name": "p"}}


def codes(tmp_path: Path, task: str, model: list[object]) -> list[str]:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 4, "feature": 3}}},
        "model": model,
        "outputs": {"y": {"task": task}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return [diagnostic.code for diagnostic in diagnose(path) if diagnostic.is_error]


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("binary", [ONE, "GlobalAveragePooling1D"]),
        ("binary", [ONE, {"reduce": {"axis": "time", "by": "max"}}]),
        ("binary", [ONE, TWO, {"Multiply": ["p", "q"]}]),
        ("binary", [ONE, TWO, {"Maximum": ["p", "q"]}, "GlobalMaxPooling1D"]),
        ("binary", [ONE, {"formula": "1 - x"}]),
        ("binary", [LINEAR, {"formula": "sigmoid(2 * x)"}]),
        ("binary", [LINEAR, {"formula": "exp(-x * x)"}]),
        ("classification", [SHARES, "GlobalAveragePooling1D"]),
        ("classification", [SHARES, OTHERS, {"Average": ["p", "q"]}]),
        ("classification", [SHARES, {"reduce": {"axis": "time", "by": "mean"}}]),
        ("classification", [SHARES, OTHERS, {"formula": {"from": ["p", "q"], "expression": "0.3 * x1 + 0.7 * x2"}}]),
    ],
    ids=str,
)
def test_probabilities_of_probabilities(task: str, model: list[object], tmp_path: Path) -> None:
    assert codes(tmp_path, task, model) == []


@pytest.mark.parametrize(
    ("task", "model"),
    [
        ("binary", [LINEAR, "GlobalAveragePooling1D"]),
        ("binary", [ONE, {"Dense": {"units": 1, "name": "r", "from": "x"}}, {"Average": ["p", "r"]}]),
        ("binary", [LINEAR, {"formula": "-abs(x)"}]),
        ("binary", [ONE, TWO, {"Add": ["p", "q"]}]),
        ("classification", [SHARES, {"reduce": {"axis": "time", "by": "max"}}]),
    ],
    ids=str,
)
def test_what_makes_no_probabilities(task: str, model: list[object], tmp_path: Path) -> None:
    assert codes(tmp_path, task, model) == ["NN507"]


def test_a_head_without_axes(tmp_path: Path) -> None:
    model = [{"formula": "-sum(x, time, feature)"}, {"insert": {"distance": 1}}]
    assert codes(tmp_path, "binary", model) == ["NN507"]


RATE = {"Dense": {"units": 1, "activation": "exponential", "name": "p"}}


@pytest.mark.parametrize(
    ("loss", "model", "expected"),
    [
        ("BinaryCrossentropy", [ONE, {"formula": "exp(cumsum(log(1 - x + 1.0e-6), time))"}], []),  # survival
        ("BinaryCrossentropy", [LINEAR, {"formula": "2 * x + 1"}], ["NN507"]),
        ("KLDivergence", [LINEAR, {"formula": "exp(x) / sum(exp(x), time)"}], []),
        ("Poisson", [LINEAR, {"formula": "exp(x)"}], []),
        ("Poisson", [LINEAR, {"formula": "2 * x + 1"}], ["NN337"]),
        ("Poisson", [RATE, {"Rescaling": 10}, {"reduce": {"axis": "time", "by": "sum"}}], []),
        ("Poisson", [LINEAR, {"Rescaling": 10}, {"reduce": {"axis": "time", "by": "sum"}}], ["NN337"]),
        ("Poisson", [RATE, {"formula": {"from": ["p", "x"], "expression": "x1 * max(x2, feature)"}}], []),  # exposure
        ("Poisson", [LINEAR, {"formula": {"from": ["p", "x"], "expression": "x1 * max(x2, feature)"}}], ["NN337"]),
        ("Poisson", [RATE, {"Dense": {"units": 1, "name": "q"}}, {"Add": ["p", "q"]}], ["NN337"]),
        ("Poisson", [RATE, {"Multiply": {"from": ["p", "x"], "broadcast": "feature"}}], []),
    ],
    ids=str,
)
def test_ranges_that_a_loss_needs(loss: str, model: list[object], expected: list[str], tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 4, "feature": 3}}},
        "model": model,
        "outputs": {"y": {"task": "regression", "loss": loss}},
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    assert [diagnostic.code for diagnostic in diagnose(path)] == expected
