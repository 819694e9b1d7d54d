"""Forecasts: seasonal naive baselines, MASE, and metrics of each step and series, against plain loops over rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import yaml

from nnspec.checks.context import output_slots
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.history import History
from nnspec.jobs import run_training
from nnspec.jobs.dataset import load_dataset
from nnspec.pipeline import check
from nnspec.progress import Progress
from nnspec.training.baselines import score_baselines
from nnspec.training.evaluate import metrics_table
from nnspec.training.forecasts import coverage_error

SEASON, LOOKBACK, HORIZON = 4, 3, [1, 2, 6]
LENGTHS = {"b": 60, "a": 48, "c": 52}


def table_of(seed: int = 0) -> dict[str, np.ndarray]:
    """Each series by itself: `t` rows with a season of four, of unlike scales; `c` never varies."""
    rng = np.random.default_rng(seed)
    found = {}
    for number, (name, count) in enumerate(LENGTHS.items()):
        t = np.arange(count)
        pattern = rng.normal(size=SEASON)[t % SEASON] * 5
        found[name] = np.round(10.0**number * (20 + pattern + rng.normal(size=count)), 3)
    found["c"][:] = 7.0
    return found


def spec(folder: Path, split: dict[str, Any], **output: Any) -> Path:
    series, rows = table_of(), []
    for name, values in series.items():
        rows += [f"{name},{t},{value}" for t, value in enumerate(values.tolist())]
    shuffled = np.random.default_rng(1).permutation(len(rows))
    (folder / "t.csv").write_text("s,t,y\n" + "\n".join(rows[i] for i in shuffled) + "\n", encoding="utf-8")
    body = {
        "nnspec": 1,
        "inputs": {"past": {"axes": {"time": LOOKBACK}}},
        "model": [{"Dense": {"units": "auto" if output else len(HORIZON), "as": "step"}}],
        "outputs": {"f": output or {"task": "regression"}},
        "data": {
            "source": {"csv": "t.csv"},
            "order_by": "t",
            "series": {"by": "s"},
            "split": split,
            "window": {"lookback": LOOKBACK, "horizon": HORIZON, "season": SEASON},
            "inputs": {"past": {"columns": ["y"], "scale": "standard"}},
            "outputs": {"f": {"columns": ["y"], "scale": "standard"}},
        },
        "training": {"epochs": 1},
    }
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return path


IN_TIME = {"train": 0.5, "test": 0.5, "gap": 0}


def windows(data: Dataset, split: str) -> list[tuple[str, int]]:
    """The series and the last row of each sample, from what its window holds."""
    series = table_of()
    found = []
    for values in data.splits[split].raw["past"]:
        ends = {
            (name, last)
            for name, rows in series.items()
            for last in range(LOOKBACK - 1, len(rows))
            if name != "c" and np.allclose(rows[last - LOOKBACK + 1 : last + 1], values, atol=1e-3)
        }
        found.append(ends.pop() if ends else ("c", -1))
    return found


def seasonal(rows: np.ndarray, last: int, ahead: int) -> float:
    place = last + ahead
    while place > last:
        place -= SEASON
    return float(rows[place] if place >= 0 else rows[last])


def scale_of(rows: np.ndarray) -> float:
    return float(np.mean([abs(rows[i] - rows[i - SEASON]) for i in range(SEASON, len(rows))]))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load_dataset(check(spec(tmp_path_factory.mktemp("in_time"), IN_TIME)))


def test_the_seasonal_naive_forecast_repeats_the_last_season(loaded: Dataset) -> None:
    series = table_of()
    for split in ("train", "test"):
        history = loaded.past.histories[split, "f"]
        assert history.naive is not None
        for i, (name, last) in enumerate(windows(loaded, split)):
            wanted = [7.0] * 3 if name == "c" else [seasonal(series[name], last, ahead) for ahead in HORIZON]
            assert history.naive[i].tolist() == pytest.approx(wanted), (split, name, last)


def test_errors_are_scaled_by_the_training_rows_of_the_series(loaded: Dataset) -> None:
    series = table_of()
    history = loaded.past.histories["test", "f"]
    for i, (name, _) in enumerate(windows(loaded, "test")):
        trained = series[name][: round(0.5 * LENGTHS[name])]
        if name == "c":
            assert np.isnan(history.scale[i]).all()  # what never varies has no scale
        else:
            assert history.scale[i].tolist() == pytest.approx([scale_of(trained)] * 3)


def test_a_series_that_is_not_trained_on_has_the_scale_of_its_past(tmp_path: Path) -> None:
    series = table_of()
    data = load_dataset(check(spec(tmp_path, {"train": 0.6, "test": 0.4, "by": "random", "seed": 0})))
    history, found = data.past.histories["test", "f"], windows(data, "test")
    names = {name for name, _ in found}
    assert names <= {"a", "b"}
    assert not names & {name for name, _ in windows(data, "train")}
    for i, (name, last) in enumerate(found):
        past = series[name][: last + 1]
        if last < SEASON:
            assert np.isnan(history.scale[i]).all()
        else:
            assert history.scale[i].tolist() == pytest.approx([scale_of(past)] * 3)


def test_both_baselines_are_scored_and_the_better_one_is_named(loaded: Dataset, tmp_path: Path) -> None:
    checked = check(spec(tmp_path, IN_TIME))
    naive = score_baselines(loaded, "test", output_slots(checked.graph))["f"]
    assert naive["name"] == "seasonal_naive"
    assert list(naive["others"]) == ["persistence"]
    assert naive["others"]["persistence"]["rmse"] > naive["rmse"]
    target, history = loaded.splits["test"].target["f"].astype(float), loaded.past.histories["test", "f"]
    last = loaded.splits["test"].raw["past"][:, -1:].astype(float)
    for metrics, guess in ((naive, history.naive), (naive["others"]["persistence"], last)):
        assert metrics["rmse"] == pytest.approx(np.sqrt(np.mean((target - guess) ** 2)))
        assert metrics["mase"] == pytest.approx(mase_by_hand(loaded, np.broadcast_to(guess, target.shape)), rel=1e-5)


def mase_by_hand(data: Dataset, guess: np.ndarray, split: str = "test") -> float:
    """The mean over the two series that vary."""
    series, target = table_of(), data.splits[split].target["f"].astype(float)
    each: dict[str, list[float]] = {"a": [], "b": []}
    for i, (name, _) in enumerate(windows(data, split)):
        if name != "c":
            scale = scale_of(series[name][: round(0.5 * LENGTHS[name])])
            each[name].append(float(np.mean(np.abs(target[i] - guess[i]) / scale)))
    return float(np.mean([np.mean(values) for values in each.values()]))


@pytest.mark.parametrize("task", ["regression", "quantiles"])
def test_metrics_of_steps_and_series(task: str, tmp_path: Path) -> None:
    """From the deployed transforms of what the trained network gives."""
    output = {"task": "quantiles", "levels": [0.2, 0.5, 0.8]} if task == "quantiles" else {}
    checked = check(spec(tmp_path, IN_TIME, **output))
    run = run_training(checked, tmp_path / "out", Progress(quiet=True))
    data = load_dataset(checked)
    metrics = run.metrics["test"]["f"]
    deployment = Deployment.from_json(json.loads((tmp_path / "out" / "preprocessing.json").read_text()))

    model = keras.models.load_model(tmp_path / "out" / "model.keras", compile=False)
    split = data.splits["test"]
    values = deployment.outputs["f"].restore(np.asarray(model(split.x["past"])), split.raw).astype(float)
    median = values[..., 1] if output else values
    target = split.target["f"].astype(float)
    assert metrics["mase"] == pytest.approx(mase_by_hand(data, median), rel=1e-4)
    for i, ahead in enumerate(HORIZON):
        step = metrics["by_step"][str(ahead)]
        assert step["rmse"] == pytest.approx(np.sqrt(np.mean((target - median)[:, i] ** 2)), rel=1e-4)
        assert step["mae"] == pytest.approx(np.mean(np.abs(target - median)[:, i]), rel=1e-4)
        if output:
            held = (target[:, i] >= values[:, i, 0]) & (target[:, i] <= values[:, i, 2])
            assert step["coverage_0.6"] == pytest.approx(np.mean(held))
    assert len({step["rmse"] for step in metrics["by_step"].values()}) == 3
    names = np.array([name for name, _ in windows(data, "test")])
    assert set(metrics["by_series"]) == set(LENGTHS)
    for name, found in metrics["by_series"].items():
        assert found["samples"] == np.sum(names == name)
        assert found["mae"] == pytest.approx(np.mean(np.abs(target - median)[names == name]), rel=1e-4)
        assert ("mase" in found) == (name != "c")
    text = metrics_table(checked.graph, run.metrics)
    assert f"MASE {metrics['mase']:.3g} (seasonal_naive" in text
    assert "rmse at 1, 2, 6 rows ahead:" in text


def test_persistence_is_a_baseline_however_the_past_is_encoded(loaded: Dataset, tmp_path: Path) -> None:
    path = spec(tmp_path, IN_TIME)
    body = yaml.safe_load(path.read_text())
    body["data"]["inputs"]["past"] = {"columns": {"y": "standard"}}
    body["inputs"]["past"]["axes"]["feature"] = 1
    body["model"].insert(0, "Flatten")
    path.write_text(yaml.safe_dump(body, sort_keys=False))
    checked = check(path)
    found = score_baselines(load_dataset(checked), "test", output_slots(checked.graph))["f"]
    plain = score_baselines(loaded, "test", output_slots(check(spec(tmp_path, IN_TIME)).graph))["f"]
    assert found["others"]["persistence"]["mase"] == pytest.approx(plain["others"]["persistence"]["mase"], rel=1e-5)


def test_coverage_is_as_sure_as_there_are_series() -> None:
    """Against a bootstrap of whole series: targets of one series are within an interval together, or not."""
    rng = np.random.default_rng(0)
    series = np.repeat(np.arange(40), rng.integers(2, 20, size=40))
    truth = rng.normal(size=40)[series][:, None] + 0.3 * rng.normal(size=(len(series), 3))
    guess = np.broadcast_to([-1.0, 0.0, 1.0], (*truth.shape, 3))
    history = History(naive=None, last=None, scale=truth, series=series, horizon=(1, 2, 3), step=1)
    found = coverage_error(truth, guess, history, (0.1, 0.5, 0.9))["coverage_error"]
    held = np.abs(truth) <= 1
    drawn = []
    for _ in range(2000):
        rows = np.concatenate([np.flatnonzero(series == code) for code in rng.integers(0, 40, size=40)])
        drawn.append(held[rows].mean())
    assert found == {"0.8": pytest.approx(np.std(drawn), rel=0.1)}
    assert found["0.8"] > 3 * np.sqrt(held.mean() * (1 - held.mean()) / held.size), "not that of independent targets"
    alone = History(naive=None, last=None, scale=truth, series=series * 0, horizon=(1, 2, 3), step=1)
    assert coverage_error(truth, guess, alone, (0.1, 0.5, 0.9)) == {}
