"""Reads the threshold of an output of scores."""

from __future__ import annotations

from nnspec.diagnostics import Diagnostic, Fix, Report
from nnspec.document import Mapping, Scalar, to_plain
from nnspec.ir.graph import ANOMALY
from nnspec.ir.thresholds import Threshold

OF_TASK = {"binary": Threshold("maximize", "f1"), "anomaly": Threshold("quantile", 0.95)}
"""What `auto` means."""


def read_threshold(name: str, body: Mapping, report: Report) -> Threshold | None:
    """An output's threshold; None where it has that of its task, or after a fault.

    NN585 where the task has none.
    """
    node, task = body.get("threshold"), body.get("task")
    kind = str(task.value) if isinstance(task, Scalar) else ""
    if node is None:
        return OF_TASK[kind] if kind == ANOMALY else None
    if kind not in OF_TASK:
        listed = " and ".join(f"`task: {known}`" for known in OF_TASK)
        message = f"`threshold` only applies to outputs with {listed}, and output `{name}` has another task"
        fixes = (Fix("remove `threshold`"),)
        report.add(Diagnostic("NN585", message, body.key_span("threshold"), path=f"outputs.{name}", fixes=fixes))
        return None
    value = to_plain(node)
    if isinstance(value, str):
        return OF_TASK[kind]
    if isinstance(value, dict):
        ((rule, goal),) = value.items()
        return Threshold(str(rule), goal if isinstance(goal, str) else float(goal))
    return Threshold(None, float(value))
