"""Masks and targets of steps that run backwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec import pipeline

BACKWARDS = {"go_backwards": True, "return_sequences": True}
CELL = {"cell": {"LSTMCell": {"units": 3}}}


def codes(folder: Path, model: list[Any], axes: dict[str, Any] | None = None, data: Any = None) -> list[str]:
    document: dict[str, Any] = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes or {"time": 6, "feature": 2}}},
        "model": model,
        "outputs": {"y": {"task": "regression"}},
    }
    if data is not None:
        document["data"] = data
    (folder / "spec.yaml").write_text(json.dumps(document), encoding="utf-8")
    return [one.code for one in pipeline.diagnose(folder / "spec.yaml")]


@pytest.mark.parametrize(
    "layer", [{"LSTM": {"units": 3}}, {"GRU": {"units": 3}}, {"SimpleRNN": {"units": 3}}, {"RNN": CELL}]
)
@pytest.mark.parametrize(
    "reader",
    [
        {"GRU": {"units": 3, "over": "time"}},
        {"RNN": {**CELL, "over": "time"}},
        {"GlobalAveragePooling1D": {"over": "time"}},
        {"MultiHeadAttention": {"num_heads": 1, "key_dim": 2, "over": "time"}},
        {"Bidirectional": {"layer": {"LSTM": {"units": 3}}, "over": "time"}},
        {"LSTM": {"units": 3, "over": "time", **BACKWARDS}},
    ],
    ids=lambda reader: next(iter(reader)),
)
def test_mask_that_is_not_turned_is_not_used(tmp_path: Path, layer: Any, reader: Any) -> None:
    kind, body = next(iter(layer.items()))
    turned = {kind: {**body, **BACKWARDS, "over": "time"}}
    for between in ([], [{"Dropout": {"rate": 0.1}}], [{"Dense": {"units": 2}}]):
        assert "NN360" in codes(tmp_path, ["Masking", turned, *between, reader])
    assert "NN360" not in codes(tmp_path, [turned, reader])
    assert "NN360" not in codes(tmp_path, ["Masking", turned, {"unmask": None}, reader])


def test_backward_steps_of_a_bidirectional_fit_their_mask(tmp_path: Path) -> None:
    both = {"Bidirectional": {"layer": {"LSTM": {"units": 3, "return_sequences": True}}, "over": "time"}}
    assert codes(tmp_path, ["Masking", both, {"LSTM": {"units": 3, "over": "time"}}]) == []
    last = {"LSTM": {"units": 3, "over": "time", "go_backwards": True}}
    assert codes(tmp_path, ["Masking", last, {"Dense": {"units": 1, "as": "t"}}]) == []


@pytest.mark.parametrize(("turns", "wrong"), [(0, False), (1, True), (2, False)])
def test_targets_run_as_the_steps_do(tmp_path: Path, turns: int, wrong: bool) -> None:
    steps = np.zeros((8, 6, 1), np.float32)
    np.savez(tmp_path / "data.npz", x=np.zeros((8, 6, 2), np.float32), y=steps)
    data = {
        "source": {"npz": "data.npz"},
        "split": {"train": 0.5, "test": 0.5},
        "inputs": {"x": {"array": "x", "axes": ["sample", "time", "feature"]}},
        "outputs": {"y": {"array": "y", "axes": ["sample", "time", "target"]}},
    }
    model = [{"GRU": {"units": 3, "over": "time", **BACKWARDS}} for _ in range(turns)]
    found = codes(tmp_path, [*model, {"Dense": {"units": 1, "as": "target"}}], data=data)
    assert ("NN361" in found) == wrong


@pytest.mark.parametrize("depth", [1, 2])
def test_masks_of_each_position_are_not_turned_either(tmp_path: Path, depth: int) -> None:
    """The words of each sentence run backwards; behind what makes one value of them, sentences run as they did."""

    def within(layer: Any) -> dict[str, Any]:
        for axis in ("day", "hour")[-depth:][::-1]:
            layer = {"TimeDistributed": {"over": axis, "layer": layer}}
        return layer

    axes = {**({"day": 3} if depth == 2 else {}), "hour": 4, "time": 6, "feature": 2}
    turned, read = within({"GRU": {"units": 3, **BACKWARDS}}), within({"LSTM": {"units": 3}})
    assert codes(tmp_path, ["Masking", turned, read], axes).count("NN360") == 1
    assert "NN360" not in codes(
        tmp_path, ["Masking", within({"GRU": {"units": 3, "return_sequences": True}}), read], axes
    )
    assert "NN360" not in codes(tmp_path, ["Masking", turned, "unmask", read], axes)
    outer = {"LSTM": {"units": 3, "over": "hour"}}
    if depth == 1:
        assert codes(tmp_path, ["Masking", turned, read, outer], axes).count("NN360") == 1
        assert "NN360" not in codes(
            tmp_path, ["Masking", within({"GRU": {"units": 3, "go_backwards": True}}), outer], axes
        )
