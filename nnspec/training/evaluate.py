"""Metrics of a trained model on every split, in original units, with the naive baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import predict, reset_states
from nnspec.backends.keras.streaming import batch_for
from nnspec.backends.keras.training.metrics import measure_output
from nnspec.backends.types import KerasModel
from nnspec.catalogue.losses import measures
from nnspec.data.dataset import Dataset, Split
from nnspec.data.deployment import Deployment
from nnspec.data.section.plan import DataPlan, Slot
from nnspec.ir.graph import ANOMALY, Graph, Output
from nnspec.ir.levels import middle
from nnspec.training import forecasts
from nnspec.training.baselines import score_baselines
from nnspec.training.further import describe_further, evaluate_further
from nnspec.training.metrics.anomalies import spread_of
from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.metrics.score import CHANCE, HEADLINE, KEPT, WEIGHTED, add_requested, merge_metrics, score_outcome
from nnspec.training.metrics.yes import describe_yes
from nnspec.training.outcomes import in_units, outcome_of
from nnspec.training.targets import trained_outputs
from nnspec.training.thresholds import counted_scores


def evaluate(
    model: KerasModel,
    graph: Graph,
    dataset: Dataset,
    deployment: Deployment,
    slots: Mapping[str, Slot],
    backend: TrainingBackend,
    batch_size: int | None = None,
    plan: DataPlan | None = None,
) -> dict[str, dict[str, MetricValues]]:
    """`{split: {output: {metric: value, …, "baseline": {…}}}}`; of outputs that are padded, how many `targets` count.

    Beside the metrics of the task stand the metrics that the spec asks for, by their names in the history.

    Args:
        batch_size: of a stateful model, which reads the samples in order, its state cleared before each split.
        plan: names columns and steps that have metrics of their own.
    """
    result: dict[str, dict[str, MetricValues]] = {}
    for split_name, split in dataset.splits.items():
        if batch_size:  # stateful: each split starts from a cleared state, as `nnspec predict` does
            reset_states(model)
        predicted = predict(model, graph, split.x, batch_size or batch_for(split.x), backend)
        naive = score_baselines(dataset, split_name, slots)
        result[split_name] = {}
        for name, output in trained_outputs(graph).items():
            counted = split.counts(name)
            known = {} if counted is None else {"targets": int(counted.sum())}
            scored = metrics_of(output, deployment, predicted[name], split, dataset, split_name, plan)
            beside = {key: value for key, value in naive[name].items() if key != WEIGHTED or WEIGHTED in scored}
            result[split_name][name] = {"samples": split.size, **known, **scored, "baseline": beside}
        for name, output in graph.outputs.items():
            if output.task == ANOMALY:
                scored = score_of_anomalies(output, deployment, predicted[name], split, plan)
                result[split_name][name] = {"samples": split.size, **scored}
    further = {} if plan is None else evaluate_further(model, graph, dataset, deployment, backend, plan)
    for split_name, outputs in further.items():
        for name, scored in outputs.items():
            result[split_name][name]["recursive"] = scored
    return result


def score_of_anomalies(
    output: Output, deployment: Deployment, scores: np.ndarray, split: Split, plan: DataPlan | None
) -> MetricValues:
    """What is told of scores of anomalies: beside chance where there are labels."""
    counted = counted_scores(output, split)
    if output.name in split.y:
        outcome = replace(outcome_of(output, deployment, scores, split, plan=plan), counted=counted)
        return {**score_outcome(outcome), "baseline": CHANCE}
    threshold = deployment.threshold(output) if deployment.has_threshold(output) else None
    return {**spread_of(scores if counted is None else scores[counted], threshold), "baseline": None}


def metrics_of(
    output: Output,
    deployment: Deployment,
    predicted: np.ndarray,
    split: Split,
    dataset: Dataset,
    split_name: str,
    plan: DataPlan | None = None,
) -> MetricValues:
    """The metrics of one output on a split: those of its task, and the metrics that the spec asks for."""
    name = output.name
    given = in_units(output, deployment, predicted, split)
    outcome = outcome_of(output, deployment, given, split, dataset.steps.get(name, ()), plan)
    truth = split.target[name] if output.gives_values else split.y[name]
    threshold = None if output.cut is None else deployment.threshold(output)
    asked = measure_output(output, truth, given, split.counts(name), threshold)
    weighted = {}
    if split.weights is not None and output.weighted_metrics:
        weighted = {WEIGHTED: measure_output(output, truth, given, split.counts(name), threshold, split.weights)}
    ahead = _score_ahead(output, deployment, given, split, dataset, split_name)
    found = add_requested(output.task, output.metrics, merge_metrics(score_outcome(outcome), ahead), asked)
    return {**found, **weighted}


def _score_ahead(
    output: Output, deployment: Deployment, given: np.ndarray, split: Split, dataset: Dataset, split_name: str
) -> dict[str, object]:
    """What is told of forecasts besides: MASE, and the metrics of each step and series."""
    history = dataset.past.histories.get((split_name, output.name))
    if history is None or not output.gives_values:
        return {}
    history, target = history.first(split.size), split.target[output.name]
    transform, counted = deployment.outputs[output.name], split.counts(output.name)
    values = given
    if transform.levels is not None:
        values = np.moveaxis(values, transform.levels.axis, -1).reshape(*target.shape, -1)
        central = values[..., middle(output.levels)]
    else:
        values = central = values.reshape(target.shape)
    return {
        "mase": forecasts.mase(target, central, history, counted),
        **forecasts.by_step(target, values, history, output.levels, counted),
        **forecasts.by_series(target, central, history, dataset.past.names, counted),
        **(forecasts.coverage_error(target, values, history, output.levels, counted) if output.levels else {}),
    }


def metrics_table(graph: Graph, metrics: Mapping[str, MetricValues]) -> str:
    """The metrics as plain text, a row a split and output; below it one for each metric that the spec asks for."""
    rows = [("split", "output", "samples", "metric", "model", "baseline")]
    for split, outputs in metrics.items():
        for name, scored in outputs.items():
            output = graph.outputs[name]
            headline = HEADLINE[output.task] if HEADLINE[output.task] in scored else "flagged"
            naive = scored["baseline"] or {}
            said = f"{naive[headline]:.4g} ({naive['name']})" if headline in naive else ""
            rows.append((split, name, str(scored["samples"]), headline, f"{scored[headline]:.4g}", said))
            for asked in _asked(output, scored):
                beside = f"{naive[asked]:.4g} ({naive['name']})" if asked in naive else ""
                rows.append((split, name, str(scored["samples"]), asked, format_metric(scored[asked]), beside))
            for asked, value in scored.get(WEIGHTED, {}).items():
                own = naive.get(WEIGHTED, {})
                beside = f"{own[asked]:.4g} ({naive['name']})" if asked in own else ""
                rows.append((split, name, str(scored["samples"]), f"{asked}, weighted", format_metric(value), beside))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    last = list(metrics)[-1]  # the split that training saw least of
    told = (describe_yes(name, scored) for name, scored in metrics[last].items())
    yeses = [line for line in told if line is not None]
    return "\n".join([*shown, *yeses, *_ahead(last, metrics[last]), *describe_further(metrics)])


def _ahead(split: str, outputs: Mapping[str, MetricValues]) -> Iterator[str]:
    """A line an output that forecasts: its MASE, the coverage of its intervals, and its error at each step."""
    for name, scored in outputs.items():
        said = []
        if not math.isnan(scored.get("mase", math.nan)):
            naive = scored["baseline"].get("mase", math.nan)
            said.append(f"MASE {scored['mase']:.3g} ({scored['baseline']['name']} {naive:.3g})")
        errors = scored.get("coverage_error", {})
        for share, value in scored.get("coverage", {}).items():
            sure = f" ± {errors[share]:.1%}" if share in errors else ""
            said.append(f"{float(share):.0%} intervals hold {value:.1%}{sure}")
        if said:
            yield f"{split} {name}: {', '.join(said)}"
        steps = scored.get("by_step", {})
        if steps and all("rmse" in errors for errors in steps.values()):
            shown = [*steps][:12]
            more = ", …" if len(steps) > len(shown) else ""
            errors = ", ".join(f"{steps[ahead]['rmse']:.4g}" for ahead in shown)
            yield f"{split} {name}: rmse at {', '.join(shown)}{more} rows ahead: {errors}{more}"


def _asked(output: Output, scored: MetricValues) -> list[str]:
    """The names under which the metrics stand that the spec asks for, but for the headline."""
    names = [measure.name for measure in measures(output)] if output.metrics else []
    numbered = [f"{name}_1" if f"{name}_1" in scored and name in KEPT[output.task] else name for name in names]
    return [name for name in dict.fromkeys(numbered) if name in scored and name != HEADLINE[output.task]]


def format_metric(value: object) -> str:
    """A metric, or the list of them that a metric gives, as text."""
    if isinstance(value, list):
        return " ".join(format_metric(part) for part in value)
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
