"""What is known of the numbers of an array before training: ids, later steps as targets, how far from 0 they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.sources.array_header import MAX_NUMBERS, read_npy, read_npz, read_numbers
from nnspec.pipeline import diagnose

DTYPES = ["<f4", ">f4", "<f8", "u1", "i1", ">i2", "<i4", ">i8", "?"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("is_packed", [False, True])
def test_numbers_are_those_of_numpy(dtype: str, is_packed: bool, tmp_path: Path) -> None:
    wanted = np.arange(2 * 3 * 5).reshape(2, 3, 5).astype(dtype)
    np.save(tmp_path / "a.npy", wanted)
    (np.savez_compressed if is_packed else np.savez)(tmp_path / "a.npz", other=wanted[0], a=wanted)
    alone = read_numbers(tmp_path / "a.npy", None, read_npy(tmp_path / "a.npy"))
    member = read_numbers(tmp_path / "a.npz", "a", read_npz(tmp_path / "a.npz")["a"])
    assert alone is not None
    assert member is not None
    assert list(alone) == list(member) == wanted.ravel().tolist()


def test_what_is_no_finite_number_is_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.asarray([[1.5, np.nan], [np.inf, -2.0]]))
    assert read_numbers(tmp_path / "a.npy", None, read_npy(tmp_path / "a.npy")) == [1.5, -2.0]


def test_a_long_array_is_looked_at_in_part(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((MAX_NUMBERS + 5, 2), np.float32))
    found = read_numbers(tmp_path / "a.npy", None, read_npy(tmp_path / "a.npy"))
    assert found is not None
    assert len(found) == MAX_NUMBERS


@pytest.mark.parametrize("array", [np.asarray(["a", "b"]), np.ones((2, 3), order="F"), np.ones(3, np.float16)])
def test_others_are_not_read(array: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", array)
    assert read_numbers(tmp_path / "a.npy", None, read_npy(tmp_path / "a.npy")) is None


STEPS = """nnspec: 1
inputs: {x: {axes: {time: 9, feature: 2}}}
data:
  source: {npz: steps.npz}
  split: {train: 0.5, test: 0.5, by: order}
  inputs: {x: {array: x}}
  outputs: {y: {array: LATER}}
model: [LAYERS, {Dense: 1}]
outputs: {y: {task: regression}}
"""
SAME = "{Conv1D: {filters: 4, kernel_size: 3, padding: same}}"
CAUSAL = SAME.replace("same", "causal")
FAR = "{Conv1D: {filters: 4, kernel_size: 5, padding: same}}"


def codes(tmp_path: Path, text: str, **arrays: np.ndarray) -> set[str]:
    np.savez(tmp_path / "steps.npz", **arrays)
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    return {d.code for d in diagnose(tmp_path / "spec.yaml")}


@pytest.mark.parametrize(
    ("layers", "by", "wanted"),
    [
        (SAME, 1, {"NN382"}),
        (CAUSAL, 1, set()),
        ("{LSTM: {units: 3, return_sequences: true}}", 1, set()),
        ("{Bidirectional: {layer: {LSTM: {units: 3, return_sequences: true}}}}", 3, {"NN382"}),
        (SAME, 2, set()),  # it reads one step ahead
        (FAR, 2, {"NN382"}),
        (SAME, 0, set()),  # a reconstruction
    ],
)
def test_targets_that_are_read(layers: str, by: int, wanted: set[str], tmp_path: Path) -> None:
    whole = np.random.default_rng(0).normal(0, 1, (6, 9 + by, 2)).astype(np.float32)
    text = STEPS.replace("LAYERS", layers).replace("LATER", "y")
    assert codes(tmp_path, text, x=whole[:, :9], y=whole[:, by:, 1:]) == wanted


def test_targets_of_their_own_are_not_taken_for_inputs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, flags = rng.normal(0, 1, (6, 9, 2)).astype(np.float32), np.zeros((6, 9, 2), np.float32)
    text = STEPS.replace("LAYERS", SAME).replace("LATER", "y")
    assert codes(tmp_path, text, x=x, y=rng.normal(0, 1, (6, 9, 1)).astype(np.float32)) == set()
    assert codes(tmp_path, text, x=flags, y=flags[:, :, :1]) == set()  # the same everywhere, at any step


PIXELS = """nnspec: 1
inputs: {x: {axes: {time: 9, feature: 2}}}
data:
  source: {npz: steps.npz}
  split: {train: 0.5, test: 0.5, by: order}
  inputs: {x: {array: xSCALE}}
  outputs: {y: {array: y}}
model: [LAYERS, GlobalMaxPooling1D, {Dense: 1}]
outputs: {y: {task: regression}}
"""


@pytest.mark.parametrize(
    ("layers", "scale", "far"),
    [
        ("{Conv1D: {filters: 4, kernel_size: 3, activation: relu}}", "", True),
        ("{Conv1D: {filters: 4, kernel_size: 3, activation: relu}}", ", scale: minmax", False),
        ("{Rescaling: {scale: 0.01}}, {Conv1D: {filters: 4, kernel_size: 3}}", "", False),
        ("Normalization, {Conv1D: {filters: 4, kernel_size: 3}}", "", False),
        ("{Conv1D: {filters: 4, kernel_size: 3}}, BatchNormalization, ReLU", "", False),
        ("{Conv1D: {filters: 4, kernel_size: 3, activation: relu}}, BatchNormalization", "", True),
        ("{formula: 'x / 255'}, {Conv1D: {filters: 4, kernel_size: 3}}", "", False),
        ("{Dropout: 0.1}, {TimeDistributed: {layer: {Dense: 4}}}", "", True),
        ("{permute: [feature, time]}, {permute: [time, feature]}, {GRU: {units: 4, return_sequences: true}}", "", True),
    ],
)
def test_pixels_that_nothing_scales(layers: str, scale: str, far: bool, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 9, 2)).astype(np.uint8)
    text = PIXELS.replace("LAYERS", layers).replace("SCALE", scale)
    assert codes(tmp_path, text, x=pixels, y=np.arange(6.0)) == ({"NN383"} if far else set())
    if scale == "":
        assert codes(tmp_path, text, x=pixels // 2, y=np.arange(6.0)) == set()
