"""Padding that no mask marks: what the check says of a layer against what the network does with more padding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import soundfile

from nnspec import api, runtime
from nnspec.diagnostics import Diagnostic, NodeRef
from nnspec.pipeline import diagnose

RNG = np.random.default_rng(7)
FRAMES = {"mode": "psd", "frame_length": 16, "frame_step": 16, "fft_length": 16, "trainable": False}
MEAN = "GlobalAveragePooling1D"
# each branch is the name of its last layer that reads all of the axis, and the layers up to it
BRANCHES: dict[str, tuple[str, list[Any]]] = {
    "mean": ("sounds", [MEAN]),
    "largest": ("wave", ["GlobalMaxPooling1D"]),
    "state": ("sounds", [{"GRU": {"units": 3, "over": "sample"}}]),
    "both_ways": ("sounds", [{"Bidirectional": {"over": "sample", "layer": {"LSTM": {"units": 3}}}}]),
    "last": ("sounds", [{"slice": {"sample": -1}}]),
    "first": ("sounds", [{"slice": {"sample": 0}}]),
    "squares": ("sounds", [{"formula": "mean(x * x, sample)"}]),
    "of_data": ("wave", [{"formula": "sum(where(x > 0, x, 0), sample) / (1 + sum(x > 0, sample))"}]),
    "power": ("wave", [{"formula": "sum(x * x, sample)"}]),
    "level": ("wave", [{"reduce": {"axis": "sample", "by": "mean"}}]),
    "total": ("wave", [{"reduce": {"axis": "sample", "by": "l2"}}]),
    "masked": ("frames", [MEAN]),
    "masked_state": ("frames", [{"GRU": {"units": 3}}]),
    "put_back": ("again", [MEAN]),
}


def document() -> dict[str, Any]:
    model: list[Any] = [
        {"insert": {"name": "wave", "channel": 1}},
        {"Conv1D": {"name": "sounds", "filters": 4, "kernel_size": 5, "strides": 3, "activation": "relu"}},
        {"STFTSpectrogram": {"name": "spectra", "from": "wave", **FRAMES}},
        {"Masking": {"name": "frames"}},
        "unmask",
        {"Conv1D": {"name": "smooth", "filters": 4, "kernel_size": 3, "padding": "causal"}},
        {"mask_like": {"name": "again", "from": ["smooth", "frames"]}},
    ]
    for name, (source, layers) in BRANCHES.items():
        (layer,) = layers
        kind, body = next(iter(layer.items())) if isinstance(layer, dict) else (layer, {})
        body = body if isinstance(body, dict) else {"expression": body}
        model.append({kind: {"name": name, "from": source, **body}})
    model.append({"Dense": {"name": "word", "from": "mean", "units": 2, "activation": "softmax", "as": "class"}})
    return {
        "nnspec": 1,
        "name": "uneven",
        "inputs": {"clip": {"axes": {"sample": None}}},
        "model": model,
        "outputs": {
            "kind": {"task": "classification", "from": "word"},
            **{f"{name}_value": {"from": name, "task": "none"} for name in BRANCHES},
        },
        "data": {
            "split": {"train": 0.5, "test": 0.5, "by": "stratified"},
            "inputs": {"clip": {"audio": "clips", "rate": 8000, "pad_value": 0}},
            "outputs": {"kind": {"folder_of": "clip"}},
        },
        "training": {"optimizer": "Adam", "epochs": 1, "batch_size": 2, "seed": 1},
    }


def record(path: Path, samples: int) -> np.ndarray:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = RNG.uniform(-0.5, 0.5, samples).astype(np.float32)
    soundfile.write(path, values, 8000, subtype="FLOAT")
    return values


def found(spec: Path) -> list[Diagnostic]:
    return [one for one in diagnose(spec) if one.code == "NN386"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network of all branches: the longest clip of its training has 320 samples, 20 frames."""
    folder = tmp_path_factory.mktemp("uneven")
    for label in ("no", "yes"):
        for number, count in enumerate((160, 320)):
            record(folder / "clips" / label / f"{number}.wav", count)
    (folder / "spec.yaml").write_text(json.dumps(document()), encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out").folder


def test_layers_that_read_padding_are_those_whose_answer_it_changes(built: Path) -> None:
    session = onnxruntime.InferenceSession(built / "model.onnx")
    clip = RNG.uniform(-0.5, 0.5, (1, 160)).astype(np.float32)
    names = [f"{name}_value" for name in BRANCHES]
    some, more = (session.run(names, {"clip": np.pad(clip, ((0, 0), (0, count)))}) for count in (0, 160))
    changed = {name for name, one, other in zip(BRANCHES, some, more, strict=True) if np.abs(one - other).max() > 1e-4}
    (said,) = found(built.parent / "spec.yaml")
    assert {one.name for one in said.about if isinstance(one, NodeRef)} == changed
    assert changed == {"mean", "state", "both_ways", "last", "squares", "level"}


def test_clips_of_one_length_have_no_padding(built: Path, tmp_path: Path) -> None:
    for label in ("no", "yes"):
        for number in range(2):
            record(tmp_path / "clips" / label / f"{number}.wav", 160)
    (tmp_path / "spec.yaml").write_text(json.dumps(document()), encoding="utf-8")
    assert not found(tmp_path / "spec.yaml")


def test_clip_of_a_folder_is_answered_as_alone_and_as_at_its_own_length(built: Path, tmp_path: Path) -> None:
    counts = [100, 1000, 320, 500, 1000]  # 320 is the longest of training
    clips = [record(tmp_path / f"{number}.wav", count) for number, count in enumerate(counts)]
    loaded = runtime.load(built / "model.onnx")
    together = list(loaded.records(tmp_path))
    alone = [next(iter(loaded.records(tmp_path / f"{number}.wav"))) for number in range(len(clips))]
    session = onnxruntime.InferenceSession(built / "model.onnx")
    for one, other, clip in zip(together, alone, clips, strict=True):
        assert str(one["file"]).endswith(Path(str(other["file"])).name)
        mine, its = (np.array([float(str(row[f"kind_p_{label}"])) for label in ("no", "yes")]) for row in (one, other))
        padded = np.pad(clip, (0, max(0, 320 - len(clip))))
        (right,) = session.run(["kind"], {"clip": padded[None]})
        np.testing.assert_allclose(mine, right[0], atol=1e-6)
        np.testing.assert_allclose(its, right[0], atol=1e-6)


def test_sequence_of_an_archive_is_answered_as_alone(tmp_path: Path) -> None:
    lengths = np.array([3, 6, 2, 5])
    rows = RNG.normal(size=(16, 2)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=rows, n=lengths, y=RNG.normal(size=(4, 1)).astype(np.float32))
    spec = {
        "nnspec": 1,
        "inputs": {"x": {"axes": {"time": None, "feature": 2}}},
        "model": [
            {"Masking": {"name": "steps"}},
            {"LSTM": {"name": "state", "units": 3}},
            {MEAN: {"name": "mean", "from": "x"}},
            {"Concatenate": {"from": ["state", "mean"], "axis": -1}},
            {"Dense": {"units": 1, "as": "target"}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "data": {
            "source": {"npz": "data.npz"},
            "split": {"train": 0.5, "test": 0.5, "by": "order"},
            "inputs": {"x": {"array": "x", "axes": ["time", "feature"], "lengths": "n"}},
            "outputs": {"y": {"array": "y", "axes": ["sample", "target"]}},
        },
        "training": {"optimizer": "Adam", "epochs": 1, "batch_size": 2},
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(spec), encoding="utf-8")
    (said,) = found(tmp_path / "spec.yaml")
    assert [one.name for one in said.about if isinstance(one, NodeRef)] == ["mean"]
    folder = api.load(tmp_path / "spec.yaml").build(tmp_path / "out").folder
    body = json.loads((folder / "interface.json").read_text(encoding="utf-8"))["inputs"]["x"]
    assert body["padding"]["least"] == 6  # the longest of training
    counts = [9, 2, 6, 7, 9]
    sequences = [RNG.normal(size=(count, 2)).astype(np.float32) for count in counts]
    np.savez(tmp_path / "new.npz", x=np.concatenate(sequences), n=np.array(counts))
    loaded = runtime.load(folder / "model.onnx")
    together = [row["y"] for row in loaded.records(tmp_path / "new.npz")]
    for one, sequence in zip(together, sequences, strict=True):
        np.savez(tmp_path / "one.npz", x=sequence, n=np.array([len(sequence)]))
        (alone,) = loaded.records(tmp_path / "one.npz")
        right = loaded(np.pad(sequence, ((0, max(0, 6 - len(sequence))), (0, 0)))[None])["y"].item()
        assert one == pytest.approx(right, abs=1e-6)
        assert alone["y"] == pytest.approx(right, abs=1e-6)
