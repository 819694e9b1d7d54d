"""Metrics of forecasts that feed on themselves: of each row of the whole horizon, beside the naive forecasts'."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import predict
from nnspec.backends.keras.streaming import batch_for
from nnspec.backends.types import KerasModel
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.history import History
from nnspec.data.recursion import recursion_of
from nnspec.data.section.plan import DataPlan
from nnspec.ir.graph import Graph
from nnspec.training import forecasts
from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.scores import mae, r2, rmse

Array = np.ndarray
WINDOWS = 4096  # at once


def evaluate_further(
    model: KerasModel, graph: Graph, dataset: Dataset, deployment: Deployment, backend: TrainingBackend, plan: DataPlan
) -> dict[str, dict[str, MetricValues]]:
    """By split and output, `score_further`; empty where the horizon is all that is forecast."""
    recursion, further = recursion_of(graph, plan, deployment), dataset.further
    if recursion is None or further is None:
        return {}

    def call(feeds: Mapping[str, Array]) -> dict[str, Array]:
        read = deployment.to_network(feeds)
        return deployment.from_network(graph, predict(model, graph, read, batch_for(read), backend), feeds)

    axes = {name: each.axes for name, each in recursion.outputs.items()}
    found: dict[str, dict[str, MetricValues]] = {}
    for split, ends in further.ends.items():
        parts = [
            recursion.run(call, further.raw(ends[start : start + WINDOWS]), axes)
            for start in range(0, len(ends), WINDOWS)
        ]
        found[split] = {}
        for name in recursion.outputs:
            guess = np.concatenate([part[name] for part in parts])
            history, names = further.history(split, name), further.series.names
            found[split][name] = score_further(
                further.targets(split, name), guess, history, further.columns[name], names
            )
    return found


def score_further(
    truth: Array, guess: Array, history: History, columns: tuple[str, ...], names: Mapping[int, str]
) -> MetricValues:
    """`{"rows", "samples", "rmse", …, "by_step": {row: {…, "baseline": {…}}}, "baseline": {…}}`.

    The baseline is the better one, by RMSE, of the window's last value and that of a season before.

    Args:
        truth: axes `sample row column`; `guess` has the same.
        names: of the numbers of series; empty where there is a single one.
    """
    truth, guess = truth.astype(np.float64), guess.astype(np.float64)
    naive = {"persistence": history.last, "seasonal_naive": history.naive}
    given = {name: _scores(truth, each, history) for name, each in naive.items() if each is not None}
    found: MetricValues = {
        "rows": truth.shape[1],
        "samples": len(truth),
        **_scores(truth, guess, history),
        "r2": r2(truth.reshape(len(truth), -1), guess.reshape(len(truth), -1)),
    }
    found |= forecasts.by_step(truth, guess, history)
    if len(columns) > 1:
        found["by_column"] = {
            column: {"rmse": rmse(truth[..., i], guess[..., i]), "mae": mae(truth[..., i], guess[..., i])}
            for i, column in enumerate(columns)
        }
    found |= forecasts.by_series(truth, guess, history, names)
    found["baseline"] = None
    if given:
        best = min(given, key=lambda name: given[name]["rmse"])
        steps = forecasts.by_step(truth, np.asarray(naive[best], np.float64), history)["by_step"]
        for step, own in found["by_step"].items():
            own["baseline"] = {"name": best, **steps[step]}
        others = {name: scores for name, scores in given.items() if name != best}
        found["baseline"] = {"name": best, **given[best], **({"others": others} if others else {})}
    return found


def _scores(truth: Array, guess: Array, history: History) -> dict[str, float]:
    flat, said = (each.astype(np.float64).reshape(len(truth), -1) for each in (truth, guess))
    return {"rmse": rmse(flat, said), "mae": mae(flat, said), "mase": forecasts.mase(truth, guess, history)}


def describe_further(metrics: Mapping[str, Mapping[str, MetricValues]]) -> list[str]:
    """A line for each output of the last split."""
    last = list(metrics)[-1]
    found = []
    for name, values in metrics[last].items():
        body = values.get("recursive")
        if body is None:
            continue
        naive = body["baseline"]
        beside = f" ({naive['name']} {naive['rmse']:.4g})" if naive else ""
        steps = list(body["by_step"].items())
        shown = sorted({0, len(steps) // 4, len(steps) // 2, len(steps) - 1})
        errors = ", ".join(f"{steps[i][1]['rmse']:.4g} at {steps[i][0]}" for i in shown)
        found.append(f"{last} {name}, fed back to {body['rows']} rows: rmse {body['rmse']:.4g}{beside}; {errors}")
    return found
