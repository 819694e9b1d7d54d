"""The main job on a quick spec: files, repeatability, resuming, and that nothing half-written is left behind."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from nnspec import api, artifact, runtime
from nnspec.cli import main
from nnspec.diagnostics import SpecError

FILES = {
    "history.csv",
    "history.png",
    "manifest.json",
    "metrics.json",
    "model.keras",
    "model.onnx",
    "preprocessing.json",
    "spec.yaml",
    "verify.json",
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


def test_build_leaves_every_file(quick: Path) -> None:
    out = quick.parent / "out"
    result = run("build", quick, "--out", out)
    assert result.exit_code == 0, result.stderr
    assert {p.name for p in out.iterdir()} == FILES
    assert not list(quick.parent.glob(".out*"))
    metrics = json.loads((out / "metrics.json").read_text())
    assert set(metrics) == {"train", "validation", "test"}
    assert metrics["test"]["forecast"]["baseline"]["name"] == "persistence"
    verified = json.loads((out / "verify.json").read_text())
    figures = verified["outputs"]["forecast"]
    assert figures["passed"]
    assert figures["max_relative_error"] < 1e-5
    assert {1, 3, 32} <= set(figures["batch_sizes"])
    assert set(verified["lowered_by"].values()) == {"nnspec"}
    with (out / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seed"] == 11
    for name, digest in manifest["files"].items():
        assert artifact.sha256((out / name).read_bytes()) == digest


def test_deployed_model_takes_raw_values_and_gives_original_units(quick: Path) -> None:
    out = quick.parent / "out"
    built = api.load(quick).build(out)
    predict = runtime.load(built.onnx)
    rows = np.loadtxt(quick.parent / "series.csv", delimiter=",", skiprows=1, dtype=np.float32)
    window = np.stack([rows[i : i + 5] for i in range(200, 230)])
    forecast = predict(window=window)["forecast"]
    assert forecast.shape == (30, 1)
    error = np.sqrt(np.mean((forecast[:, 0] - rows[205:235, 0]) ** 2))
    assert error < built.metrics["test"]["forecast"]["baseline"]["rmse"] * 1.3
    assert 30 < forecast.min() < forecast.max() < 70


def test_same_spec_gives_the_same_weights(quick: Path) -> None:
    first = api.load(quick).build(quick.parent / "a")
    second = api.load(quick).build(quick.parent / "b")
    x = np.linspace(30, 60, 2 * 10, dtype=np.float32).reshape(2, 5, 2)
    outputs = [onnxruntime.InferenceSession(r.onnx).run(None, {"window": x})[0] for r in (first, second)]
    np.testing.assert_array_equal(*outputs)
    other = api.load(quick, {"training.seed": 12}).build(quick.parent / "c")
    assert not np.array_equal(outputs[0], onnxruntime.InferenceSession(other.onnx).run(None, {"window": x})[0])


def test_override_reaches_the_build(quick: Path) -> None:
    out = quick.parent / "out"
    assert run("build", quick, "--out", out, "--set", "training.epochs=1", "-q").exit_code == 0
    assert len((out / "history.csv").read_text().splitlines()) == 2
    assert "epochs: 1" in (out / "spec.yaml").read_text()


def test_interrupted_build_resumes_and_the_old_one_stays(quick: Path) -> None:
    out = quick.parent / "out"
    assert run("build", quick, "--out", out, "-q").exit_code == 0
    before = (out / "model.onnx").read_bytes()
    script = (
        "import sys, nnspec.build\n"
        "from nnspec import train_callbacks as t\n"
        "old = t.Checkpoint.on_epoch_end\n"
        "def stop(self, epoch, logs=None):\n"
        "    old(self, epoch, logs)\n"
        "    if epoch == 2: import os; os._exit(9)\n"
        "t.Checkpoint.on_epoch_end = stop\n"
        "from nnspec.cli import main\n"
        f"main(['build', {str(quick)!r}, '--out', {str(out)!r}, '-q', '--set', 'training.epochs=6'])\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False)
    assert killed.returncode == 9, killed.stderr
    assert (out / "model.onnx").read_bytes() == before
    assert {p.name for p in out.iterdir()} == FILES
    result = run("build", quick, "--out", out, "--resume", "--set", "training.epochs=6")
    assert result.exit_code == 0
    assert "epoch 4/6" in result.stderr
    assert "epoch 3/6" not in result.stderr
    assert len((out / "history.csv").read_text().splitlines()) == 7
    assert not list(quick.parent.glob(".out*"))


def test_nan_loss_is_a_diagnostic_and_leaves_nothing(quick: Path) -> None:
    out = quick.parent / "out"
    result = run("build", quick, "--out", out, "--set", "training.optimizer={SGD: {learning_rate: 1.0e+30}}")
    assert result.exit_code == 1
    assert "NN515" in result.stderr
    assert "Traceback" not in result.stderr
    assert not out.exists()


def test_spec_without_data_cannot_be_trained_but_exported(quick: Path) -> None:
    text = quick.read_text()
    start, end = text.index("data:"), text.index("inputs:\n  window: {axes")
    bare = quick.parent / "bare.yaml"
    bare.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(SpecError) as error:
        api.load(bare).build(quick.parent / "out")
    assert error.value.diagnostics[0].code == "NN517"
    run_ = api.load(bare).export(quick.parent / "out", untrained=True)
    assert {p.name for p in run_.folder.iterdir()} >= {"model.onnx", "model.keras", "verify.json"}


def test_callback_cannot_write_outside(quick: Path) -> None:
    with pytest.raises(SpecError) as error:
        api.load(quick, {"training.callbacks": [{"CSVLogger": {"filename": "../../evil.csv"}}]}).build(
            quick.parent / "o"
        )
    assert error.value.diagnostics[0].code == "NN510"
    assert not (quick.parent.parent / "evil.csv").exists()


def test_callbacks_of_the_spec_run(quick: Path) -> None:
    callbacks = [
        {"CSVLogger": {"filename": "log.csv"}},
        {"ModelCheckpoint": {"filepath": "best.keras"}},
        {"ReduceLROnPlateau": {"patience": 1}},
        {"EarlyStopping": {"patience": 2}},
        "TerminateOnNaN",
        {"TensorBoard": {"log_dir": "board"}},
    ]
    built = api.load(quick, {"training.callbacks": callbacks}).build(quick.parent / "out")
    assert (built.folder / "log.csv").is_file()
    assert (built.folder / "best.keras").is_file()
    assert list((built.folder / "board").rglob("events*"))


def test_output_that_is_a_file_is_an_error(quick: Path) -> None:
    (quick.parent / "taken").write_text("x")
    result = run("build", quick, "--out", quick.parent / "taken")
    assert result.exit_code == 1
    assert "NN606" in result.stderr
    assert (quick.parent / "taken").read_text() == "x"
