"""JAX in a process without TensorFlow, against TensorFlow in this one: verbs, weights, losses, resumed builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nnspec import pipeline
from nnspec.backends.keras.jax.adaptive_windows import gather_indices
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.diagnostics import Severity, SpecError
from tests.support.case_files import CASES
from tests.support.engine_steps import STEPS, steps_of_case, steps_of_spec
from tests.support.jax_builds import example
from tests.support.paths import ROOT
from tests.tools.engine_features import difference, histories
from tests.tools.engine_layers import refusal
from tests.tools.without_tensorflow import QUICK_COMPILER, make_linked, run_verbs

# Of layers with weights, what engines compute differently: statistics, states, masks, ids, padding, attention.
KINDS = (
    "Bidirectional", "Conv2DTranspose", "DepthwiseConv2D", "EinsumDense",
    "Embedding", "GRU", "GlobalAveragePooling1D", "RNN", "SeparableConv1D",
)  # fmt: skip
LABELS = [next(case.label for case in CASES if case.kind == kind) for kind in KINDS]
LABELS += ["MultiHeadAttention-value-dim"]  # more than the first case; the LSTM is in the Bidirectional one
LABELS += ["ConvLSTM2D-symbol"]  # asks the model for predictions over so many steps that TensorFlow would trace them
LABELS += [f"GlobalAveragePooling1D-mask-lost-in-{layer}" for layer in ("Reshape", "Permute", "Cropping1D")]
LABELS += ["BatchNormalization-synchronized", "Resizing-nearest-between"]
SPECS = ["specs/multi_output_classifier.yaml"]  # the others: `python -m tests.tools.engine_losses`


def on_jax(module: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("KERAS_BACKEND", None)
    environment["XLA_FLAGS"] = QUICK_COMPILER
    command = [sys.executable, "-m", f"tests.support.{module}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    out = tmp_path_factory.mktemp("steps") / "jax.npz"
    on_jax(
        "engine_steps",
        "jax",
        str(out),
        *SPECS,
        *(f"case:{label}" for label in LABELS),
        "feature:stateful",
        "feature:saturated",
    )
    with np.load(out) as found:
        return dict(found)


@pytest.mark.parametrize("what", [*SPECS, *LABELS])
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")  # a layer alone may have none
def test_the_same_weights_and_losses(what: str, steps: dict[str, np.ndarray]) -> None:
    """Initial weights within a rounding, and the losses of 20 steps within 1e-4; dropout apart."""
    assert f"{what}/failure" not in steps, steps[f"{what}/failure"]
    mine = steps_of_spec(ROOT / what, TENSORFLOW) if what in SPECS else steps_of_case(what, TENSORFLOW)
    np.testing.assert_allclose(steps[f"{what}/weights"], mine["weights"], rtol=0, atol=1e-6)
    assert len(mine["losses"]) == STEPS
    np.testing.assert_allclose(steps[f"{what}/losses"], mine["losses"], rtol=0, atol=1e-4)
    assert len(set(mine["losses"].tolist())) > 1


@pytest.mark.parametrize(("feature", "most"), [("stateful", 1e-5), ("saturated", 1e-4)])
def test_a_whole_training_has_the_same_history(feature: str, most: float, steps: dict[str, np.ndarray]) -> None:
    """By the job of `nnspec train`: states are carried, and reset at each epoch and each validation; crossentropies are
    those of logits, as probabilities of wrong classes vanish."""
    on_jax, here = json.loads(str(steps[f"{feature}/history"])), histories("tensorflow", [feature])[feature]
    assert not isinstance(on_jax, str), on_jax
    assert difference(on_jax, here) < most
    assert feature != "saturated" or on_jax[0]["loss"] > 17  # more than a probability of 1e-07 gives


def test_every_verb_without_tensorflow(tmp_path: Path) -> None:
    """Check, build, resume, verify, export, evaluate, predict in an environment that does not have it; what is resumed
    ends in the same bytes."""
    python = make_linked(tmp_path / "environment")
    found = run_verbs(python, example(tmp_path), tmp_path, flags=QUICK_COMPILER)
    assert "verified `y`" in found["build"]
    assert "rmse" in found["evaluate"]
    assert (tmp_path / "forecasts.csv").read_text(encoding="utf-8").count("\n") > 50
    whole = tmp_path / "whole"
    assert (tmp_path / "resumed" / "model.onnx").read_bytes() == (whole / "model.onnx").read_bytes()
    assert (tmp_path / "exported" / "model.onnx").is_file()
    manifest = json.loads((whole / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["training"] == {"backend": "jax", "devices": ["cpu:0"]}
    assert {"jax", "jaxlib", "keras"} <= manifest["versions"].keys()
    assert "tensorflow" not in manifest["versions"]
    causality = json.loads((whole / "verify.json").read_text(encoding="utf-8"))["causality"]["layer conv"]["time"]
    assert causality["max_gradient_after"] == 0
    assert causality["max_gradient"] > 0.01


def test_what_only_tensorflow_has_is_refused_by_name(tmp_path: Path) -> None:
    spec = {
        "nnspec": 1,
        "inputs": {"ids": {"axes": {"step": 3, "word": 1}, "dtype": "int32"}},
        "model": [
            {"TimeDistributed": {"over": "step", "layer": {"Hashing": {"num_bins": 5, "output_mode": "one_hot"}}}},
            "Flatten",
            {"Dense": {"units": 1}},
        ],
        "outputs": {"y": {"task": "regression"}},
        "training": {"backend": "jax"},
    }
    lookup = ["Flatten", {"IntegerLookup": {"vocabulary": [1, 2], "output_mode": "multi_hot"}}, {"Dense": {"units": 1}}]
    path = tmp_path / "spec.yaml"
    for model in (spec["model"], lookup):
        path.write_text(json.dumps({**spec, "model": model}), encoding="utf-8")
        (fault,) = (fault for fault in pipeline.diagnose(path) if fault.severity == Severity.ERROR)
        assert fault.code == "NN614"
    path.write_text(json.dumps({**spec, "training": {"backend": "tensorflow"}}), encoding="utf-8")
    assert "NN614" not in {fault.code for fault in pipeline.diagnose(path)}


def test_an_engine_that_is_not_installed_is_a_diagnostic() -> None:
    class Missing(type(TENSORFLOW)):  # type: ignore[misc]
        name = "an_engine_of_nobody"

    with pytest.raises(SpecError) as caught:
        Missing().load()
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN612"
    assert "pip install an_engine_of_nobody" in fault.fixes[0].message


@pytest.mark.parametrize(
    "layer",
    [
        "RandomElasticTransform",
        {"Resizing": {"height": 4, "width": 4, "interpolation": "area"}},
        {"SpectralNormalization": {"layer": {"Conv2D": {"filters": 2, "kernel_size": 3}}}},
    ],
)
def test_what_keras_gets_wrong_on_jax_is_refused_by_name(layer: object, tmp_path: Path) -> None:
    spec = {
        "nnspec": 1,
        "inputs": {"picture": {"axes": {"height": 8, "width": 8, "channel": 3}}},
        "model": [layer, "Flatten", {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression"}},
        "training": {"backend": "jax"},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    assert [d.code for d in pipeline.diagnose(path) if d.severity is Severity.ERROR] == ["NN614"]


@pytest.mark.parametrize(("length", "is_refused"), [(33, True), (34, False)])
def test_a_window_that_keras_places_otherwise_on_jax_is_refused(length: int, is_refused: bool, tmp_path: Path) -> None:
    mel = {"fft_length": 50, "sequence_stride": 12, "sequence_length": length, "num_mel_bins": 5}
    spec = {
        "nnspec": 1,
        "inputs": {"sound": {"axes": {"time": 200}}},
        "model": [{"MelSpectrogram": mel}, "Flatten", {"Dense": {"units": 1}}],
        "outputs": {"y": {"task": "regression"}},
        "training": {"backend": "jax"},
    }
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    assert ("NN614" in {d.code for d in pipeline.diagnose(path)}) == is_refused


def test_windows_of_adaptive_pooling_are_found_by_whole_numbers() -> None:
    """Among the results of all short windows, and of all one longer behind them, each window's own."""
    for size in range(1, 40):
        for count in range(1, 40):
            short = -(-size // count)
            known = [(i, i + width) for width in (short, short + 1) for i in range(size - width + 1)]
            found = gather_indices(size, count, short + 1)
            wanted = [(k * size // count, -(-(k + 1) * size // count)) for k in range(count)]
            assert [known[place] for place in found] == wanted


def test_cubic_weights_are_those_of_tensorflows_table() -> None:
    """Against a sum over positions in float64; XLA's own are up to 5e-04 off for some sizes."""
    on_jax("jax_pictures")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("ConvLSTM1D", ""),
        ("ConvLSTM1D-masked", "NN614"),
        ("ConvLSTM2D-symbol", ""),
        ("Bidirectional-conv-lstm-sum-last", ""),
        ("Bidirectional-conv-lstm-masked", "NN614"),
    ],
)
def test_a_masked_convolutional_lstm_is_refused_on_jax(label: str, code: str) -> None:
    assert refusal(next(case for case in CASES if case.label == label)) == code
