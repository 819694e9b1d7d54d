"""Quantile outputs: levels that cannot cross, pinball loss, conformal offsets, metrics and the deployed graph.

Every expected value is worked out in plain NumPy from the units of the trained head, or from the file's predictions.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec import api, runtime
from nnspec.backends.keras.model import as_model_inputs
from nnspec.catalogue.losses import METRICS
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.levels import Levels
from nnspec.diagnostics import SpecError
from nnspec.ir.levels import middle, pairs
from nnspec.jobs import run_training, settings_of
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.exporting import lower
from nnspec.pipeline import Checked, check, diagnose
from nnspec.progress import Progress
from nnspec.runtime import reading, writing
from nnspec.training.calibration import bounding_rank, fit_offsets, whole_groups
from nnspec.training.train import compile_model
from tests.support.paths import ROOT

LEVELS = [0.05, 0.2, 0.5, 0.8, 0.95]
STEPS = 2


def spec(folder: Path, **output: Any) -> Path:
    """Two columns and two steps; the axis of the levels stands first."""
    rng = np.random.default_rng(4)
    rows = 300
    season = np.sin(np.arange(rows) / 5)
    table = np.stack([50 + 9 * season + rng.normal(0, 1 + 2 * np.abs(season)), 1000 * season + rng.normal(0, 90, rows)])
    lines = [f"{i},{a:.4f},{b:.4f}" for i, (a, b) in enumerate(table.T)]
    (folder / "t.csv").write_text("t,a,b\n" + "\n".join(lines) + "\n", encoding="utf-8")
    body = {
        "nnspec": 1,
        "inputs": {"past": {"axes": {"time": 6, "column": 2}}},
        "model": [
            "Flatten",
            {"Dense": {"units": 8, "activation": "tanh"}},
            {"Dense": {"units": "auto", "name": "head"}},
            {"split": {"unit": {"level": len(LEVELS), "step": STEPS, "column": 2}}},
        ],
        "outputs": {"y": {"task": "quantiles", "levels": LEVELS, **output}},
        "data": {
            "source": {"csv": "t.csv"},
            "order_by": "t",
            "split": {"train": 0.5, "validation": 0.25, "test": 0.25},
            "window": {"lookback": 6, "horizon": [1, 3]},
            "inputs": {"past": {"columns": ["a", "b"], "scale": "standard"}},
            "outputs": {"y": {"columns": ["a", "b"], "scale": "standard", "relative_to": "last"}},
        },
        "training": {"epochs": 3, "batch_size": 16, "optimizer": {"Adam": {"learning_rate": 0.01}}},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Built:
    folder: Path
    checked: Checked
    dataset: Dataset
    metrics: dict[str, Any]

    def units(self, split: str) -> np.ndarray:
        """What the head gives: axes `sample level step column`."""
        model = keras.models.load_model(self.folder / "out" / "model.keras", compile=False)
        head = keras.Model(model.input, model.get_layer("head").output)
        made = head(as_model_inputs(self.checked.graph, self.dataset.splits[split].x), training=False)
        return np.asarray(made).reshape(-1, len(LEVELS), STEPS, 2)

    def quantiles(self, split: str) -> np.ndarray:
        """Level by level, each a softplus beyond the one nearer the median: axes as `units`."""
        z = self.units(split).astype(np.float64)
        found = np.empty_like(z)
        found[:, 2] = z[:, 2]
        for i in (3, 4):
            found[:, i] = found[:, i - 1] + np.log1p(np.exp(z[:, i]))
        for i in (1, 0):
            found[:, i] = found[:, i + 1] - np.log1p(np.exp(z[:, i]))
        return found

    def offsets(self) -> dict[tuple[int, int, int], float]:
        """By level, step and column: by hand, from the sorted distances of the validation targets."""
        given, truth = self.quantiles("validation"), self.dataset.splits["validation"].y["y"].astype(np.float64)
        count = len(truth)
        found = {}
        for low, high, wanted in ((0, 4, 0.9), (1, 3, 0.6)):
            place = int(np.ceil(round((count + 1) * wanted, 9)))
            for step in range(STEPS):
                for column in range(2):
                    y = truth[:, step, column]
                    outside = np.maximum(given[:, low, step, column] - y, y - given[:, high, step, column])
                    reach = sorted(outside.tolist())[place - 1]
                    found[low, step, column], found[high, step, column] = -reach, reach
        return found

    def deployed(self, split: str) -> np.ndarray:
        """Offsets added, scaling undone, the last values added back: axes as `units`, original units."""
        moved = self.quantiles(split)
        for (level, step, column), offset in self.offsets().items():
            moved[:, level, step, column] += offset
        for level, nearer in ((1, 2), (0, 1)):  # where an interval shrinks to less than nothing
            moved[:, level] = np.minimum(moved[:, level], moved[:, nearer])
        for level, nearer in ((3, 2), (4, 3)):
            moved[:, level] = np.maximum(moved[:, level], moved[:, nearer])
        raw = self.dataset.splits[split].raw["past"].astype(np.float64)
        train = self.dataset.splits["train"]
        change = train.target["y"] - train.raw["past"][:, -1][:, None]
        mean, deviation = change.mean(axis=(0, 1), dtype=np.float64), change.std(axis=(0, 1), dtype=np.float64)
        return moved * deviation + mean + raw[:, -1][:, None, None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("quantiles")
    path = spec(folder, calibrate="conformal")
    run = api.load(path).build(folder / "out")
    checked = check(path)
    return Built(folder, checked, load_dataset(checked), run.metrics)


def test_units_are_counted_and_the_levels_are_an_axis(built: Built) -> None:
    output = built.checked.graph.outputs["y"]
    assert [(axis.name, axis.size) for axis in output.value.axes] == [("level", 5), ("step", 2), ("column", 2)]
    dense = next(node for node in built.checked.graph.nodes if node.name == "head")
    assert dense.args["units"] == len(LEVELS) * STEPS * 2
    assert [node.name for node in built.checked.graph.nodes][-1] == "y.levels"


def test_levels_are_sums_of_softplus_from_the_median(built: Built) -> None:
    model = keras.models.load_model(built.folder / "out" / "model.keras", compile=False)
    made = np.asarray(model(as_model_inputs(built.checked.graph, built.dataset.splits["test"].x)))
    np.testing.assert_allclose(made, built.quantiles("test"), rtol=1e-5, atol=1e-5)
    assert (np.diff(made, axis=1) > 0).all()


def test_offsets_are_those_of_conformalized_quantile_regression(built: Built) -> None:
    body = json.loads((built.folder / "out" / "preprocessing.json").read_text())["outputs"]["y"]["levels"]
    assert body["values"] == LEVELS
    offset = np.asarray(body["offset"])
    assert offset.shape == (5, STEPS, 2)
    wanted = np.zeros_like(offset)
    for place, value in built.offsets().items():
        wanted[place] = value
    np.testing.assert_allclose(offset, wanted, atol=2e-6)
    assert len(np.unique(np.abs(offset[[0, 1]]))) == 8  # each step and column has its own
    metadata = runtime.load(built.folder / "out" / "model.onnx").metadata
    assert metadata["outputs"]["y"]["levels"] == LEVELS
    assert metadata["preprocessing"]["outputs"]["y"]["levels"] == body


def test_the_file_gives_calibrated_levels_in_original_units(built: Built) -> None:
    raw = built.dataset.splits["test"].raw["past"]
    got = runtime.load(built.folder / "out" / "model.onnx")(past=raw)["y"]
    np.testing.assert_allclose(got, built.deployed("test"), rtol=1e-5, atol=1e-3)
    deployment = Deployment.from_json(json.loads((built.folder / "out" / "preprocessing.json").read_text()))
    twin = deployment.outputs["y"].restore(built.quantiles("test").astype(np.float32), {"past": raw})
    np.testing.assert_allclose(twin, got, rtol=1e-5, atol=1e-3)
    verified = json.loads((built.folder / "out" / "verify.json").read_text())["outputs"]["y"]
    assert verified["passed"]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_metrics_are_those_of_the_deployed_levels(built: Built, split: str) -> None:
    got, truth = built.deployed(split), built.dataset.splits[split].target["y"].astype(np.float64)
    values = built.metrics[split]["y"]
    losses = []
    for i, level in enumerate(LEVELS):
        error = truth - got[:, i]
        losses.append(np.mean(np.where(error > 0, level * error, (level - 1) * error)))
        assert values["pinball_by_level"][f"{level:g}"] == pytest.approx(losses[-1], rel=1e-4)
    assert values["pinball"] == pytest.approx(np.mean(losses), rel=1e-4)
    for name, low, high in (("0.9", 0, 4), ("0.6", 1, 3)):
        held = np.mean((truth >= got[:, low]) & (truth <= got[:, high]))
        assert values["coverage"][name] == pytest.approx(held, abs=0.02)  # a target may lie on the edge
        assert values["width"][name] == pytest.approx(np.mean(got[:, high] - got[:, low]), rel=1e-4)
    assert values["mae"] == pytest.approx(np.mean(np.abs(truth - got[:, 2])), rel=1e-4)


def test_the_baseline_has_the_quantiles_of_what_persistence_missed(built: Built) -> None:
    train, test = built.dataset.splits["train"], built.dataset.splits["test"]
    last = {split: part.raw["past"][:, -1][:, None].astype(np.float64) for split, part in built.dataset.splits.items()}
    missed = train.target["y"] - last["train"]
    losses = []
    for level in LEVELS:
        guess = last["test"] + np.quantile(missed, level, axis=0)
        error = test.target["y"] - guess
        losses.append(np.mean(np.where(error > 0, level * error, (level - 1) * error)))
    naive = built.metrics["test"]["y"]["baseline"]
    assert naive["name"] == "persistence"
    assert naive["pinball"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert naive["rmse"] > 0


def test_validation_loss_is_the_pinball_loss_of_the_network(built: Built) -> None:
    rows = list(csv.DictReader((built.folder / "out" / "history.csv").read_text().splitlines()))
    best = min(rows, key=lambda row: float(row["val_loss"]))
    truth, given = built.dataset.splits["validation"].y["y"], built.quantiles("validation")
    error = truth[:, None] - given
    level = np.asarray(LEVELS)[:, None, None]
    assert float(best["val_loss"]) == pytest.approx(np.mean(np.maximum(level * error, (level - 1) * error)), rel=1e-4)
    assert float(best["val_mae"]) == pytest.approx(np.mean(np.abs(truth - given[:, 2])), rel=1e-4)


def test_predictions_name_their_levels(built: Built, tmp_path: Path) -> None:
    predictor = runtime.load(built.folder / "out" / "model.onnx")
    samples = reading.read_samples(built.folder / "t.csv", predictor.metadata)
    outputs = predictor(**samples.take(slice(0, 3)))
    rows = list(writing.records(outputs, predictor.metadata))
    names = [f"y_{column}+{ahead}_q{level:g}" for ahead in (1, 3) for column in "ab" for level in LEVELS]
    assert list(rows[0]) == names
    assert rows[2]["y_a+3_q0.8"] == pytest.approx(float(outputs["y"][2, 3, 1, 0]))


def test_levels_that_calibration_moves_past_each_other_stop_at_the_median(tmp_path: Path) -> None:
    """Offsets that shrink intervals to less than nothing: NumPy's and the graph's levels are the same, and ascend."""
    checked = check(spec(tmp_path))
    compiled = compile_model(checked.graph, settings_of(checked))
    data = load_dataset(checked)
    offset = np.random.default_rng(0).normal(0, 3, (5, STEPS, 2)).astype(np.float32)
    transform = replace(data.outputs["y"], levels=Levels(tuple(LEVELS), 1, offset))
    deployment = Deployment(data.inputs, {"y": transform})
    raw = data.splits["test"].raw
    got = lower(checked, compiled, deployment, "").open().run({"past": raw["past"]})["y"]
    plain = np.asarray(compiled.model(data.splits["test"].x["past"])) + offset
    ordered = np.array(plain)
    for i in (1, 0):
        ordered[:, i] = np.minimum(ordered[:, i], ordered[:, i + 1])
    for i in (3, 4):
        ordered[:, i] = np.maximum(ordered[:, i], ordered[:, i - 1])
    assert (np.diff(plain, axis=1) < 0).any()
    assert (np.diff(got, axis=1) >= 0).all()
    np.testing.assert_allclose(transform.levels.moved(plain - offset), ordered, atol=1e-5)
    np.testing.assert_allclose(got, replace(transform, levels=None).restore(ordered, raw), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("metric", sorted(METRICS["quantiles"]))
def test_metrics_of_keras_read_the_median(metric: str, tmp_path: Path) -> None:
    """Behind targets and levels of 7 samples, 5 levels, 2 steps, 2 columns: as Keras' own from the median alone."""
    checked = check(spec(tmp_path, metrics=[metric]))
    compiled = compile_model(checked.graph, settings_of(checked))
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(7, 6, 2)).astype("float32"), rng.random((7, STEPS, 2)).astype("float32")
    found = compiled.model.evaluate(x, y, batch_size=7, verbose=0, return_dict=True)
    own = getattr(keras.metrics, metric)()
    median = np.asarray(compiled.model(x))[:, 2]
    flat = metric == "R2Score"
    own.update_state(y.reshape(-1, 2) if flat else y, median.reshape(-1, 2) if flat else median)
    name = next(name for name in found if name != "loss")
    np.testing.assert_allclose(found[name], np.asarray(own.result()), rtol=1e-4)


def test_ranks_have_the_finite_sample_correction() -> None:
    assert [bounding_rank(n, 0.8) for n in (4, 5, 9, 99, 100)] == [4, 5, 8, 80, 81]
    assert bounding_rank(3, 0.8) == 4  # more than there are


def test_a_level_without_a_mirror_image_bounds_one_side(tmp_path: Path) -> None:
    """0.5 stays; 0.9 alone is moved so that 0.9 of the targets, corrected, lie below it."""
    path = tmp_path / "s.yaml"
    path.write_text(
        "nnspec: 1\ninputs: {x: {axes: {feature: 3}}}\nmodel: [{Dense: 2}]\n"
        "outputs: {y: {task: quantiles, levels: [0.5, 0.9], calibrate: true}}\n"
    )
    output = check(path).graph.outputs["y"]
    rng = np.random.default_rng(2)
    truth, given = rng.normal(size=19), rng.normal(size=(19, 2))
    offset = fit_offsets(output, Levels((0.5, 0.9), 1), truth, given)
    assert offset.tolist() == [0.0, pytest.approx(np.sort(truth - given[:, 1])[17])]
    with pytest.raises(SpecError) as error:
        fit_offsets(output, Levels((0.5, 0.9), 1), truth[:8], given[:8])
    assert error.value.diagnostics[0].code == "NN582"
    assert "needs 9 validation samples, but there are 8" in error.value.diagnostics[0].message


def test_targets_that_do_not_count_calibrate_nothing() -> None:
    levels = Levels((0.1, 0.9), 2)
    rng = np.random.default_rng(5)
    truth, given = rng.normal(size=(30, 3)), np.sort(rng.normal(size=(30, 3, 2)), axis=-1)
    counted = rng.random((30, 3)) < 0.7
    wild = np.where(counted, truth, 1e6)
    output: Any = None
    got = fit_offsets(output, levels, wild, given, counted)
    for step in range(3):
        y, q = truth[counted[:, step], step], given[counted[:, step], step]
        outside = np.sort(np.maximum(q[:, 0] - y, y - q[:, 1]))
        assert got[step, 1] == pytest.approx(outside[bounding_rank(len(y), 0.8) - 1], rel=1e-6)


def test_whole_series_count_alike_and_bound_one_to_come() -> None:
    """Four series of 1, 2, 3 and 4 windows: 0.8 of five is all four, 0.6 of five three of them, by hand."""
    groups = np.repeat([3, 1, 0, 2], [1, 2, 3, 4])
    given, output = np.zeros((10, 2)), check(ROOT / "specs" / "m1_panel.yaml").graph.outputs["forecast"]
    truth = np.array([9.0, 1, 2, 3, 4, 5, 6, 7, 8, 0])
    assert fit_offsets(output, Levels((0.1, 0.9), 1), truth, given, None, groups).tolist() == [-9, 9]
    # 9 counts 1, each of 1 and 2 a half, each of 3 to 5 a third, each of 6, 7, 8 and 0 a quarter: up to 7 it is 2.75
    assert fit_offsets(output, Levels((0.2, 0.8), 1), truth, given, None, groups).tolist() == [-8, 8]
    with pytest.raises(SpecError, match="needs 4 validation series or groups, but there are 3"):
        fit_offsets(output, Levels((0.1, 0.9), 1), truth, given, truth != 9, groups)
    alone = fit_offsets(output, Levels((0.1, 0.9), 1), truth, given, None, np.arange(10))
    assert alone.tolist() == fit_offsets(output, Levels((0.1, 0.9), 1), truth, given).tolist()


@pytest.mark.parametrize("seed", range(3))
def test_intervals_hold_their_share_of_series_to_come(seed: int) -> None:
    """Few long series of unlike spread: as samples alike, fewer than 0.8 of another one's targets are held."""
    rng = np.random.default_rng(seed)
    output, held = check(ROOT / "specs" / "m1_panel.yaml").graph.outputs["forecast"], []
    for _ in range(300):
        spreads = rng.lognormal(0, 1, 12)
        groups = np.repeat(np.arange(12), rng.integers(2, 30, 12))
        truth = rng.normal(size=len(groups)) * spreads[groups]
        found = [
            fit_offsets(output, Levels((0.1, 0.9), 1), truth, np.zeros((len(truth), 2)), None, own)[1]
            for own in (groups, None)
        ]
        target = np.abs(rng.normal(size=200) * rng.lognormal(0, 1, 200))
        held.append([float(np.mean(target <= reach)) for reach in found])
    of_series, of_samples = np.mean(held, axis=0)
    assert of_series > 0.79
    assert of_samples < of_series - 0.01


def test_only_whole_series_are_calibrated_as_such() -> None:
    path = ROOT / "specs" / "m1_panel.yaml"
    data = load_dataset(check(path))
    codes, names = whole_groups(data), data.origins.groups
    assert codes is not None
    assert names is not None
    assert len(np.unique(codes)) == len(np.unique(names[data.splits["validation"].rows]))
    later = {"train": 1.0, "validation": {"rows": 6}, "by": "time"}
    same = load_dataset(check(path, {"data.split": later, "data.window.context": True}))
    assert whole_groups(same) is None, "the same series, later"


def test_too_small_a_validation_split_is_told(tmp_path: Path) -> None:
    checked = check(spec(tmp_path, calibrate=True), {"training.epochs": 1, "data.split.validation": 0.06})
    told = io.StringIO()
    with pytest.raises(SpecError) as error:
        run_training(checked, tmp_path / "out", Progress(stream=told))
    assert error.value.diagnostics[0].code == "NN582"
    assert "samples: train" in told.getvalue()
    assert "epoch" not in told.getvalue(), "before it trains"


def test_a_head_with_a_softmax_is_an_error(tmp_path: Path) -> None:
    text = "nnspec: 1\ninputs: {x: {axes: {feature: 3}}}\nmodel: [{Dense: {units: 6, activation: ACT}}]\n"
    text += "outputs: {y: {task: quantiles}}\n"
    path = tmp_path / "s.yaml"
    path.write_text(text.replace("ACT", "softmax"))
    assert [d.code for d in diagnose(path)] == ["NN507"]
    path.write_text(text.replace("ACT", "linear"))
    assert diagnose(path) == []


def test_pairs_and_middle() -> None:
    assert pairs((0.05, 0.2, 0.5, 0.8, 0.95)) == [(0, 4), (1, 3)]
    assert pairs((0.1, 0.5, 0.95)) == []
    assert [middle(levels) for levels in ((0.1, 0.9), (0.1, 0.5, 0.9), (0.6, 0.7))] == [0, 1, 0]
