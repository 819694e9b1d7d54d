"""Masks that never meet padding."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from nnspec import pipeline
from nnspec.diagnostics import Severity
from nnspec.ir.graph import Node
from nnspec.layers.registry import REGISTRY

END = [{"LSTM": {"units": 3, "over": "time"}}, {"Dense": {"units": 1, "as": "target"}}]


def found(folder: Path, model: list[Any], given: dict[str, Any] | None) -> list[tuple[str, bool]]:
    """The codes, each with whether it is an error; `given` says how the sequences lie in the data, None: no data."""
    document: dict[str, Any] = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": 6, "feature": 2}}},
        "model": [*model, *END],
        "outputs": {"y": {"task": "regression"}},
    }
    if given is not None:
        lengths = np.array([3, 6, 2, 5])
        own = np.arange(1, 49, dtype=np.float32).reshape(4, 6, 2)
        flat = np.arange(1, 33, dtype=np.float32).reshape(16, 2)
        np.savez(folder / "data.npz", flat=flat, lengths=lengths, own=own, y=np.zeros((4, 1), np.float32))
        axes = ["time", "feature"] if "lengths" in given else ["sample", "time", "feature"]
        document["data"] = {
            "source": {"npz": "data.npz"},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": {"array": "flat" if "lengths" in given else "own", "axes": axes, **given}},
            "outputs": {"y": {"array": "y", "axes": ["sample", "target"]}},
        }
    (folder / "spec.yaml").write_text(json.dumps(document), encoding="utf-8")
    return [(one.code, one.severity is Severity.ERROR) for one in pipeline.diagnose(folder / "spec.yaml")]


LENGTHS = {"lengths": "lengths"}
MASK = {"Masking": {}}
MINUS = {"Masking": {"mask_value": -1}}
SCALED = {"Rescaling": {"scale": 2.0, "offset": -1.0}}


@pytest.mark.parametrize(
    ("model", "given", "wanted"),
    [
        ([MASK], {"scale": "standard"}, [("NN362", True)]),
        ([MASK], {"scale": "standard", "pad_value": 0}, []),
        ([MASK], {"scale": "none"}, []),
        ([MASK], LENGTHS, []),
        ([MINUS], LENGTHS, [("NN362", True)]),
        ([MASK], {**LENGTHS, "pad_value": -1}, [("NN362", True)]),
        ([MINUS], {**LENGTHS, "pad_value": -1}, []),
        ([], LENGTHS, [("NN363", False)]),
        (["Normalization", MASK], LENGTHS, [("NN362", True)]),
        ([{"Activation": "sigmoid"}, MASK], LENGTHS, [("NN362", True)]),
        ([{"Activation": "softplus"}, MASK], LENGTHS, [("NN362", True)]),
        (["Softmax", MASK], LENGTHS, [("NN362", True)]),
        ([{"Dense": {"units": 2, "use_bias": False, "activation": "sigmoid"}}, MASK], LENGTHS, [("NN362", True)]),
        ([{"Dense": {"units": 2, "use_bias": False, "activation": "relu"}}, MASK], LENGTHS, []),
        ([{"Activation": "tanh"}, MASK], LENGTHS, []),
        ([{"GaussianNoise": 0.1}, MASK], LENGTHS, [("NN362", True)]),
        ([{"AlphaDropout": 0.1}, MASK], LENGTHS, [("NN362", True)]),
        ([{"Dropout": 0.1}, MASK], LENGTHS, []),
        ([{"formula": "x * 2.0"}, MASK], LENGTHS, []),
        ([{"formula": "sigmoid(x) - 0.5"}, MASK], LENGTHS, []),
        ([{"formula": "clip(cos(x), 0, 1)"}, MASK], LENGTHS, [("NN362", True)]),
        ([{"formula": "log(x)"}, MASK], LENGTHS, [("NN362", True)]),
        (["BatchNormalization", MASK], LENGTHS, [("NN362", True)]),
        (["LayerNormalization", MASK], LENGTHS, [("NN362", True)]),
        ([{"Dense": {"units": 3}}, MASK], LENGTHS, [("NN362", True)]),
        ([{"Dense": {"units": 3, "use_bias": False}}, MASK], LENGTHS, []),
        ([{"TimeDistributed": {"layer": {"Dense": {"units": 3}}}}, MASK], LENGTHS, [("NN362", True)]),
        ([SCALED, MASK], LENGTHS, [("NN362", True)]),
        ([SCALED, MINUS], LENGTHS, []),
        ([{"Rescaling": {"scale": 0.5}}, MASK], LENGTHS, []),
        ([{"Dropout": {"rate": 0.5}}, MASK], LENGTHS, []),
        ([{"Dense": {"units": 3}}, MASK], None, [("NN362", False)]),
        (["BatchNormalization", MASK], None, [("NN362", False)]),
        ([SCALED, MASK], None, [("NN362", False)]),
        ([MINUS], None, []),
    ],
)
def test_masks_that_meet_padding_and_masks_that_do_not(
    tmp_path: Path, model: list[Any], given: dict[str, Any] | None, wanted: list[tuple[str, bool]]
) -> None:
    seen = [one for one in found(tmp_path, model, given) if one[0] in ("NN362", "NN363")]
    assert seen == wanted


TWICE = {"Rescaling": {"scale": 2.0, "offset": 1.0, "name": "twice"}}
DENSE = {"Dense": {"units": 2, "name": "dense", "as": "feature"}}


@pytest.mark.parametrize(
    ("model", "is_silent"),
    [
        ([TWICE, {"Add": {"from": ["twice", "x"]}}, MASK], False),
        ([TWICE, {"Add": {"from": ["x", "twice"]}}, MASK], False),
        ([TWICE, {"Concatenate": {"from": ["x", "twice"]}}, MASK], False),
        ([TWICE, {"Average": {"from": ["x", "twice"]}}, {"Masking": {"mask_value": 0.5}}], True),
        ([TWICE, {"Subtract": {"from": ["x", "twice"]}}, MINUS], True),
        ([TWICE, {"Subtract": {"from": ["x", "twice"]}}, MASK], False),
        ([TWICE, {"Multiply": {"from": ["x", "twice"]}}, MASK], True),
        ([TWICE, {"Maximum": {"from": ["x", "twice"]}}, MASK], True),  # is not followed
        ([TWICE, {"Concatenate": {"from": ["x", "twice"], "axis": "time"}}, MASK], True),  # masks steps of `x`
        ([DENSE, {"Add": {"from": ["dense", "x"]}}, MASK], False),
        ([DENSE, {"Concatenate": {"from": ["dense", "x"]}}, MASK], False),
        ([{"Rescaling": {"scale": 2.0, "name": "two"}}, {"Add": {"from": ["two", "x"]}}, MASK], True),
    ],
)
def test_padding_of_one_part_that_is_changed(tmp_path: Path, model: list[Any], is_silent: bool) -> None:
    seen = [one for one in found(tmp_path, model, LENGTHS) if one[0].startswith("NN3")]
    assert seen == ([] if is_silent else [("NN362", True)])


def test_values_of_padding_are_those_of_numpy(tmp_path: Path) -> None:
    """A mask of what the layer makes of 3 and 5, two kinds of padding, matches; any other does not."""
    parts = [
        {"Rescaling": {"scale": 1.0, "offset": 3.0, "name": "three", "from": "x"}},
        {"Rescaling": {"scale": 1.0, "offset": 5.0, "name": "five", "from": "x"}},
    ]
    for kind, value in (("Add", np.add(3, 5)), ("Subtract", np.subtract(3, 5)), ("Multiply", np.multiply(3, 5)),
                        ("Average", np.mean([3, 5]))):  # fmt: skip
        for shift in (0, 1):
            mask = {"Masking": {"mask_value": float(value) + shift}}
            seen = found(tmp_path, [*parts, {kind: {"from": ["three", "five"]}}, mask], LENGTHS)
            assert [one for one in seen if one[0] == "NN362"] == [("NN362", True)] * shift


@pytest.mark.parametrize("mode", ["magnitude", "log", "psd", "real", "imag", "angle", "stft"])
def test_spectrum_of_silence_is_what_keras_gives(mode: str) -> None:
    import keras

    form = {"mode": mode, "frame_length": 16, "frame_step": 16, "fft_length": 16}
    right = np.unique(np.asarray(keras.layers.STFTSpectrogram(**form)(np.zeros((1, 48, 1), np.float32))))
    (value,) = right.tolist()
    node = cast(Node, SimpleNamespace(args=form))
    assert REGISTRY["STFTSpectrogram"].padding_behind(node, 0.0) == pytest.approx(value, rel=1e-6)
