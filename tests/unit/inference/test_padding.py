"""Where padding begins to count as data, and where it is left out although the mask ends."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nnspec.pipeline import diagnose

Item = object

EMBEDDED: Item = {"Embedding": {"name": "e", "input_dim": 50, "output_dim": 8, "mask_zero": True}}
RECURRENT: Item = {"LSTM": {"units": 5, "return_sequences": True}}
BOTH_WAYS: Item = {"Bidirectional": {"layer": {"LSTM": {"units": 5, "return_sequences": True}}}}
LAST: Item = {"slice": {"token": -1}}
BACK: Item = {"mask_like": {"from": ["f", "e"]}}
HEAD: Item = {"Dense": {"units": 1}}
MEAN_LEFT_OUT: Item = {"formula": {"name": "f", "expression": "x - mean(x, token)"}}


def codes(tmp_path: Path, axes: dict[str, int | None], model: list[Item]) -> list[str]:
    document = {
        "nnspec": 1,
        "inputs": {"x": {"axes": axes, "dtype": "int32"}},
        "model": [*model, HEAD],
        "outputs": {"y": {"task": "regression"}},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return [diagnostic.code for diagnostic in diagnose(path)]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ([EMBEDDED, RECURRENT, LAST], []),  # a recurrent layer repeats at padding what it gave before
        ([EMBEDDED, RECURRENT, {"Cropping1D": [8, 0]}, "Flatten"], []),
        ([EMBEDDED, RECURRENT, {"slice": {"token": 0}}], ["NN319", "NN334"]),
        ([EMBEDDED, RECURRENT, {"slice": {"token": -2}}], ["NN319"]),
        ([EMBEDDED, LAST], ["NN319"]),
        ([EMBEDDED, BOTH_WAYS, LAST], ["NN319", "NN339"]),
        ([EMBEDDED, {"LayerNormalization": {"axis": "token"}}, {"LSTM": 5}], ["NN345"]),
        ([EMBEDDED, {"LayerNormalization": {"axis": ["token", "embedding"]}}, {"LSTM": 5}], ["NN345"]),
        ([EMBEDDED, {"GroupNormalization": 2}, {"LSTM": 5}], ["NN345"]),
        ([EMBEDDED, {"UnitNormalization": {"axis": 1}}, {"LSTM": 5}], ["NN345"]),
        ([EMBEDDED, "LayerNormalization", "BatchNormalization", {"LSTM": 5}], []),
        ([EMBEDDED, MEAN_LEFT_OUT, BACK, {"LSTM": 5}], ["NN345"]),
        ([EMBEDDED, {"formula": {"name": "f", "expression": "x * x"}}, BACK, {"LSTM": 5}], []),
        ([EMBEDDED, "unmask", MEAN_LEFT_OUT, BACK, {"LSTM": 5}], []),
    ],
    ids=str,
)
def test_steps(model: list[Item], expected: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, {"token": 9}, model) == expected


WORDS: Item = {"TimeDistributed": {"name": "h", "over": "sentence", "layer": RECURRENT}}
ATTENDED: list[Item] = [
    EMBEDDED,
    WORDS,
    {"Dense": {"units": 1}},
    {"Softmax": {"name": "a", "axis": "word"}},
    {"Multiply": {"from": ["h", "a"], "broadcast": "unit"}},
    {"reduce": {"name": "s", "axis": "word", "by": "sum"}},
]
PRESENT: list[Item] = [
    {"TimeDistributed": {"name": "present", "from": "h", "over": "sentence", "layer": "GlobalAveragePooling1D"}},
    {"mask_like": {"from": ["s", "present"]}},
]


@pytest.mark.parametrize("length", [None, 7])
def test_sentences_of_padding_are_told_until_their_mask_is_put_back(length: int | None, tmp_path: Path) -> None:
    axes = {"sentence": length, "word": 6}
    assert codes(tmp_path, axes, [*ATTENDED, {"GRU": 5}]) == ["NN319"]
    assert codes(tmp_path, axes, [*ATTENDED, *PRESENT, {"GRU": 5}]) == []


def test_words_alone_are_summed_without_a_word(tmp_path: Path) -> None:
    model = [EMBEDDED, {"Dense": {"units": 1}}, {"Softmax": {"name": "a", "axis": "word"}}]
    weighted = [{"Multiply": {"from": ["e", "a"], "broadcast": "embedding"}}, {"reduce": {"axis": "word", "by": "sum"}}]
    assert codes(tmp_path, {"word": 6}, [*model, *weighted]) == []
