"""Every spec under specs/ builds on its real data, beats its baseline, and its ONNX file equals Keras.

What each spec must show is asserted here in numbers; the margins leave room for other processors' rounding.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import api, pipeline, show
from nnspec.jobs.run import Run
from tests.conftest import ROOT
from tests.support.evaluated_rows import assert_same_metrics, evaluated_test_rows
from tests.support.spec_predictions import predicted_metric
from tests.tools.spec_table import headline, measured

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
# spec -> (metric on the test split, bound, whether more is better): a real baseline, not only the naive one
BOUNDS: dict[str, tuple[str, float, bool]] = {
    "airline_lstm": ("rmse", 41.9, False),  # seasonal persistence on the same months
    "airline_lstm_stacked": ("rmse", 41.9, False),
    "airline_lstm_stateful": ("rmse", 41.9, False),
    "breast_cancer": ("roc_auc", 0.9625, True),  # an isolation forest: 0.962
    "causal_cnn": ("rmse", 4.72, False),  # linear regression on the same window
    "causal_cnn_dependent": ("rmse", 4.72, False),
    "digits_folder": ("accuracy", 0.9, True),  # a support vector machine: 0.858
    "glyphs_table": ("accuracy", 0.786, True),  # logistic regression on the pixels and the numbers
    "m1_panel": ("mase", 2.98, False),  # ridge regression on the same scaled windows
    "lstm_forecast": ("rmse", 4.72, False),
    "mfcc_regression": ("r2", 0.3, True),  # ridge regression on raw samples: -0.02
    "mfcc_spectrum": ("r2", 0.9, True),
    "mnist_cnn": ("accuracy", 0.97, True),
    "mnist_depthwise": ("accuracy", 0.95, True),
    "multi_output_classifier": ("accuracy", 0.247, True),  # logistic regression
    "reviews": ("accuracy", 0.791, True),  # logistic regression on tf-idf; two of three seeds give 0.8
    "spectrogram_lstm": ("accuracy", 0.95, True),
    "spoken_language": ("accuracy", 0.914, True),  # a support vector machine on moments of the loudness
    "transfer": ("accuracy", 0.766, True),  # a support vector machine; the network from scratch: 0.725
    "transfer_base": ("accuracy", 0.97, True),
    "titanic": ("accuracy", 0.772, True),  # logistic regression
}


def test_every_spec_has_a_bound() -> None:
    assert {path.stem for path in SPECS} == set(BOUNDS)


@pytest.mark.parametrize("path", SPECS, ids=[path.stem for path in SPECS])
def test_spec_builds_after_an_epoch(path: Path, tmp_path: Path) -> None:
    """What is compared is the way of the rows, not how well they are learned.

    A run that trains a spec whole compares the same there, and leaves this out (conftest.py).
    """
    assert_built(path, api.load(path, {"training.epochs": 1}).build(tmp_path / "out"), tmp_path)


def assert_built(path: Path, run: Run, folder: Path) -> None:
    """The file is verified, made of plain nodes, and predicts on raw test rows what the metrics were computed from."""
    output, metrics = measured(run.metrics["test"])
    beaten = headline(metrics)
    shown = "rmse" if beaten == "mase" else beaten  # what the predictions are scored by
    verified = json.loads((run.folder / "verify.json").read_text())
    assert verified["outputs"][output]["max_relative_error"] < 1e-4
    assert verified["outputs"][output]["held_out_samples"] >= 1
    assert set(verified["lowered_by"].values()) == {"nnspec"}
    assert not {"Loop", "If", "Scan"} & set(verified["nodes"])
    onnx.checker.check_model(str(run.onnx), full_check=True)
    assert predicted_metric(path, run, folder) == pytest.approx(metrics[shown], rel=1e-4)
    assert_same_metrics(evaluated_test_rows(path, run, folder), run.metrics["test"])


QUICK = "m1_panel"  # which beats a ridge regression within seconds
WHOLE = [pytest.param(path, id=path.stem, marks=[] if path.stem == QUICK else [pytest.mark.slow]) for path in SPECS]


@pytest.mark.plots
@pytest.mark.parametrize("path", WHOLE)
def test_spec_builds_and_beats_its_baseline(path: Path, tmp_path: Path) -> None:
    run = api.load(path).build(tmp_path / "out")
    assert_built(path, run, tmp_path)
    _, metrics = measured(run.metrics["test"])
    name, bound, upwards = BOUNDS[path.stem]
    assert metrics[name] > bound if upwards else metrics[name] < bound
    beaten = headline(metrics)
    assert (metrics[beaten] > metrics["baseline"][beaten]) is (beaten in ("accuracy", "roc_auc"))


def layers(name: str, **overrides: Any) -> dict[str, dict[str, Any]]:
    shown = show.to_json(pipeline.check(ROOT / "specs" / f"{name}.yaml", overrides).graph)
    return {layer["name"]: layer for layer in shown["layers"]}


def test_mnist_second_kernel() -> None:
    second = layers("mnist_cnn")["conv2d_2"]
    assert second["weights"][0] == {"name": "kernel", "shape": [5, 5, 32, 64]}
    assert second["parameters"] == 51264
    text = show.to_text(pipeline.check(ROOT / "specs" / "mnist_cnn.yaml").graph)
    assert "kernel (5, 5, 32, 64) = 64 kernels of 5×5×32" in text


def test_mnist_depthwise_kernel() -> None:
    second = layers("mnist_depthwise")["depthwise_conv2d_1"]
    assert second["weights"][0]["shape"] == [5, 5, 32, 2]
    assert second["parameters"] == 5 * 5 * 32 * 2 + 64


def test_airline_lstm_has_96_parameters() -> None:
    lstm = layers("airline_lstm")["lstm_1"]
    assert lstm["parameters"] == 96
    assert lstm["formula"] == "4·(4·(1 + 4) + 4)"


def test_causal_cnn_reach_and_dead_taps() -> None:
    found = layers("causal_cnn")
    shares = [layer for layer in found.values() if layer["kind"] == "TimeDistributed"]
    assert [layer["receptive_field"]["time"]["size"] for layer in shares] == [3, 7, 15, 31]
    assert shares[-1]["notes"][0].startswith("tap 1 of 3 (the oldest) only ever sees padding along `time`")
    assert not shares[0]["notes"]


def test_spectrogram_compiles_at_40_rows_and_1000_columns() -> None:
    path = ROOT / "specs" / "spectrogram_lstm.yaml"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("\ndata:"), text.index("\ninputs:")
    model = api.load(_without_data(path, text[:start] + text[end:]), {"vars.rows": 40, "vars.columns": 1000}).compile()
    assert model.input_shape == (None, 40, 1000)
    assert model.output_shape == (None, 9)


def _without_data(path: Path, text: str) -> Path:
    import tempfile

    copy = Path(tempfile.mkdtemp()) / path.name
    copy.write_text(text, encoding="utf-8")
    return copy


def test_spectrogram_without_permute_proposes_it(tmp_path: Path) -> None:
    text = (ROOT / "specs" / "spectrogram_lstm.yaml").read_text(encoding="utf-8")
    start, end = text.index("\ndata:"), text.index("\ninputs:")
    spec = tmp_path / "wrong.yaml"
    spec.write_text(
        (text[:start] + text[end:]).replace("  - permute: [time, cepstrum]\n", "").replace("over: time, ", "")
    )
    (found,) = api.load(spec).check()
    assert found.code == "NN308"
    assert any("permute: [time, cepstrum]" in edit.text for fix in found.fixes for edit in fix.edits)


@pytest.mark.parametrize(
    ("overrides", "word"),
    [({"outputs.mfcc.task": "classification"}, "regression"), ({"model[4].Dense.activation": "softmax"}, "linear")],
    ids=["classification", "softmax"],
)
def test_mfcc_as_classes_says_why_not(overrides: dict[str, str], word: str) -> None:
    found = api.load(ROOT / "specs" / "mfcc_regression.yaml", overrides).check()
    errors = [d for d in found if d.code == "NN507"]
    assert errors
    assert word in " ".join([*errors[0].notes, *(fix.message for fix in errors[0].fixes)])


def test_multi_output_graph_keeps_the_files_orientation(tmp_path: Path) -> None:
    run = api.load(ROOT / "specs" / "multi_output_classifier.yaml", {"training.epochs": 1}).build(tmp_path / "out")
    session = onnxruntime.InferenceSession(run.onnx)
    x = np.load(ROOT / "specs" / "data" / "temperature_change_x.npy")[:, :11]
    results = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"history": x}), strict=True))
    assert results["change"].shape == (16, 7, 11)
    np.testing.assert_allclose(results["change"].sum(axis=1), 1.0, rtol=1e-5)
    assert results["change_label"].shape == (16, 11)
    np.testing.assert_array_equal(results["change_label"], results["change"].argmax(axis=1))
