"""The main job on a quick spec: files, repeatability, resuming, and that nothing half-written is left behind."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from nnspec import api, runtime
from nnspec.cli import main
from nnspec.diagnostics import SpecError
from nnspec.jobs import artifact
from tests.conftest import write_quick
from tests.support.loaded_python import run_loaded
from tests.support.paths import ROOT

FILES = {
    "history.csv",
    "history.png",
    "manifest.json",
    "metrics.json",
    "model.keras",
    "model.onnx",
    "data.json",
    "preprocessing.json",
    "spec.yaml",
    "verify.json",
    "interface.json",
    "bom.cdx.json",
    "report.html",
    "MODEL_CARD.md",
}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build of the quick spec by the command, beside the spec and its data."""
    spec = write_quick(tmp_path_factory.mktemp("built"))
    result = run("build", spec, "--out", spec.parent / "out")
    assert result.exit_code == 0, result.stderr
    return spec.parent / "out"


def test_build_leaves_every_file(built: Path) -> None:
    out, quick = built, built.parent / "quick.yaml"
    assert {p.name for p in out.iterdir()} == FILES
    told = run("build", "--help").stdout
    assert not [name for name in FILES if name not in told]
    assert not list(quick.parent.glob(".out*"))
    metrics = json.loads((out / "metrics.json").read_text())
    assert set(metrics) == {"train", "validation", "test"}
    assert metrics["test"]["forecast"]["baseline"]["name"] == "persistence"
    verified = json.loads((out / "verify.json").read_text())
    measured = verified["outputs"]["forecast"]
    assert measured["passed"]
    assert measured["max_relative_error"] < 1e-5
    assert {1, 3, 32} <= set(measured["batch_sizes"])
    assert set(verified["lowered_by"].values()) == {"nnspec"}
    with (out / "history.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 3
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seed"] == 11
    for name, digest in manifest["files"].items():
        assert artifact.sha256((out / name).read_bytes()) == digest


def test_deployed_model_takes_raw_values_and_gives_original_units(built: Path) -> None:
    predict = runtime.load(built / "model.onnx")
    metrics = json.loads((built / "metrics.json").read_text(encoding="utf-8"))
    rows = np.loadtxt(built.parent / "series.csv", delimiter=",", skiprows=1, dtype=np.float32)
    window = np.stack([rows[i : i + 5] for i in range(200, 230)])
    forecast = predict(window=window)["forecast"]
    assert forecast.shape == (30, 1)
    error = np.sqrt(np.mean((forecast[:, 0] - rows[205:235, 0]) ** 2))
    assert error < metrics["test"]["forecast"]["baseline"]["rmse"] * 1.3
    assert 30 < forecast.min() < forecast.max() < 70


def test_same_spec_gives_the_same_weights(built: Path, quick: Path) -> None:
    second = api.load(quick).build(quick.parent / "b")
    x = np.linspace(30, 60, 2 * 10, dtype=np.float32).reshape(2, 5, 2)
    files = (built / "model.onnx", second.onnx)
    outputs = [onnxruntime.InferenceSession(file).run(None, {"window": x})[0] for file in files]
    np.testing.assert_array_equal(*outputs)
    other = api.load(quick, {"training.seed": 12}).build(quick.parent / "c")
    assert not np.array_equal(outputs[0], onnxruntime.InferenceSession(other.onnx).run(None, {"window": x})[0])


def test_override_reaches_the_build(quick: Path) -> None:
    out = quick.parent / "out"
    assert run("build", quick, "--out", out, "--set", "training.epochs=1", "-q").exit_code == 0
    assert len((out / "history.csv").read_text().splitlines()) == 2
    assert "epochs: 1" in (out / "spec.yaml").read_text()


def test_interrupted_build_resumes_and_the_old_one_stays(built: Path, quick: Path) -> None:
    out = quick.parent / "out"
    shutil.copytree(built, out)
    before = (out / "model.onnx").read_bytes()
    script = (
        "import sys, nnspec.jobs\n"
        "from nnspec.backends.keras.training import checkpoint as t\n"
        "old = t.Checkpoint.on_epoch_end\nt.Checkpoint.interval = 0\n"
        "def stop(self, epoch, logs=None):\n"
        "    old(self, epoch, logs)\n"
        "    if epoch == 2: import os; os._exit(9)\n"
        "t.Checkpoint.on_epoch_end = stop\n"
        "from nnspec.cli import main\n"
        f"main(['build', {str(quick)!r}, '--out', {str(out)!r}, '-q', '--set', 'training.epochs=6'])\n"
    )
    killed = run_loaded("-c", script, cwd=ROOT)
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


TWO_TOWERS = """\
nnspec: 1
name: two_towers
vars: {n: 6}
data:
  source: {npz: d.npz}
  split: {train: 0.7, validation: 0.15, test: 0.15, by: random}
  inputs:
    left: {array: a, scale: standard}
    right: {array: b, scale: minmax}
    word: {array: w, axes: [sample, position]}
  outputs:
    price: {array: p, scale: standard}
    sold: {array: s}
    tags: {array: t}
inputs:
  left: {axes: {time: 8, feature: 3}}
  right: {axes: {time: 8, feature: 3}}
  word: {axes: {position: 4}, dtype: int32}
layers:
  encoder: {GRU: {units: 5}}
blocks:
  dense_block:
    parameters: {units: null, rate: 0.1}
    model:
      - Dense: {units: $units, activation: relu, name: wide}
      - BatchNormalization
      - Dropout: {rate: $rate}
      - Dense: {units: $units, name: back}
      - Add: {from: [back, wide]}
model:
  - share: {use: encoder, from: left, name: enc_left}
  - share: {use: encoder, from: right, name: enc_right}
  - Subtract: {from: [enc_left, enc_right], name: difference}
  - Embedding: {input_dim: 20, output_dim: 4, from: word}
  - GlobalAveragePooling1D: {name: words}
  - Concatenate: {from: [difference, words], as: joined}
  - repeat:
      times: 2
      model:
        - block: {use: dense_block, units: $n, name: stage}
  - Dense: {units: 1, from: stage_2, name: price_head, as: value}
  - Dense: {units: 1, activation: sigmoid, from: stage_2, name: sold_head, as: probability}
  - Dense: {units: 3, activation: sigmoid, from: stage_1, name: tag_head, as: tag}
outputs:
  price: {task: regression, from: price_head, weight: 2.0, loss: Huber, metrics: [mae]}
  sold: {task: binary, from: sold_head, classes: ["no", "yes"]}
  tags: {task: multilabel, from: tag_head}
training: {epochs: 3, batch_size: 16, seed: 1}
"""


def test_several_inputs_outputs_blocks_and_shared_layers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(2, 300, 8, 3)).astype(np.float32)
    words = rng.integers(0, 20, (300, 4))
    price = (left.mean((1, 2)) - right.mean((1, 2)) + words.mean(1) / 10)[:, None].astype(np.float32)
    tags = np.concatenate([price > 0.9, left[:, 0, :1] > 0, right[:, 0, :1] > 0], axis=1)
    sold = (price > np.median(price)).astype(np.int64)
    np.savez(tmp_path / "d.npz", a=left, b=right, w=words, p=price, s=sold, t=tags.astype(np.int64))
    spec = tmp_path / "two_towers.yaml"
    spec.write_text(TWO_TOWERS, encoding="utf-8")
    built = api.load(spec).build(tmp_path / "out")
    assert set(built.metrics["test"]) == {"price", "sold", "tags"}
    assert all(measured["passed"] for measured in built.verification["outputs"].values())
    predict = runtime.load(built.onnx)
    made = predict(left=left[:7], right=right[:7], word=words[:7].astype(np.int32))
    assert {name: value.shape for name, value in made.items()} == {
        "price": (7, 1),
        "sold": (7, 1),
        "sold_label": (7, 1),
        "tags": (7, 3),
    }
    assert set(made["sold_label"].ravel()) <= {"no", "yes"}


def test_keras_file_loads_in_safe_mode_without_nnspec(quick: Path) -> None:
    text = quick.read_text().replace(
        "  - Conv1D: {filters: 3, kernel_size: 2, padding: causal, activation: relu, name: look}\n",
        "  - permute: [feature, time]\n  - insert: {channel: 1}\n"
        "  - TimeDistributed: {over: feature, layer: {Conv1D: {filters: 3, kernel_size: 2, padding: causal}}}\n"
        "  - permute: [time, feature, filter]\n  - merge: {channel: [feature, filter]}\n  - LSTM: {units: 4, "
        "return_sequences: true}\n",
    )
    quick.write_text(text)
    built = api.load(quick).build(quick.parent / "out")
    script = (
        "import sys\nsys.modules['nnspec'] = None\nimport keras, numpy as np\n"
        f"model = keras.models.load_model({str(built.keras)!r}, safe_mode=True)\n"
        "print(model(np.zeros((2, 5, 2), np.float32)).shape)\n"
    )
    done = run_loaded("-c", script, cwd=built.folder)
    assert done.returncode == 0, done.stderr
    assert "(2, 1)" in done.stdout


def _arrays(folder: Path, x: np.ndarray, size: str, dtype: str, first: str) -> Path:
    np.savez(folder / "data.npz", x=x, y=np.arange(len(x), dtype=np.float32))
    path = folder / "spec.yaml"
    path.write_text(
        "nnspec: 1\n"
        "data: {source: {npz: data.npz}, split: {train: 0.6, test: 0.4}, "
        "inputs: {x: {array: x}}, outputs: {y: {array: y}}}\n"
        f"inputs: {{x: {{axes: {{{size}}}, dtype: {dtype}}}}}\n"
        f"model: [{first}{{Dense: {{units: 1}}}}]\n"
        "outputs: {y: {task: regression}}\ntraining: {epochs: 1}\n"
    )
    return path


@pytest.mark.parametrize("strange", [10, -1])
def test_ids_without_a_vector_are_refused(tmp_path: Path, strange: int) -> None:
    ids = np.full((20, 3), 9)
    ids[:, 1] = strange
    lookup = "{Embedding: {input_dim: 10, output_dim: 2}}, Flatten, "
    spec = _arrays(tmp_path, ids, "time: 3", "int32", lookup)
    with pytest.raises(SpecError, match=f"NN351: array `x` of input `x` has id {strange} .* vectors for 0 to 9"):
        api.load(spec).build(tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))


def test_numbers_beyond_float32_are_refused(tmp_path: Path) -> None:
    values = np.ones((20, 3))
    values[2, 1] = 1e39
    spec = _arrays(tmp_path, values, "feature: 3", "float32", "")
    with pytest.raises(SpecError, match="NN506: input `x` has dtype float32, which cannot represent 1e\\+39"):
        api.load(spec).build(tmp_path / "out")
    assert not list(tmp_path.glob("*out*"))
