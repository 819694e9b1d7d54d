"""Outputs that see later steps through one layer, while others of its kind are causal."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose

Item = object

CAUSAL: Item = {"Conv1D": {"filters": 8, "kernel_size": 3, "padding": "causal"}}
SAME: Item = {"Conv1D": {"filters": 8, "kernel_size": 3, "padding": "same"}}
POINTWISE: Item = {"Conv1D": {"filters": 8, "kernel_size": 1, "padding": "same"}}
STRIDED: Item = {"Conv1D": {"filters": 8, "kernel_size": 4, "strides": 2}}
BOTH_WAYS: Item = {"Bidirectional": {"layer": {"LSTM": {"units": 4, "return_sequences": True}}}}


def attention(name: str, query: str, value: str, **more: object) -> Item:
    return {"MultiHeadAttention": {"name": name, "from": [query, value], "num_heads": 2, "key_dim": 4, **more}}


def codes(tmp_path: Path, model: list[Item]) -> list[str]:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 12, "feature": 8}}, "source": {"axes": {"time": 9, "feature": 8}}},
        "model": [{"Identity": {"name": "u", "from": "x"}}, *model, {"Dense": 1}],
        "outputs": {"y": {"task": "regression"}},
    }
    if "source" not in str(model):
        del document["inputs"]["source"]  # type: ignore[attr-defined]
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return [diagnostic.code for diagnostic in diagnose(path)]


CAUSALLY = attention("a", "u", "u", use_causal_mask=True)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ([CAUSAL, SAME], ["NN384"]),
        ([SAME, CAUSAL], ["NN384"]),
        ([CAUSAL, CAUSAL, POINTWISE], []),
        ([SAME, SAME], []),
        ([STRIDED, CAUSAL], []),  # frames of several samples, then causal over frames
        ([CAUSAL, BOTH_WAYS], []),  # nobody takes a layer that runs both ways for a causal one
        ([CAUSAL, SAME, "Flatten"], []),  # no steps are left that could be too early
        ([CAUSAL, SAME, "GlobalAveragePooling1D"], []),
        ([CAUSALLY, attention("b", "a", "a")], ["NN384"]),
        ([CAUSALLY, attention("b", "a", "a", use_causal_mask=True)], []),
        ([CAUSALLY, SAME], []),  # arguments of different layers
        ([attention("e", "source", "source"), CAUSALLY, attention("b", "a", "e")], []),  # an encoder and its decoder
        ([CAUSALLY, attention("b", "a", "source")], []),
    ],
    ids=str,
)
def test_layers(model: list[Item], expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, model) == expected
