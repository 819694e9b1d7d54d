"""Sequences of unequal length, sound, and types that are kept. Expected values by hand or by plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.prepare.loading import load_array
from nnspec.data.sources.base import SourcePlan
from nnspec.data.sources.npz import SOURCE as NPZ
from nnspec.diagnostics import SpecError
from tests.support.data_files import ARRAYS, WINDOWS, W, Y, fault, run, write_table, write_wav
from tests.unit.data.section.test_plan import HERE, slot


def test_sequences_are_padded_at_their_end(tmp_path: Path) -> None:
    lengths = np.array([2, 4, 3, 1])
    steps = 1.0 + np.arange(3 * 10).reshape(3, 10)  # features, then all steps of all samples
    np.savez(tmp_path / "a.npz", steps=steps, n=lengths, y=np.arange(4.0))
    text = """
source: {npz: a.npz}
split: {train: 0.75, test: 0.25, by: order}
inputs: {x: {array: steps, axes: [feature, time], lengths: n, pad_value: -1, scale: standard}}
outputs: {y: {array: y}}
"""
    data = run(text, tmp_path, [slot("x", ("time", "T"), ("feature", 3))], [Y])
    raw, x = data.splits["train"].raw["x"], data.splits["train"].x["x"]
    assert raw.shape == (3, 4, 3)
    np.testing.assert_array_equal(raw[0], [[1, 11, 21], [2, 12, 22], [-1, -1, -1], [-1, -1, -1]])
    np.testing.assert_array_equal(raw[1], steps[:, 2:6].T)
    np.testing.assert_array_equal(raw[2, :3], steps[:, 6:9].T)
    assert (x[0, 2:] == -1).all()
    train = steps[:, :9]
    np.testing.assert_allclose(x[1], ((train[:, 2:6].T - train.mean(1)) / train.std(1)), rtol=1e-4, atol=1e-6)
    fixed = run(text, tmp_path, [slot("x", ("feature", 3), ("time", 6))], [Y])
    assert fixed.splits["test"].raw["x"].tolist() == [[[v, -1, -1, -1, -1, -1] for v in (10, 20, 30)]]
    assert fault(text, tmp_path, [slot("x", ("feature", 3), ("time", 3))], [Y])[0] == "NN506"
    assert (
        "marks padding"
        in fault(
            text.replace("[feature, time]", "[time]")
            .replace("steps,", "y,")
            .replace("lengths: n, pad_value: -1", "lengths: m, pad_value: 2"),
            _with_m(tmp_path),
            [slot("x", ("time", "T"))],
            [Y],
        )[1]
    )


def _with_m(root: Path) -> Path:
    np.savez(root / "a.npz", y=np.arange(4.0), m=np.array([1, 1, 1, 1]))
    return root


def test_padding_that_is_already_there(tmp_path: Path) -> None:
    x = np.arange(1.0, 25.0).reshape(4, 3, 2)
    x[1, 1:] = 0
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(4.0))
    text = """
source: {npz: a.npz}
split: {train: 0.75, test: 0.25, by: order}
inputs: {x: {array: x, pad_value: 0, scale: standard}}
outputs: {y: {array: y}}
"""
    data = run(text, tmp_path, [slot("x", ("time", 3), ("feature", 2))], [Y])
    assert (data.splits["train"].x["x"][1, 1:] == 0).all()
    real = np.delete(x[:3].reshape(9, 2), [4, 5], axis=0)
    assert data.inputs["x"].scaling is not None
    np.testing.assert_allclose(data.inputs["x"].scaling.offset[0], real.mean(0), rtol=1e-6)


SOUND = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {wav: "*.wav", frame: 5, stride: 3, rate: 8000}}
outputs: {y: {npy: y.npy}}
"""


def test_frames_of_files_in_name_order(tmp_path: Path) -> None:
    write_wav(tmp_path / "b.wav", np.arange(100, 112))
    write_wav(tmp_path / "a.wav", np.arange(9))
    np.save(tmp_path / "y.npy", np.arange(5.0))
    data = run(SOUND, tmp_path, [slot("x", ("time", 5), ("channel", 1))], [Y])
    raw = np.concatenate([split.raw["x"] for split in data.splits.values()])
    assert raw.shape == (5, 5, 1)  # the last two samples of a.wav fill no frame, nor does the last of b.wav
    np.testing.assert_allclose(raw[:, 0, 0] * 32768, [0, 3, 100, 103, 106], atol=1e-3)
    np.testing.assert_allclose(raw[2, :, 0] * 32768, np.arange(100, 105), atol=1e-3)


def test_faults_of_sound_files(tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.arange(2.0))
    inputs = [slot("x", ("time", 5))]
    write_wav(tmp_path / "a.wav", np.arange(8), rate=16000)
    assert "16000" in fault(SOUND, tmp_path, inputs, [Y])[1]
    write_wav(tmp_path / "a.wav", np.arange(16), channels=2)
    assert "mono" in fault(SOUND, tmp_path, inputs, [Y])[1]
    write_wav(tmp_path / "a.wav", np.arange(4))
    assert "the length of one frame" in fault(SOUND, tmp_path, inputs, [Y])[1]
    (tmp_path / "a.wav").write_bytes(b"RIFF0000")
    assert fault(SOUND, tmp_path, inputs, [Y])[0] == "NN502"


def test_integer_inputs_keep_their_type(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([[3, 1], [2, 5], [4, 7], [0, 6]]), y=np.arange(4.0))
    text = ARRAYS.replace("SPLIT", "{train: 0.5, test: 0.5, by: order}").replace("label", "y")
    data = run(text, tmp_path, [slot("x", ("token", 2), dtype="int32")], [Y])
    assert data.splits["train"].x["x"].dtype == np.int32
    assert data.splits["test"].x["x"].tolist() == [[4, 7], [0, 6]]
    np.savez(tmp_path / "a.npz", x=np.array([[300, 1], [2, 5], [4, 7], [0, 6]]), y=np.arange(4.0))
    code, message = fault(text, tmp_path, [slot("x", ("token", 2), dtype="uint8")], [Y])
    assert (code, "300" in message) == ("NN506", True)


def test_the_reader_itself_refuses_pickles(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.array([{}], dtype=object))
    with pytest.raises(SpecError, match="NN502"):
        load_array(SourcePlan(source=NPZ, path=tmp_path / "a.npz", shown="a.npz", span=HERE, where="data.source"), "x")


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    import pyarrow.csv
    import pyarrow.parquet

    write_table(tmp_path / "a.csv", shuffle=True)
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(tmp_path / "a.csv"), tmp_path / "a.parquet")
    one = run(WINDOWS, tmp_path, [W], [Y])
    two = run(WINDOWS.replace("csv: a.csv", "parquet: a.parquet"), tmp_path, [W], [Y])
    for name in one.splits:
        np.testing.assert_array_equal(one.splits[name].x["w"], two.splits[name].x["w"])
        np.testing.assert_array_equal(one.splits[name].rows, two.splits[name].rows)
    (tmp_path / "a.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:200])
    assert fault(WINDOWS.replace("csv: a.csv", "parquet: a.parquet"), tmp_path, [W], [Y])[0] == "NN502"
