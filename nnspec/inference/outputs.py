"""Builds the outputs of the graph: task, classes and loss of each."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from dataclasses import replace
from typing import Any

from nnspec.diagnostics import AxisRef, Diagnostic, Report, Span
from nnspec.document import Mapping, to_plain
from nnspec.inference.levels import Levels
from nnspec.inference.thresholds import read_threshold
from nnspec.ir import axes as ax
from nnspec.ir.graph import ANOMALY, Output, Value


def make_output(name: str, value: Value, body: Mapping, span: Span, report: Report, levels: Levels) -> Output:
    """An output with its task; the class axis is `class`, else the last."""

    def plain(key: str) -> Any:
        node = body.get(key)
        return None if node is None else to_plain(node)

    task = str(plain("task"))
    class_axis = None
    if task in ("classification", "multilabel") and value.axes:
        wanted = plain("class_axis")
        position = ax.index_of(value.axes, wanted or "class")
        if wanted and position is None:
            report.add(
                Diagnostic(
                    "NN306",
                    f"output `{name}` has no axis `{wanted}`, only {ax.describe(value.axes)}",
                    body.entries["class_axis"].span,
                    path=f"outputs.{name}.class_axis",
                    about=(AxisRef(wanted), *(AxisRef(axis.name) for axis in value.axes)),
                )
            )
        class_axis = value.axes[-1 if position is None else position].name
    classes = plain("classes")
    if isinstance(classes, int | float):
        classes = list(range(int(classes)))
    return Output(
        name=name,
        value=value,
        task=task,
        span=span,
        classes=tuple(classes) if classes else None,
        class_axis=class_axis,
        loss=plain("loss"),
        metrics=tuple(plain("metrics") or ()),
        weighted_metrics=tuple(plain("weighted_metrics") or ()),
        levels=levels.values,
        is_calibrated=levels.is_calibrated,
        cut=read_threshold(name, body, report),
        unit=plain("unit") or "",
        weight=float(plain("weight") if plain("weight") is not None else 1.0),
    )


def with_labels(outputs: MappingABC[str, Output]) -> dict[str, Output]:
    """The outputs, which know what those with their labels are called: `OUTPUT_label`, and `is_anomaly` of the only
    score of anomalies."""
    scores = [name for name, output in outputs.items() if output.task == ANOMALY]
    named = {name: f"{name}_label" for name in outputs}
    named |= {name: "is_anomaly" if len(scores) == 1 else f"{name}_is_anomaly" for name in scores}
    return {name: replace(output, label=named[name]) for name, output in outputs.items()}
