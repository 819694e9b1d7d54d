"""Training: as if never interrupted, averages deployed, classes weighed, callbacks at work below the build."""

from __future__ import annotations

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api
from nnspec.backends.base import Order, Samples
from nnspec.backends.keras.tensorflow.batches import batches
from nnspec.backends.keras.training import checkpoint as own
from nnspec.training.plan import placeholders
from nnspec.training.targets import balanced_weights

MODEL: list[Any] = [
    {"Dense": {"units": 6, "activation": "tanh", "name": "body"}},
    {"Dropout": {"rate": 0.3, "name": "dropped"}},
    {"Dense": {"units": 3, "activation": "softmax", "as": "class", "name": "kinds"}},
    {"Dense": {"units": 1, "name": "height", "from": "dropped"}},
]
SPEC: dict[str, Any] = {
    "nnspec": 1,
    "data": {
        "source": {"csv": "rows.csv"},
        "split": {"train": 0.6, "validation": 0.4, "by": "order"},
        "inputs": {"x": {"columns": ["a", "b"]}},
        "outputs": {"kind": {"columns": ["kind"]}, "height": {"columns": ["height"]}},
    },
    "inputs": {"x": {"axes": {"feature": 2}}},
    "model": MODEL,
    "outputs": {
        "kind": {"from": "kinds", "task": "classification", "metrics": ["accuracy"]},
        "height": {"from": "height", "task": "regression"},
    },
}


@pytest.fixture
def spec(tmp_path: Path) -> Any:
    """Writes a spec with this `training` section, its data beside it, and loads it."""
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(50, 2)).round(4)
    kinds = ["no", "maybe", "yes"]
    text = "".join(f"{a},{b},{kinds[int(a > 0) + int(b > 0.8)]},{a}\n" for a, b in rows)
    (tmp_path / "rows.csv").write_text("a,b,kind,height\n" + text, encoding="utf-8")

    def load(training: dict[str, Any], **more: Any) -> Any:
        written = {**SPEC, **more, "training": {"epochs": 6, "batch_size": 7, "seed": 5, **training}}
        (tmp_path / "spec.yaml").write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")
        return api.load(tmp_path / "spec.yaml")

    return load


def interrupted(monkeypatch: pytest.MonkeyPatch, loaded: Any, out: Path, after: int, step: int = 0) -> None:
    """Trains, and is stopped after so many epochs, and so many steps of the next."""
    ends, steps = own.Checkpoint.on_epoch_end, own.Checkpoint.on_train_batch_end

    def on_epoch_end(self: Any, epoch: int, logs: Any = None) -> None:
        ends(self, epoch, logs)
        if epoch + 1 == after and not step:
            raise KeyboardInterrupt

    def on_train_batch_end(self: Any, batch: int, logs: Any = None) -> None:
        steps(self, batch, logs)
        if len(self.history) == after and batch + 1 == step:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(own.Checkpoint, "interval", float("inf") if step else 0.0)
        patch.setattr(own.Checkpoint, "on_epoch_end", on_epoch_end)
        patch.setattr(own.Checkpoint, "on_train_batch_end", on_train_batch_end)
        with pytest.raises(KeyboardInterrupt):
            loaded.train(out)


SETTINGS: dict[str, dict[str, Any]] = {
    "plateau": {
        "optimizer": {"SGD": {"learning_rate": 0.4, "momentum": 0.9}},
        "accumulate": 2,
        "precision": "mixed_bfloat16",
        "callbacks": [
            {"ReduceLROnPlateau": {"monitor": "val_height_mae", "patience": 1, "cooldown": 1, "factor": 0.5}},
            {"EarlyStopping": {"monitor": "val_kind_accuracy", "patience": 4, "restore_best_weights": True}},
            {"ModelCheckpoint": {"filepath": "best/{epoch}.keras", "save_best_only": True, "monitor": "val_kind_loss"}},
            {"CSVLogger": {"filename": "log.csv"}},
            {"BackupAndRestore": {"backup_dir": "backup"}},
        ],
    },
    "swapped": {
        "optimizer": {
            "AdamW": {
                "learning_rate": {"CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 20}},
                "use_ema": True,
                "ema_momentum": 0.7,
                "gradient_accumulation_steps": 2,
                "clipnorm": 1.0,
            }
        },
        "callbacks": [{"SwapEMAWeights": {"swap_on_epoch": True}}, {"CSVLogger": {"filename": "log.csv"}}],
        "restore_best": False,
        "class_weight": "balanced",
    },
}


LAST = -1


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("plateau", [(2, 0, None), (3, 4, "epoch 2"), (LAST, 0, "epoch 4, step 4")]),
        ("swapped", [(2, 4, None), (3, 4, "epoch 3, step 2")]),
    ],
)
def test_an_interruption_leaves_no_trace(
    name: str,
    ends: list[tuple[int, int, str | None]],
    spec: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same history, files and weights, bit for bit, with dropout, shuffling, schedules, averages and counters.

    Args:
        ends: where each run is interrupted: after so many epochs, and steps of the next; behind the last no step is
            left. And what it says that it resumes.
    """
    loaded = spec({**SETTINGS[name], "checkpoint": {"steps": 3}})
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    run = loaded.train(whole)
    if name == "plateau":
        rates = [row["learning_rate"] for row in run.history]
        assert len(set(rates)) > 1, "the plateau is never reached: the case shows nothing"
    for after, step, told in ends:
        with monkeypatch.context() as patch:
            patch.setattr(loaded, "train", partial(loaded.train, resume=told is not None, quiet=False))
            interrupted(patch, loaded, resumed, after=len(run.history) if after == LAST else after, step=step)
        assert (told or "") in capsys.readouterr().err
    rest = loaded.train(resumed, resume=True)
    assert rest.history == run.history
    files = {p.relative_to(whole).as_posix() for p in whole.rglob("*") if p.is_file()}
    assert files == {p.relative_to(resumed).as_posix() for p in resumed.rglob("*") if p.is_file()}
    for file in files & {"log.csv", "history.csv", "metrics.json"}:
        assert (whole / file).read_text() == (resumed / file).read_text(), file
    for file in (file for file in files if file.endswith(".keras")):
        left, right = (keras.models.load_model(folder / file).get_weights() for folder in (whole, resumed))
        assert all(map(np.array_equal, left, right)), file


def test_what_was_stopped_stays_stopped(spec: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = {"EarlyStopping": {"monitor": "val_loss", "patience": 1, "min_delta": 100}}
    loaded = spec({"callbacks": [stopping]})
    interrupted(monkeypatch, loaded, tmp_path / "resumed", after=2)
    assert len(loaded.train(tmp_path / "resumed", resume=True).history) == 2


def test_metrics_of_one_output_have_a_direction(spec: Any, tmp_path: Path) -> None:
    """Keras knows no direction of `val_kind_accuracy`, and none of `val_kind_loss`."""
    saves = {"ModelCheckpoint": {"filepath": "{epoch}.keras", "save_best_only": True, "monitor": "val_kind_accuracy"}}
    loaded = spec(
        {"callbacks": [saves], "monitor": "val_kind_accuracy", "optimizer": {"Adam": {"learning_rate": 0.05}}}
    )
    run = loaded.train(tmp_path / "out")
    values = [row["val_kind_accuracy"] for row in run.history]
    rising = [i + 1 for i, value in enumerate(values) if value > max(values[:i], default=-1)]
    assert len(rising) > 1
    assert {int(p.stem) for p in (tmp_path / "out").glob("[0-9].keras")} == set(rising)
    deployed = keras.models.load_model(tmp_path / "out" / "model.keras").get_weights()
    best = keras.models.load_model(tmp_path / "out" / f"{rising[-1]}.keras").get_weights()
    assert all(map(np.array_equal, deployed, best))


def test_averages_are_validated_and_deployed(spec: Any, tmp_path: Path) -> None:
    """The metrics of the best epoch are those of the model that is left."""
    optimizer = {"SGD": {"learning_rate": 0.2, "use_ema": True, "ema_momentum": 0.9}}
    run = spec({"optimizer": optimizer}).train(tmp_path / "out")
    model = keras.models.load_model(tmp_path / "out" / "model.keras")
    best = min(run.history, key=lambda row: row["val_loss"])
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["validation"]["kind"]["accuracy"] == pytest.approx(best["val_kind_accuracy"], abs=1e-6)
    assert metrics["validation"]["height"]["mae"] == pytest.approx(best["val_height_mae"], rel=1e-4)
    averages = [v.numpy() for v in model.optimizer.variables if v.path.endswith("_average")]
    assert len(averages) == 6


def test_classes_are_weighed_along_every_axis() -> None:
    class Split:
        y = {
            "kind": np.array([[0, 1, 1], [1, 1, 2]]),
            "answer": np.array([[0.0], [1.0], [1.0], [1.0]], np.float32),
            "size": np.zeros((5, 2)),
        }

        @staticmethod
        def counts(name: str) -> None:
            return None

    class Named:
        counts = "all"
        is_trained = True

        def __init__(self, task: str) -> None:
            self.task = task

    class Graph:
        outputs = {"kind": Named("classification"), "answer": Named("binary"), "size": Named("regression")}

    found = balanced_weights(Graph, Split)  # type: ignore[arg-type]
    assert found["kind"].tolist() == [[2.0, 0.5, 0.5], [0.5, 0.5, 2.0]]
    assert found["answer"].tolist() == pytest.approx([2, 2 / 3, 2 / 3, 2 / 3])
    assert found["size"].tolist() == [1] * 5


def test_batches_have_the_order_of_their_epoch() -> None:
    """Every sample once an epoch, its target and weight with it, in an order that epoch and seed alone decide."""
    x, y, weights = (np.arange(11.0) * scale for scale in (1, 2, 3))

    def order(number: int, seed: int = 4, is_shuffled: bool = True) -> list[int]:
        samples = Samples(inputs=x, targets={"y": y}, weights={"y": weights})
        taken = batches(samples, Order(4, seed, is_shuffled), number)
        assert len(taken) == 3
        found = list(taken)
        assert [len(part[0]) for part in found] == [4, 4, 3]
        for part in found:
            np.testing.assert_array_equal(part[1]["y"], part[0] * 2)
            np.testing.assert_array_equal(part[2]["y"], part[0] * 3)
        return [int(v) for part in found for v in part[0].numpy()]

    assert sorted(order(0)) == list(range(11))
    assert order(0) == order(0) != order(1)
    assert order(0, seed=5) != order(0)
    assert order(1, is_shuffled=False) == list(range(11))


def test_every_callback_that_writes_writes_below_the_build(spec: Any, tmp_path: Path) -> None:
    loaded = spec(
        {
            "epochs": 2,
            "callbacks": [
                {"ModelCheckpoint": {"filepath": "kept/{epoch:02d}-{val_kind_accuracy:.2f}.keras", "verbose": 0}},
                {"ModelCheckpoint": {"filepath": "w/{epoch}.weights.h5", "save_weights_only": True, "save_freq": 3}},
                {"CSVLogger": {"filename": "deep/log.csv", "separator": ";", "append": True}},
                {"TensorBoard": {"histogram_freq": 1, "write_images": True, "update_freq": 2, "profile_batch": 0}},
                {"BackupAndRestore": {"backup_dir": "backup", "save_freq": 2, "delete_checkpoint": False}},
                "TerminateOnNaN",
            ],
        }
    )
    before = set(tmp_path.iterdir())
    loaded.train(tmp_path / "out")
    assert set(tmp_path.iterdir()) == before | {tmp_path / "out"}
    out = tmp_path / "out"
    assert len(list((out / "kept").glob("0[12]-0.??.keras"))) == 2
    assert sorted(p.name for p in (out / "w").iterdir()) == ["1.weights.h5", "2.weights.h5"]
    with (out / "deep" / "log.csv").open() as stream:
        assert len(list(csv.DictReader(stream, delimiter=";"))) == 2
    assert list((out / "logs").rglob("events*"))
    assert (out / "backup" / "training_metadata.json").is_file()


@pytest.mark.parametrize("path", ["{epoch:999999999d}.keras", "{val_loss:.999999999f}.keras"])
def test_a_path_cannot_be_made_as_long_as_memory(path: str) -> None:
    with pytest.raises(ValueError, match="is not a number format"):
        list(placeholders(path))
