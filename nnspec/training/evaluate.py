"""Metrics of a trained model on every split, in original units, with the naive baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import predict, reset_states
from nnspec.backends.types import KerasModel
from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment, class_indices
from nnspec.data.section.plan import Slot
from nnspec.ir.graph import Graph, Output
from nnspec.ir.levels import middle
from nnspec.training import forecasts, scores
from nnspec.training.baselines import baselines
from nnspec.training.intervals import Figures, score_levels

# The metric that is shown with the baseline's.
HEADLINE = {
    "regression": "rmse",
    "quantiles": "pinball",
    "classification": "accuracy",
    "binary": "accuracy",
    "multilabel": "accuracy",
}


def evaluate(
    model: KerasModel,
    graph: Graph,
    dataset: Dataset,
    deployment: Deployment,
    slots: Mapping[str, Slot],
    backend: TrainingBackend,
    batch_size: int | None = None,
) -> dict[str, dict[str, Any]]:
    """`{split: {output: {figure: value, …, "baseline": {…}}}}`; of outputs that are padded, how many `targets` count.

    Args:
        batch_size: of a stateful model, which reads the samples in order, its state cleared before each split.
    """
    result: dict[str, dict[str, Any]] = {}
    for split_name, split in dataset.splits.items():
        if batch_size:  # stateful: each split starts from a cleared state, as `nnspec predict` does
            reset_states(model)
        predicted = predict(model, graph, split.x, batch_size or 256, backend)
        naive = baselines(dataset, split_name, slots)
        result[split_name] = {}
        for name, output in graph.outputs.items():
            figures = score(output, deployment, predicted[name], split, dataset.steps.get(name, ()))
            counted = split.counts(name)
            known = {} if counted is None else {"targets": int(counted.sum())}
            ahead = _score_ahead(output, deployment, predicted[name], split, dataset, split_name)
            result[split_name][name] = {"samples": split.size, **known, **figures, **ahead, "baseline": naive[name]}
    return result


def score(
    output: Output, deployment: Deployment, predicted: np.ndarray, split: Split, steps: Sequence[int] = ()
) -> Figures:
    """Figures of one output on one split, over the targets that count.

    Regression: RMSE, MAE and R² (Pearson's 1 - SSE/SST, mean over columns). Quantiles: as `intervals.score_levels`.

    Args:
        steps: the positions of the axes each of whose steps is a row of its own.
    """
    counted = split.counts(output.name)
    which = None if counted is None else scores.as_rows(counted, steps)
    if output.levels:
        return _score_levels(output, deployment, predicted, split, steps)
    if output.task == "regression":
        transform = deployment.outputs.get(output.name)
        values = transform.restore(predicted, split.raw) if transform else predicted
        truth = scores.as_rows(split.target[output.name].astype(np.float64), steps)
        guess = scores.as_rows(np.asarray(values).astype(np.float64).reshape(split.target[output.name].shape), steps)
        return {
            "rmse": scores.rmse(truth, guess, which),
            "mae": scores.mae(truth, guess, which),
            "r2": scores.r2(truth, guess, which),
        }
    if output.task == "multilabel":
        truth = scores.as_rows(split.y[output.name], steps)
        said = (predicted > output.threshold).astype(np.float32)
        guess = scores.as_rows(said.reshape(split.y[output.name].shape), steps)
        return {
            "accuracy": scores.accuracy(truth, guess, which),
            "f1_macro": scores.f1_macro(truth, guess, which),
        }
    codes = split.y[output.name].reshape(-1).astype(np.int64)
    chosen = class_indices(output, predicted).reshape(-1)
    which = None if counted is None else counted.reshape(-1)
    return {
        "accuracy": scores.accuracy(codes, chosen, which),
        "f1_macro": scores.f1_macro(codes, chosen, which),
    }


def _score_ahead(
    output: Output, deployment: Deployment, predicted: np.ndarray, split: Split, dataset: Dataset, split_name: str
) -> dict[str, object]:
    """What is told of forecasts besides: MASE, and the figures of each step and series."""
    history = dataset.past.histories.get((split_name, output.name))
    if history is None or not output.gives_values:
        return {}
    history, target = history.first(split.size), split.target[output.name].astype(np.float64)
    transform, counted = deployment.outputs[output.name], split.counts(output.name)
    values = np.asarray(transform.restore(predicted, split.raw)).astype(np.float64)
    if transform.levels is not None:
        values = np.moveaxis(values, transform.levels.axis, -1).reshape(*target.shape, -1)
        central = values[..., middle(output.levels)]
    else:
        values = central = values.reshape(target.shape)
    return {
        "mase": forecasts.mase(target, central, history, counted),
        **forecasts.by_step(target, values, history, output.levels, counted),
        **forecasts.by_series(target, central, history, dataset.past.names, counted),
    }


def _score_levels(
    output: Output, deployment: Deployment, predicted: np.ndarray, split: Split, steps: Sequence[int]
) -> Figures:
    transform = deployment.outputs[output.name]
    assert transform.levels is not None
    target, counted = split.target[output.name].astype(np.float64), split.counts(output.name)
    values = np.asarray(transform.restore(predicted, split.raw)).astype(np.float64)
    guess = [
        scores.as_rows(transform.levels.at(values, i).reshape(target.shape), steps) for i in range(len(output.levels))
    ]
    which = None if counted is None else scores.as_rows(counted, steps)
    return score_levels(scores.as_rows(target, steps), np.stack(guess, axis=-1), output.levels, which)


def table(graph: Graph, metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """The figures as plain text, a row a split and output."""
    rows = [("split", "output", "samples", "metric", "model", "baseline")]
    for split, outputs in metrics.items():
        for name, figures in outputs.items():
            headline = HEADLINE[graph.outputs[name].task]
            naive = figures["baseline"]
            said = f"{naive[headline]:.4g} ({naive['name']})"
            rows.append((split, name, str(figures["samples"]), headline, f"{figures[headline]:.4g}", said))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    last = list(metrics)[-1]  # the split that training saw least of
    return "\n".join([*lines, *_ahead(last, metrics[last])])


def _ahead(split: str, outputs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A line an output that forecasts: its MASE, the coverage of its intervals, and its error at each step."""
    for name, figures in outputs.items():
        said = []
        if not math.isnan(figures.get("mase", math.nan)):
            naive = figures["baseline"].get("mase", math.nan)
            said.append(f"MASE {figures['mase']:.3g} ({figures['baseline']['name']} {naive:.3g})")
        said += [f"{value:.1%} of {float(share):.0%} intervals" for share, value in figures.get("coverage", {}).items()]
        if said:
            yield f"{split} {name}: {', '.join(said)}"
        steps = figures.get("by_step", {})
        if steps:
            shown = [*steps][:12]
            more = ", …" if len(steps) > len(shown) else ""
            errors = ", ".join(f"{steps[ahead]['rmse']:.4g}" for ahead in shown)
            yield f"{split} {name}: rmse at {', '.join(shown)}{more} rows ahead: {errors}{more}"
