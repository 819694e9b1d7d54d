"""Targets for each step of padded sequences: loss, metrics, baselines, class weights and scaling leave padding out.

Every expected value is NumPy's, from the trained model's own predictions, over the real steps alone.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.backends.base import Samples
from nnspec.catalogue.losses import LOSSES, METRICS
from nnspec.diagnostics import SpecError
from nnspec.jobs import settings_of
from nnspec.jobs.dataset import load_dataset
from nnspec.training.targets import as_samples
from nnspec.training.train import compile_model

SAMPLES, STEPS, FEATURES = 40, 7, 3
PARTS = {"train": slice(0, 20), "validation": slice(20, 30), "test": slice(30, 40)}
GARBAGE = 9.0  # what targets hold at padded steps where nothing but `lengths` and the like says that they are padded
CLASSES = 4
Scaling = tuple[np.ndarray, np.ndarray]  # what is taken off, and what the rest is divided by


def sequences(side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Padded inputs, their lengths, and where they are real: axes `sample step (feature)`."""
    rng = np.random.default_rng(1)
    lengths = rng.integers(1, STEPS + 1, SAMPLES)
    real = np.arange(STEPS) < lengths[:, None]
    if side == "left":
        real = real[:, ::-1]
    x = rng.normal(2, 1, (SAMPLES, STEPS, FEATURES)).astype(np.float32)
    return np.where(real[..., None], x, 0).astype(np.float32), lengths, real


def targets(x: np.ndarray, real: np.ndarray) -> dict[str, np.ndarray]:
    """Targets of every task, whose padded steps hold what no model could guess."""
    total = x.sum(axis=-1)
    level = np.digitize(total, [4, 6, 7.5])
    many = (x > 2).astype(np.int64)
    number = np.stack([total * 10 + 300, total**2], axis=-1).astype(np.float32)
    return {
        "kind": np.where(real, level, 0),
        "yes": np.where(real, total > 6, 1).astype(np.int64)[..., None],
        "many": np.where(real[..., None], many, 1),
        "number": np.where(real[..., None], number, GARBAGE * 1000).astype(np.float32),
    }


HEADS: dict[str, dict[str, Any]] = {
    "kind": {"units": CLASSES, "activation": "softmax", "as": "class"},
    "yes": {"units": 1, "activation": "sigmoid", "as": "target"},
    "many": {"units": FEATURES, "activation": "sigmoid", "as": "label"},
    "number": {"units": 2, "as": "target"},
}
TASKS = {"kind": "classification", "yes": "binary", "many": "multilabel", "number": "regression"}


DENSE: dict[str, Any] = {"Dense": {"units": 5, "activation": "tanh", "name": "body"}}
GRU: dict[str, Any] = {"GRU": {"units": 5, "over": "time", "return_sequences": True, "name": "body"}}


def written(
    folder: Path, names: list[str], side: str, how: dict[str, Any], body: dict[str, Any] = DENSE, **training: Any
) -> api.Spec:
    """A spec of these outputs on padded sequences, with its data beside it.

    Args:
        how: what every output of `data` says of its padding.
        body: the layer between the mask and the heads; tracing a recurrent one takes most of a small training.
    """
    x, lengths, real = sequences(side)
    arrays: dict[str, Any] = {"x": x, "n": lengths, **targets(x, real)}
    np.savez(folder / "data.npz", **arrays)
    scaled = {"number": {"scale": "standard"}}
    metrics = {"kind": ["accuracy", {"F1Score": {"average": "macro"}}], "number": ["mae", "RootMeanSquaredError"]}
    spec: dict[str, Any] = {
        "nnspec": 1,
        "data": {
            "source": {"npz": "data.npz"},
            "split": {"train": 0.5, "validation": 0.25, "test": 0.25, "by": "order"},
            "inputs": {"x": {"array": "x", "axes": ["sample", "time", "feature"], "pad_value": 0.0}},
            "outputs": {name: {"array": name, **scaled.get(name, {}), **how} for name in names},
        },
        "inputs": {"x": {"axes": {"time": STEPS, "feature": FEATURES}}},
        "model": [
            {"Masking": {"mask_value": 0.0}},
            body,
            *({"Dense": {**HEADS[name], "from": "body", "name": f"to_{name}"}} for name in names),
        ],
        "outputs": {
            name: {"task": TASKS[name], "from": f"to_{name}", "metrics": metrics.get(name, ["accuracy"])}
            for name in names
        },
        "training": {"epochs": 3, "batch_size": 8, "seed": 2, "restore_best": False, **training},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    return api.load(path)


def history(out: Path) -> list[dict[str, float]]:
    with (out / "history.csv").open(encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def scaling_of(x: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = targets(x, real)["number"][PARTS["train"]][real[PARTS["train"]]].astype(np.float64)
    return known.mean(axis=0), known.std(axis=0)


def losses(name: str, truth: np.ndarray, said: np.ndarray, scaling: Scaling) -> np.ndarray:
    """The loss of each real step, from a network's outputs: axes `step`."""
    if name == "kind":
        return -np.log(np.take_along_axis(said, truth[:, None].astype(int), axis=1)[:, 0])
    if name == "number":
        return np.mean((said - (truth - scaling[0]) / scaling[1]) ** 2, axis=-1)
    said = np.clip(said, 1e-7, 1 - 1e-7)
    return -np.mean(truth * np.log(said) + (1 - truth) * np.log(1 - said), axis=-1)


def f1(truth: np.ndarray, said: np.ndarray) -> float:
    hits, both = (truth & said).sum(axis=0), truth.sum(axis=0) + said.sum(axis=0)
    return float(np.mean(np.divide(2.0 * hits, both, out=np.zeros(len(hits)), where=both > 0)))


def expected(name: str, truth: np.ndarray, said: np.ndarray, scaling: Scaling) -> dict[str, float]:
    """The metrics of metrics.json over real steps: axes `step …`."""
    if name == "number":
        error = said * scaling[1] + scaling[0] - truth
        spread = ((truth - truth.mean(axis=0)) ** 2).sum(axis=0)
        return {
            "rmse": float(np.sqrt(np.mean(error**2))),
            "mae": float(np.mean(np.abs(error))),
            "r2": float(np.mean(1 - (error**2).sum(axis=0) / spread)),
        }
    if name == "many":
        guess = said > 0.5
        return {"accuracy": float(np.mean(guess == truth)), "f1_macro": f1(truth == 1, guess)}
    chosen = np.argmax(said, axis=-1) if name == "kind" else (said[:, 0] > 0.5).astype(int)
    codes = truth.reshape(-1)
    seen = np.union1d(codes, chosen)
    return {
        "accuracy": float(np.mean(chosen == codes)),
        "f1_macro": f1(codes[:, None] == seen, chosen[:, None] == seen),
    }


def baseline(name: str, known: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    if name == "number":
        error = truth - known.astype(np.float64).mean(axis=0)
        return {"rmse": float(np.sqrt(np.mean(error**2))), "mae": float(np.mean(np.abs(error)))}
    columns = known.reshape(len(known), -1)
    guess = np.array([np.bincount(columns[:, i]).argmax() for i in range(columns.shape[1])])
    return {"accuracy": float(np.mean(truth.reshape(len(truth), -1) == guess))}


@pytest.mark.parametrize(
    ("names", "side"),
    [
        (["kind"], "left"),
        (["yes"], "right"),
        (["many"], "left"),
        (["number"], "right"),
        (["kind", "yes", "many", "number"], "right"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_metrics_leave_padding_out(names: list[str], side: str, tmp_path: Path) -> None:
    how = {"lengths": "n"} if side == "right" and names != ["yes"] else {"padded_like": "x"}
    spec = written(tmp_path, names, side, how, GRU if names == ["kind"] else DENSE)
    spec.train(tmp_path / "out")
    metrics = json.loads((tmp_path / "out/metrics.json").read_text(encoding="utf-8"))
    last = history(tmp_path / "out")[-1]
    model = keras.saving.load_model(tmp_path / "out/model.keras")
    x, _, real = sequences(side)
    truths, scaling = targets(x, real), scaling_of(x, real)
    total = 0.0
    made = model.predict(x, verbose=0, batch_size=SAMPLES)
    for name in names:
        said = made[name] if isinstance(made, dict) else made
        for part, rows in PARTS.items():
            truth, guess = truths[name][rows][real[rows]], said[rows][real[rows]].astype(np.float64)
            values = metrics[part][name]
            assert values["targets"] == real[rows].sum() * (1 if name == "kind" else truth.shape[-1])
            for key, value in expected(name, truth, guess, scaling).items():
                np.testing.assert_allclose(values[key], value, rtol=1e-4, atol=1e-6, err_msg=f"{part} {name} {key}")
            known = truths[name][PARTS["train"]][real[PARTS["train"]]]
            for key, value in baseline(name, known, truth).items():
                np.testing.assert_allclose(values["baseline"][key], value, rtol=1e-4, err_msg=f"{part} {name} {key}")
        rows = PARTS["validation"]
        truth, guess = truths[name][rows][real[rows]], said[rows][real[rows]].astype(np.float64)
        total += float(np.mean(losses(name, truth, guess, scaling)))
        prefix = f"val_{name}_" if len(names) > 1 else "val_"
        values = expected(name, truth, guess, (np.zeros(2), np.ones(2)))
        if name == "number":  # the network's own units
            error = guess - (truth - scaling[0]) / scaling[1]
            np.testing.assert_allclose(last[f"{prefix}mae"], np.mean(np.abs(error)), rtol=1e-4)
            np.testing.assert_allclose(last[f"{prefix}RootMeanSquaredError"], np.sqrt(np.mean(error**2)), rtol=1e-4)
        else:
            np.testing.assert_allclose(last[f"{prefix}accuracy"], values["accuracy"], rtol=1e-5)
    np.testing.assert_allclose(last["val_loss"], total, rtol=1e-4)  # batches of 8 and 2, unequally padded


def test_a_training_that_learns_nothing_tells_the_loss_of_real_steps(tmp_path: Path) -> None:
    """With next to no learning rate the loss of an epoch is that of the weights, whatever is in which batch."""
    spec = written(
        tmp_path,
        ["kind"],
        "right",
        {"lengths": "n"},
        optimizer={"SGD": {"learning_rate": 1.0e-30}},
        class_weight="balanced",
    )
    spec.train(tmp_path / "out")
    last = history(tmp_path / "out")[-1]
    model = keras.saving.load_model(tmp_path / "out/model.keras")
    x, _, real = sequences("right")
    rows = PARTS["train"]
    said = model.predict(x[rows], verbose=0)[real[rows]].astype(np.float64)
    truth = targets(x, real)["kind"][rows][real[rows]]
    counts = np.bincount(truth, minlength=CLASSES)
    weights = (len(truth) / ((counts > 0).sum() * np.maximum(counts, 1)))[truth]
    single = losses("kind", truth, said, scaling_of(x, real))
    np.testing.assert_allclose(last["loss"], np.mean(weights * single), rtol=1e-4)
    np.testing.assert_allclose(last["accuracy"], np.mean(said.argmax(axis=-1) == truth), rtol=1e-5)
    assert abs(np.mean(weights) - 1) < 1e-6  # so that class weights change no scale


@pytest.mark.parametrize("label", [-1, 99])
def test_an_ignored_label_is_no_class(label: int, tmp_path: Path) -> None:
    written(tmp_path, ["kind"], "right", {"ignore": label})
    x, _, real = sequences("right")
    kinds = np.where(real, targets(x, real)["kind"], label)
    kinds[0, 0] = label  # not padding, yet not to be learned
    np.savez(tmp_path / "data.npz", x=x, kind=kinds)
    checked = api.load(tmp_path / "spec.yaml").checked
    data = load_dataset(checked)
    assert data.outputs["kind"].classes == [0, 1, 2, 3]
    counted = np.concatenate([split.counts("kind") for split in data.splits.values()])
    np.testing.assert_array_equal(counted, kinds != label)


ALL = [(task, loss, "loss") for task in sorted(LOSSES) for loss in sorted(LOSSES[task])]
ALL += [(task, metric, "metric") for task in sorted(METRICS) for metric in sorted(METRICS[task])]
OPTIONS: dict[str, dict[str, Any]] = {
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "MeanIoU": {"num_classes": CLASSES},
    "OneHotMeanIoU": {"num_classes": CLASSES},
    "IoU": {"num_classes": CLASSES, "target_class_ids": [0, 1]},
    "OneHotIoU": {"num_classes": CLASSES, "target_class_ids": [0, 1]},
}


@pytest.fixture(scope="module")
def numbers() -> tuple[np.ndarray, np.ndarray]:
    """A prediction for each step of each sample, and which steps are real."""
    rng = np.random.default_rng(5)
    return rng.uniform(0.05, 0.95, (6, STEPS, CLASSES)).astype(np.float32), np.arange(STEPS) < np.arange(1, 7)[:, None]


@pytest.mark.parametrize(("task", "kind", "what"), ALL)
def test_every_loss_and_metric_reads_the_steps_that_count(
    task: str, kind: str, what: str, numbers: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """What it gives for padded samples is what Keras' own gives for the real steps, laid out as samples of one step."""
    from nnspec.backends.keras.training.losses import build_loss, build_metrics, mark_uncounted
    from tests.support.counted_outputs import output_of

    predicted, real = numbers
    rng = np.random.default_rng(6)
    if task == "classification":
        truth, predicted = rng.integers(0, CLASSES, real.shape), predicted / predicted.sum(axis=-1, keepdims=True)
    else:
        width = 1 if task == "binary" else CLASSES
        predicted = predicted[..., :width]
        truth = rng.uniform(0.1, 0.9, predicted.shape) if task == "regression" else rng.integers(0, 2, predicted.shape)
        truth = truth.astype(np.float32)
    value: Any = {kind: OPTIONS[kind]} if kind in OPTIONS else kind
    padded = output_of(task, predicted.shape[1:], value if what == "loss" else None, value, counts="steps")
    whole = output_of(task, (1, *predicted.shape[2:]), value if what == "loss" else None, value)
    counted = real if task == "classification" else np.broadcast_to(real[..., None], truth.shape)
    given, alone = mark_uncounted(padded, truth, counted), (truth[real][:, None], predicted[real][:, None])
    if what == "loss":
        is_sum = kind in ("Dice", "Tversky")
        weights = None if is_sum else (real * (real.size / real.sum())).astype(np.float32)
        found = float(build_loss(padded)(given, predicted, sample_weight=weights))
        np.testing.assert_allclose(found, float(build_loss(whole)(*alone)), rtol=2e-5, atol=1e-6)
        return
    (metric,), (plain,) = build_metrics(padded), build_metrics(whole)
    metric.update_state(given, predicted)
    plain.update_state(*alone)
    np.testing.assert_allclose(np.asarray(metric.result()), np.asarray(plain.result()), rtol=2e-5, atol=1e-6)


def test_steps_that_do_not_count_move_no_weight(tmp_path: Path) -> None:
    """Whatever the targets of padding are, the same weights are learned."""
    found = []
    for fill in (0.0, 1e6):
        folder = tmp_path / str(fill)
        folder.mkdir()
        spec = written(folder, ["number"], "right", {"lengths": "n"})
        x, lengths, real = sequences("right")
        numbers = np.where(real[..., None], targets(x, real)["number"], fill)
        np.savez(folder / "data.npz", x=x, n=lengths, number=numbers)
        spec.train(folder / "out")
        found.append(keras.saving.load_model(folder / "out/model.keras").get_weights())
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_targets_without_padding_are_as_they_were(tmp_path: Path) -> None:
    spec = written(tmp_path, ["number"], "right", {})
    text = (tmp_path / "spec.yaml").read_text(encoding="utf-8").replace("      pad_value: 0.0\n", "")
    (tmp_path / "spec.yaml").write_text(text.replace("- Masking:\n    mask_value: 0.0\n", "- LayerNormalization\n"))
    checked = spec.checked
    data = load_dataset(checked)
    samples: Samples = as_samples(checked.graph, data.splits["train"])
    assert samples.weights is None
    np.testing.assert_array_equal(samples.targets, data.splits["train"].y["number"])
    assert compile_model(checked.graph, settings_of(checked)).model.loss.call.__name__ == "call"


def test_no_target_counts(tmp_path: Path) -> None:
    """NN541: a split without a target, and a step that counts in part."""
    written(tmp_path, ["number"], "right", {"ignore": -1})
    x, _, real = sequences("right")
    numbers = np.where(real[..., None], targets(x, real)["number"], -1.0)
    numbers[PARTS["test"]] = -1
    np.savez(tmp_path / "data.npz", x=x, number=numbers)
    with pytest.raises(SpecError, match="NN541: split `test` has 10 samples, but no target of output `number` counts"):
        load_dataset(api.load(tmp_path / "spec.yaml").checked)
    numbers[-1, 0] = [3, -1]
    np.savez(tmp_path / "data.npz", x=x, number=numbers)
    with pytest.raises(SpecError, match="NN541: some values of a step"):
        load_dataset(api.load(tmp_path / "spec.yaml").checked)
