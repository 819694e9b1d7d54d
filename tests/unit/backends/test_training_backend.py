"""The seam of training: two engines that share nothing but Keras train the same spec by the same jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from nnspec import jobs, pipeline
from nnspec.backends.base import Order, Samples, TrainingBackend
from nnspec.backends.keras.streaming import is_streamed
from nnspec.backends.keras.tensorflow.backend import TENSORFLOW
from nnspec.backends.keras.tensorflow.batches import batches_of_epochs
from nnspec.backends.keras.tensorflow.statistics import sum_axis_by_axis
from nnspec.backends.registry import TRAINING, training_backend
from nnspec.backends.sample_order import sample_order, samples_at
from nnspec.data.arrays.gathered import Gathered
from nnspec.diagnostics import SpecError
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.training.train import compile_model
from tests.support.eager_backend import EagerBackend
from tests.support.small_forecast import small_forecast

SPEC = small_forecast(
    training={"epochs": 3, "batch_size": 7, "seed": 5, "optimizer": {"SGD": {"learning_rate": 0.05}}},
    expect={"layers": {"conv": {"causal": "time"}}},
)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    rows = np.cumsum(np.random.default_rng(3).normal(size=(60, 2)), axis=0).round(4)
    (tmp_path / "rows.csv").write_text("a,b\n" + "".join(f"{a},{b}\n" for a, b in rows), encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False), encoding="utf-8")
    return pipeline.check(tmp_path / "spec.yaml")


def test_every_backend_has_the_whole_interface() -> None:
    methods = {name for name in vars(TrainingBackend) if not name.startswith("_")}
    assert methods >= {"seed", "batches", "fit", "predict", "gradients", "devices", "load"}
    for backend in (*map(training_backend, TRAINING), EagerBackend()):
        assert all(hasattr(backend, name) for name in {*methods, *TrainingBackend.__annotations__})
    assert training_backend() is TENSORFLOW


def test_two_engines_build_the_same_network(checked: Checked, tmp_path: Path) -> None:
    """The same first weights, losses and metrics, and each its own in the manifest; both pass the gate."""
    eager = EagerBackend()
    runs = {
        backend.name: jobs.run_build(checked, tmp_path / backend.name, Progress(quiet=True), backend=backend)
        for backend in (TENSORFLOW, eager)
    }
    one, two = (run.history for run in runs.values())
    assert len(one) == len(two) == 3
    for left, right in zip(one, two, strict=True):
        assert left.keys() == right.keys() >= {"loss", "mae", "val_loss"}
        assert list(left.values()) == pytest.approx([right[name] for name in left], rel=1e-5)
    metrics = [run.metrics["test"]["y"]["rmse"] for run in runs.values()]
    assert metrics[0] == pytest.approx(metrics[1], rel=1e-5)
    for name, run in runs.items():
        manifest = json.loads((run.folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["training"]["backend"] == name
        assert manifest["training"]["devices"]
        assert ("tensorflow" in manifest["versions"]) == (name == "tensorflow")
        assert json.loads((tmp_path / name / "verify.json").read_text("utf-8"))["versions"] == manifest["versions"]
        causality = run.verification["causality"]["layer conv"]["time"]
        assert causality["max_gradient_after"] == 0
        assert causality["max_gradient"] > 0.01
    gradients = [run.verification["causality"]["layer conv"]["time"]["max_gradient"] for run in runs.values()]
    assert gradients[0] == pytest.approx(gradients[1], rel=0.01)  # differences of float32
    assert {epoch for epoch, _ in eager.seen} == {0, 1, 2}


@pytest.mark.parametrize("names", [["y"], ["y", "z"]], ids=len)
def test_a_step_is_traced_once(names: list[str]) -> None:
    """Tracing takes most of a short training, and grows with the network; Keras counts several outputs in variables."""
    traced = []

    def loss(truth: tf.Tensor, guess: tf.Tensor) -> tf.Tensor:
        traced.append(guess.shape)
        return tf.square(truth - guess)

    given = keras.Input((2,))
    outputs = {name: keras.layers.Dense(1, name=name)(given) for name in names}
    targets = {name: np.ones((7, 1), np.float32) for name in names}
    is_alone = len(names) == 1
    model = keras.Model(given, outputs["y"] if is_alone else outputs)
    model.compile(optimizer="adam", loss=loss if is_alone else dict.fromkeys(names, loss))
    samples = Samples(inputs=np.ones((7, 2), np.float32), targets=targets["y"] if is_alone else targets)
    TENSORFLOW.fit(model, samples, Order(3, 0, is_shuffled=False), epochs=range(2))
    assert len(traced) == len(names)


def test_losses_of_outputs_are_means_over_samples() -> None:
    """Also where the last batch is smaller, of which Keras on TensorFlow does not know as it traces a step."""
    given = keras.Input((1,))
    model = keras.Model(
        given, {name: keras.layers.Dense(1, kernel_initializer="ones", name=name)(given) for name in ("y", "z")}
    )
    model.compile(keras.optimizers.SGD(0.0), dict.fromkeys(("y", "z"), "mse"), loss_weights={"y": 1, "z": 0.5})
    x = np.arange(10, dtype=np.float32)[:, None]
    training, held_out = (
        Samples(inputs=x[:n], targets={"y": 0 * x[:n], "z": 3 * x[:n]}) for n in (9, 5)
    )  # batches of 4, 4 and 1, and of 4 and 1
    history = keras.callbacks.History()
    TENSORFLOW.fit(model, training, Order(4, 0), epochs=range(1), validation=held_out, callbacks=[history])
    for n, prefix in ((9, ""), (5, "val_")):
        y, z = np.mean(x[:n] ** 2), np.mean((2 * x[:n]) ** 2)
        for name, wanted in {"y_loss": y, "z_loss": z, "loss": y + z / 2}.items():
            np.testing.assert_allclose(history.history[prefix + name], [wanted], rtol=1e-6, err_msg=prefix + name)


@pytest.mark.parametrize("is_masked", [False, True])
def test_statistics_of_many_positions_are_exact(is_masked: bool) -> None:
    """Those of NumPy in float64 within few roundings; TensorFlow's own sums over all axes are further off."""
    values = np.random.default_rng(0).normal(9, 2, (8, 1500, 3)).astype(np.float32)
    mask = np.arange(1500) < np.array([1500, 900] * 4)[:, None]
    given, counted = keras.Input((1500, 3)), keras.Input((1500,), dtype="bool")
    layer = keras.layers.BatchNormalization()
    outputs = layer(given, mask=counted) if is_masked else layer(given)
    model = keras.Model([given, counted], outputs)
    sum_axis_by_axis(model, 8)
    mean, variance = (np.asarray(v) for v in layer._moments(tf.constant(values), mask if is_masked else None))
    real = values[mask if is_masked else np.ones_like(mask)].astype(np.float64)
    np.testing.assert_allclose(mean, real.mean(axis=0), rtol=3e-7)
    np.testing.assert_allclose(variance, real.var(axis=0), rtol=6e-7)


def test_seeds_draw_the_same_weights(checked: Checked) -> None:
    settings = jobs.settings_of(checked)
    first, second, again = (
        compile_model(checked.graph, settings, backend).model.get_weights()
        for backend in (TENSORFLOW, EagerBackend(), TENSORFLOW)
    )
    assert all(map(np.array_equal, first, second))
    assert all(map(np.array_equal, first, again))


@pytest.mark.parametrize("is_shuffled", [True, False])
def test_engines_see_the_same_batches(is_shuffled: bool) -> None:
    x = {"a": np.arange(11.0, dtype=np.float32), "b": np.arange(22.0, dtype=np.float32).reshape(11, 2)}
    samples = Samples(inputs=x, targets=x["a"] * 2, weights=x["a"] * 3)
    for epoch in (0, 4):
        left, right = (list(b.batches(samples, Order(4, 9, is_shuffled), epoch)) for b in (TENSORFLOW, EagerBackend()))
        assert len(left) == len(right) == 3
        for one, two in zip(left, right, strict=True):
            assert len(one) == len(two) == 3
            for name in x:
                np.testing.assert_array_equal(one[0][name], two[0][name])
            np.testing.assert_array_equal(one[1], two[1])
            np.testing.assert_array_equal(one[2], two[2])


@pytest.mark.parametrize("most", [1 << 21, 10])
@pytest.mark.parametrize("is_shuffled", [True, False])
def test_gathered_samples_come_in_the_same_order(is_shuffled: bool, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several batches at a time, the last one smaller; also in the order of many samples."""
    for module in ("sample_order", "keras.tensorflow.stream", "keras.tensorflow.batches"):
        monkeypatch.setattr(f"nnspec.backends.{module}.MANY", most)
    monkeypatch.setattr("nnspec.backends.keras.tensorflow.stream.AT_ONCE", 3 * 4 * (5 * 2 * 4 + 8))
    rows, ends = np.random.default_rng(1).normal(size=(40, 2)).astype(np.float32), np.arange(4, 37)
    windows = Gathered(rows, ends, steps=range(-4, 1))
    y = np.arange(33.0)
    left, right = (
        list(backend.batches(Samples(inputs=x, targets={"y": y}), Order(4, 9, is_shuffled), 2))
        for backend, x in ((TENSORFLOW, windows), (EagerBackend(), np.asarray(windows)))
    )
    assert len(left) == len(right) == 9
    for one, two in zip(left, right, strict=True):
        np.testing.assert_array_equal(one[0], two[0])
        np.testing.assert_array_equal(one[1]["y"], two[1]["y"])


@pytest.mark.parametrize("count", [0, 1, 2, 5, 84, 1003])
@pytest.mark.parametrize(("seed", "epoch"), [(0, 0), (7, 3), (2**31 - 1, 1000)])
def test_order_is_that_of_stateless_shuffle(count: int, seed: int, epoch: int) -> None:
    """TensorFlow's kernel is a second program for the same numbers."""
    theirs = tf.random.experimental.stateless_shuffle(tf.range(count), seed=[seed, epoch]).numpy()
    np.testing.assert_array_equal(sample_order(count, seed, epoch), theirs)


def test_gradients_are_those_of_differences() -> None:
    arrays = {"x": np.array([[1.0, -2.0, 0.5]], np.float32), "y": np.array([[3.0]], np.float32)}

    def function(tensors: Any) -> tuple[Any, Any]:
        value = keras.ops.square(tensors["x"]) * tensors["y"]
        return keras.ops.sum(value[:, :2]), value

    for backend in (TENSORFLOW, EagerBackend()):
        value, found = backend.gradients(function, arrays, ["x", "y"])
        np.testing.assert_allclose(value, [[3, 12, 0.75]], rtol=1e-6)
        np.testing.assert_allclose(found["x"], [[6, -12, 0]], atol=1e-3)
        np.testing.assert_allclose(found["y"], [[5]], atol=1e-3)
    _, found = TENSORFLOW.gradients(lambda t: (keras.ops.sum(t["x"]), t["x"]), arrays, ["y"])
    assert found["y"].tolist() == [[0]]  # nothing depends on it


def test_keras_on_another_engine_is_a_diagnostic() -> None:
    class Other(type(TENSORFLOW)):  # type: ignore[misc]
        name = "json"  # a module that is there

    with pytest.raises(SpecError) as caught:
        Other().load()
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN610"
    assert "`tensorflow`" in fault.message
    assert "`json`" in fault.message


def test_orders_of_many_samples_are_computed_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nnspec.backends.sample_order.MANY", 10)
    for count in (11, 100, 4097, 99_991):
        whole = sample_order(count, 3, 1)
        np.testing.assert_array_equal(np.sort(whole), np.arange(count))
        some = np.array([count - 1, 0, 7])
        np.testing.assert_array_equal(samples_at(count, 3, 1, some), whole[some])
    assert np.mean(sample_order(4097, 3, 1) == sample_order(4097, 3, 2)) < 0.01
    assert abs(np.corrcoef(whole, np.arange(count))[0, 1]) < 0.02
    assert np.mean(np.abs(np.diff(whole)) < count / 100) < 0.04  # 0.02 by chance


@pytest.mark.parametrize("is_told", [True, False], ids=["number", "variable"])
@pytest.mark.parametrize("skipped", [0, 1, 2])
def test_streamed_batches_are_those_of_arrays(skipped: int, is_told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Epoch by epoch, in their order, changed by epoch and sample alike, from whichever batch the first goes on."""
    x, y = np.arange(22, dtype=np.float32).reshape(11, 2), np.arange(11, dtype=np.float32)

    def change(parts: tuple[Any, ...], rows: np.ndarray, epoch: int) -> tuple[Any, ...]:
        return ({"x": parts[0]["x"] + 100 * epoch + rows[:, None].astype(np.float32)}, *parts[1:])

    samples = Samples(inputs={"x": x}, targets={"y": y}, change=change)

    def taken() -> list[tuple[np.ndarray, np.ndarray]]:
        begin = (3, skipped) if is_told else (tf.Variable(3), tf.Variable(skipped, dtype=tf.int64))
        left = batches_of_epochs(samples, Order(4, 5), begin[0], 6, begin[1])
        return [(part[0]["x"].numpy(), part[1]["y"].numpy()) for part in left]

    whole = taken()
    monkeypatch.setattr("nnspec.backends.keras.streaming.IN_MEMORY", 0)
    assert is_streamed(samples)
    found = taken()
    assert [len(inputs) for inputs, _ in found] == [4, 4, 3, 4, 4, 3, 4, 4, 3][skipped:]
    for one, other in zip(whole, found, strict=True):
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])
    order = np.concatenate([sample_order(11, 5, epoch) for epoch in (3, 4, 5)])[4 * skipped :]
    moved = np.repeat([300, 400, 500], 11)[4 * skipped :] + order
    np.testing.assert_array_equal(np.concatenate([inputs for inputs, _ in found]), x[order] + moved[:, None])


def test_all_epochs_take_one_iterator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras makes two an epoch by itself, and two of a validation, each of which takes as long as a small epoch."""
    from keras.src.backend.tensorflow.trainer import TFEpochIterator

    made: list[int] = []
    original = TFEpochIterator._get_iterator
    monkeypatch.setattr(
        TFEpochIterator, "_get_iterator", lambda own: (made.append(own.steps_per_epoch), original(own))[1]
    )
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(loss="mse")
    samples, held_out = (
        Samples(inputs=np.ones((n, 2), np.float32), targets=np.ones((n, 1), np.float32)) for n in (12, 4)
    )
    TENSORFLOW.fit(model, samples, Order(4, 5), epochs=range(5), validation=held_out)
    assert made.count(3) <= 2, "one as it begins, and one that Keras makes behind the last"
    assert made.count(1) == 5, "one a validation"
