"""What a model's file says of its targets: how `nnspec evaluate` reads them, and what a naive baseline would say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nnspec.catalogue.losses import Measure, at_threshold, measures
from nnspec.data.arrays import mapped
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment, class_position
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.wanted import Wanted
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Graph, Output
from nnspec.ir.matching_axes import matching_order
from nnspec.jobs.metadata.counted import describe_counted, padded_baseline
from nnspec.jobs.metadata.past import describe_past
from nnspec.runtime.rules.class_labels import shorten
from nnspec.training.baselines import most_frequent
from nnspec.training.metrics.parts import is_map, parts_of, target_axes
from nnspec.training.metrics.score import CHANCE
from nnspec.training.metrics.streamed import streamed_mean
from nnspec.training.metrics.streamed_levels import missed_quantiles
from nnspec.training.scores import as_rows

Described = dict[str, object]


def describe_evaluation(graph: Graph, plan: DataPlan, deployment: Deployment, dataset: Dataset) -> dict[str, Described]:
    """By output, as JSON: where its targets stand, their axes, the metrics that the spec asks for, and its baseline."""
    found: dict[str, Described] = {}
    for name, output in graph.outputs.items():
        if name in plan.outputs:
            counted = describe_counted(graph, output, plan, dataset)
            found[name] = {**_describe(output, plan, plan.outputs[name], deployment, dataset), **counted}
        elif name in plan.copies:
            found[name] = _describe_copy(graph, output, plan, deployment, dataset)
        elif output.task == ANOMALY:
            found[name] = {"is_unlabelled": True, "counts": "all", "baseline": None}
    return found


def _describe_copy(graph: Graph, output: Output, plan: DataPlan, deployment: Deployment, dataset: Dataset) -> Described:
    """Of an output that reconstructs an input: the order of that input's axes in its targets."""
    axes, given = target_axes(output), graph.inputs[plan.copies[output.name].input]
    order = matching_order(_sizes(given.axes), _sizes(output.value.axes))
    return {
        "of": plan.copies[output.name].input,
        "input_axes": [axis.name for axis in given.axes],
        "order": list(order or ()),
        "columns": [],
        "array": None,
        "reads": "numbers",
        "axes": [axis.name for axis in axes],
        "sizes": [axis.size if isinstance(axis.size, int) else None for axis in axes],
        "behind": None,
        "horizon": None,
        "is_columns_first": False,
        "counts": output.counts,
        "names": None,
        "edges": None,
        "gives_scores": False,
        "is_map": is_map(output),
        "parts": [[part.axis, part.called, list(part.names)] for part in parts_of(output, plan)],
        "asked": [[m.name, m.kind, dict(m.arguments)] for m in _asked(output, deployment)],
        "words": [metric for metric in output.metrics if isinstance(metric, str)],
        "baseline": _baseline(output, None, dataset, is_windowed=False),
    }


def _sizes(axes: Sequence[ax.Axis]) -> list[tuple[str, int | str | None]]:
    return [(axis.name, ax.size_to_json(axis.size)) for axis in axes]


def _describe(output: Output, plan: DataPlan, slot: SlotPlan, deployment: Deployment, dataset: Dataset) -> Described:
    axes = target_axes(output)
    transform = deployment.outputs[output.name]
    classes = deployment.classes(output)
    behind = None
    if output.task == "classification":
        behind = output.value.axes[class_position(output)].name
    elif output.level_axis is not None:
        behind = output.value.axes[output.level_axis].name
    is_windowed = plan.window is not None and slot.is_windowed
    is_word = output.task in ("classification", "binary", ANOMALY) and transform.edges is None
    has_names = classes is not None and not any(str(label).lstrip("-").isdigit() for label in classes)
    return {
        "columns": list(slot.columns),
        "array": None if slot.columns else slot.array or output.name,
        **({"folder": True} if slot.folder_of else {}),
        **_files(slot, axes, is_word=is_word),
        "reads": "words" if is_word else "numbers",
        "axes": [axis.name for axis in axes],
        "sizes": [axis.size if isinstance(axis.size, int) else None for axis in axes],
        "behind": behind,
        "horizon": list(plan.window.horizon) if plan.window is not None and is_windowed else None,
        "is_columns_first": _is_columns_first(plan, slot, axes),
        "counts": output.counts,
        "names": list(slot.columns) if output.task == "multilabel" else None,
        # The data may number the classes that the spec names.
        "labels": shorten(_known_labels(output, transform.classes, has_names=has_names)),
        "edges": transform.edges,
        "gives_scores": output.gives_scores,
        "is_map": is_map(output),
        "parts": [[part.axis, part.called, list(part.names)] for part in parts_of(output, plan)],
        "asked": [[m.name, m.kind, dict(m.arguments)] for m in _asked(output, deployment)],
        "words": [metric for metric in output.metrics if isinstance(metric, str)],
        "baseline": _baseline(output, slot, dataset, is_windowed=is_windowed),
        **_weighted(output, plan, slot, deployment),
        **describe_past(output, plan, dataset),
    }


def _files(slot: SlotPlan, axes: Sequence[ax.Axis], *, is_word: bool) -> Described:
    """How targets that are files of their own, such as masks, are decoded."""
    source = slot.source.source
    if slot.folder_of or slot.columns or not source.is_per_file:
        return {}
    wanted = Wanted(axes=tuple(_sizes(axes)), has_labels=is_word)
    return source.describe_reading(replace(slot.source, wanted=wanted))


def _weighted(output: Output, plan: DataPlan, slot: SlotPlan, deployment: Deployment) -> Described:
    """The metrics that count samples by their weights, and where these stand: in the row of a window's last target."""
    if not output.weighted_metrics or plan.weight is None:
        return {}
    rows = None if plan.window is None else [max(plan.window.horizon)] * 2
    asked = [[m.name, m.kind, dict(m.arguments)] for m in _asked(output, deployment, is_weighted=True)]
    return {"weighted": {"asked": asked, "column": plan.weight, "rows": rows}}


def _asked(output: Output, deployment: Deployment, *, is_weighted: bool = False) -> list[Measure]:
    """The metrics that the spec asks for, which decide where the output does."""
    if not (output.weighted_metrics if is_weighted else output.metrics):
        return []
    share = None if output.cut is None else deployment.threshold(output)
    if share is not None and output.gives_scores:
        share = float(1 / (1 + np.exp(-share)))
    return [at_threshold(measure, share) for measure in measures(output, is_weighted=is_weighted)]


def _known_labels(output: Output, classes: list[str | int] | None, *, has_names: bool) -> list[str | int] | None:
    """What the data may call the classes besides their names: numbers; of anomalies, the names."""
    if output.task == ANOMALY:
        return classes
    return list(range(len(classes))) if classes is not None and has_names else None


def _is_columns_first(plan: DataPlan, slot: SlotPlan, axes: list[ax.Axis]) -> bool:
    if plan.window is None or not plan.window.has_steps or len(axes) < 2:
        return False
    return (
        axes[0].size == len(slot.columns) and not ax.is_sequence(axes[0]) and axes[1].size == len(plan.window.horizon)
    )


def _baseline(
    output: Output, slot: SlotPlan | None, dataset: Dataset, *, is_windowed: bool
) -> Mapping[str, object] | None:
    """None where it would need more than the file has."""
    train = dataset.splits["train"]
    if output.task == ANOMALY:
        return CHANCE
    if output.counts != "all" and slot is None:
        return None
    if output.counts != "all":
        return padded_baseline(output, dataset)
    if not output.gives_values:
        codes = train.y[output.name]
        return {"name": "majority", "value": most_frequent(as_rows(codes), None).reshape(codes.shape[1:]).tolist()}
    target, last = train.target[output.name], train.last[output.name]
    if last is not None and not (is_windowed and slot is not None and slot.columns):
        return None
    if mapped.is_long(target):
        mean = streamed_mean(target, None, (0,))[0]
    else:
        target = target.astype(np.float64)
        mean = target.mean(axis=0)
    fitted = np.broadcast_to(mean if last is None else last, target.shape)
    found: Described = {"name": "persistence"} if last is not None else {"name": "mean", "value": fitted[0].tolist()}
    if output.levels:
        found["around"] = missed_quantiles(as_rows(target), as_rows(fitted), output.levels).tolist()
    return found
