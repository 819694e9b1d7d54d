"""Checks that a metric fits its output: task, classes, thresholds, sizes, weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.catalogue import keras_objects
from nnspec.catalogue.losses import DEFAULT_METRICS, METRICS, Measure, measured_by, measures
from nnspec.checks.context import Context
from nnspec.checks.training.loss_or_metric import Reading, check_axes
from nnspec.diagnostics import Diagnostic, Edit, Fix, Severity
from nnspec.document import locate
from nnspec.ir.graph import NamedObject, Output

# What measures the same in another task.
_SAME: dict[str, dict[str, str]] = {
    "binary": {
        "CategoricalAccuracy": "BinaryAccuracy",
        "SparseCategoricalAccuracy": "BinaryAccuracy",
        "CategoricalCrossentropy": "BinaryCrossentropy",
        "SparseCategoricalCrossentropy": "BinaryCrossentropy",
        "CategoricalHinge": "Hinge",
        "IoU": "BinaryIoU",
        "MeanIoU": "BinaryIoU",
        "OneHotIoU": "BinaryIoU",
        "OneHotMeanIoU": "BinaryIoU",
    },
    "classification": {
        "BinaryAccuracy": "SparseCategoricalAccuracy",
        "BinaryCrossentropy": "SparseCategoricalCrossentropy",
        "Hinge": "CategoricalHinge",
        "SquaredHinge": "CategoricalHinge",
    },
}
_SAME["multilabel"] = _SAME["binary"]
_CORRELATIONS = ("PearsonCorrelation", "ConcordanceCorrelation")


def check_metrics(context: Context) -> Iterator[Diagnostic]:
    """NN211: a metric of another task, or arguments that do not fit the output. NN623: nothing to weight them with."""
    for output in context.graph.outputs.values():
        if not output.is_trained:
            continue
        if output.metrics:
            yield from _check_metrics(context, output, "metrics", output.metrics, measures(output))
        if output.weighted_metrics:
            weighted = measures(output, is_weighted=True)
            yield from _check_metrics(context, output, "weighted_metrics", output.weighted_metrics, weighted)
            if context.plan is not None and context.plan.weight is None:
                yield Diagnostic(
                    "NN623",
                    f"output `{output.name}` has weighted metrics, but no column of the data has sample weights",
                    context.span("outputs", output.name, "weighted_metrics"),
                    path=f"outputs.{output.name}.weighted_metrics",
                    fixes=(
                        Fix("name the column: `data: {weight: importance}`"),
                        Fix("or list them under `metrics`, which count every sample once"),
                    ),
                )


def _check_metrics(
    context: Context, output: Output, key: str, values: Sequence[NamedObject], found: Sequence[Measure]
) -> Iterator[Diagnostic]:
    """NN211, of the metrics under one key of an output."""
    for index, (value, measure) in enumerate(zip(values, found, strict=True)):
        path = ("outputs", output.name, key, index)
        written = {**measure.arguments, **({} if isinstance(value, str) else {"name": measure.name})}
        reading = Reading(context=context, output=output, code="NN211", path=path, kind=measure.kind, arguments=written)
        if measure.kind not in measured_by(output):
            yield _wrong_task(reading, value if isinstance(value, str) else measure.kind)
            continue
        if measure.name == "loss":
            yield reading.fault(
                "name", ("is `loss`, a name that every training already uses"), Fix("choose another name")
            )
        yield from check_axes(reading)
        yield from _check_values(reading)
        yield from _check_classes(reading)


def _wrong_task(reading: Reading, called: str) -> Diagnostic:
    output, span = reading.output, locate(reading.context.root, reading.path).span
    is_word = called in keras_objects.words("metrics")
    others = {task: kinds for task, kinds in METRICS.items() if task != "quantiles"}  # those of a regression
    fitting = [t for t, kinds in others.items() if (t != "regression" if is_word else reading.kind in kinds)]
    meant = _SAME.get(output.task, {}).get(reading.kind)
    fixes = [Fix(f"use `{meant}`", (Edit(span, meant),))] if meant in measured_by(output) else []
    default = DEFAULT_METRICS[output.task][0]
    fixes.append(Fix(f"use `{default}`, the default for {output.task}", (Edit(span, default),)))
    return Diagnostic(
        "NN211",
        f"metric `{called}` does not apply to output `{output.name}`, whose task is {output.task}",
        span,
        path=f"outputs.{output.name}.{reading.path[-2]}[{reading.path[-1]}]",
        notes=(f"`{called}` is a metric for {' or '.join(fitting)}",),
        fixes=tuple(fixes),
    )


def _check_values(reading: Reading) -> Iterator[Diagnostic]:
    """What the metric takes the output's values for."""
    output, arguments = reading.output, reading.arguments
    if arguments.get("from_logits") and not output.gives_scores:
        yield reading.fault(
            "from_logits", f"is set, but output `{output.name}` gives probabilities, not logits", _leave_out()
        )
    if arguments.get("from_sorted_ids"):
        yield reading.fault(
            "from_sorted_ids", f"is set, but output `{output.name}` gives scores, not sorted ids", _leave_out()
        )
    if reading.kind in ("F1Score", "FBetaScore") and output.task != "classification" and _is_unset(reading):
        yield reading.fault(
            "threshold",
            f"is null, so only the largest value of output `{output.name}` counts as positive",
            Fix("set a decision threshold: `threshold: 0.5`"),
            severity=Severity.WARNING,
        )
    if reading.kind in _CORRELATIONS:
        index = arguments.get("axis", -1)
        axis = None if isinstance(index, list) else reading.output.value.axes[-1] if index == -1 else None
        if axis is not None and axis.size == 1:
            yield reading.fault(
                "axis",
                f"is -1 (`{axis.name}`), but output `{output.name}` has only one value along it: nothing to correlate",
                Fix("correlate over the samples of each batch: `axis: 0`"),
            )


def _width(reading: Reading) -> int | None:
    """The size of the last axis, if it is known."""
    axes = reading.output.value.axes
    size = axes[-1].size if axes else 1
    return size if isinstance(size, int) else None


def _is_unset(reading: Reading) -> bool:
    return reading.arguments.get("threshold") is None


def _leave_out() -> Fix:
    return Fix("remove it")


def _check_classes(reading: Reading) -> Iterator[Diagnostic]:
    """Numbers of classes, and classes by their number."""
    output, arguments = reading.output, reading.arguments
    count = 2 if reading.kind == "BinaryIoU" else arguments.get("num_classes") or reading.class_size
    size = reading.class_size if output.task == "classification" else _width(reading)
    has = f"output `{output.name}` has {size} {'classes' if output.task == 'classification' else 'values'}"
    if size is None:
        return
    for argument in ("num_classes", "num_labels"):
        value = arguments.get(argument)
        if value is not None and value != size:
            yield reading.fault(argument, f"is {value}, but {has}", Fix(f"set `{argument}: {size}`"))
    for argument in ("k", "top_k"):
        value = arguments.get(argument, 5 if argument == "k" and "TopK" in reading.kind else None)
        if value is not None and value > size:
            yield reading.fault(
                argument, (f"is {value}, but {has}, so every sample would count as a hit"), Fix("use a smaller number")
            )
    class_id = arguments.get("class_id")
    if class_id is not None and class_id >= size:
        yield reading.fault("class_id", f"is {class_id}, but {has} (counted from 0)")
    for target in arguments.get("target_class_ids") or ():
        if isinstance(count, int) and target >= count:
            yield reading.fault(
                "target_class_ids", (f"contains {target}, but there are {count} classes (counted from 0)")
            )
    weights = arguments.get("label_weights")
    if weights is not None and len(weights) != size:
        yield reading.fault("label_weights", f"has {len(weights)} weights, but {has}")
    for argument in ("num_labels", "label_weights"):
        if arguments.get(argument) is not None and not arguments.get("multi_label"):
            yield reading.fault(argument, "requires `multi_label: true`", Fix("add `multi_label: true`"))
