"""Rules over the whole graph: one file a check, run in this order. Each is a function (Context) -> diagnostics."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from nnspec.checks.accumulation import check_effort
from nnspec.checks.augmented_targets import check_augmented_targets
from nnspec.checks.class_axis import check_class_axis
from nnspec.checks.context import Context
from nnspec.checks.data import check_data
from nnspec.checks.equal_units import check_equal_units
from nnspec.checks.first_step import check_first_step
from nnspec.checks.half_read import check_half_read
from nnspec.checks.head_chain import check_head_chain
from nnspec.checks.holes import check_holes
from nnspec.checks.indices import check_indices
from nnspec.checks.losses import check_losses
from nnspec.checks.metrics import check_metrics
from nnspec.checks.padding import check_padding
from nnspec.checks.pixel_order import check_pixel_order
from nnspec.checks.ports import check_ports
from nnspec.checks.reversed_steps import check_direction
from nnspec.checks.scaled_twice import check_scaled_twice
from nnspec.checks.softmax import check_softmax
from nnspec.checks.stateful import check_state
from nnspec.checks.targets import check_targets
from nnspec.checks.task import check_tasks
from nnspec.checks.thresholds import check_thresholds
from nnspec.checks.training import check_training
from nnspec.checks.units import check_units
from nnspec.checks.unused_steps import check_reach
from nnspec.checks.vocabularies import check_vocabularies
from nnspec.checks.without_targets import check_without_targets
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Report
from nnspec.document import Mapping
from nnspec.ir.graph import Graph

Check = Callable[[Context], Iterable[Diagnostic]]


def _of_key(function: str, *path: str) -> Check:
    """The check of one key, `MODULE.FUNCTION`, which is imported where a spec has the key."""

    def check(context: Context) -> Iterable[Diagnostic]:
        if context.node(*path) is None:
            return ()
        module, _, name = function.partition(".")
        found: Check = getattr(importlib.import_module(f"nnspec.checks.{module}"), name)
        return found(context)

    return check


CHECKS: tuple[Check, ...] = (
    check_tasks,
    check_head_chain,
    check_without_targets,
    check_losses,
    check_metrics,
    check_thresholds,
    check_training,
    _of_key("engine.check_engine", "training", "backend"),
    _of_key("optimizers.check_optimizers", "training", "optimizer"),
    check_class_axis,
    _of_key("class_weight.check_class_weight", "training", "class_weight"),
    check_effort,
    _of_key("distribution.check_distribution", "training", "distribute"),
    _of_key("logs.check_logs", "training", "log"),
    _of_key("start_weights.check_start", "training", "weights"),
    check_softmax,
    check_pixel_order,
    check_equal_units,
    check_scaled_twice,
    check_ports,
    _of_key("layout.check_layout", "export", "layout"),
    check_direction,
    check_padding,
    check_targets,
    check_augmented_targets,
    check_units,
    check_state,
    _of_key("opset.check_opset", "export", "opset"),
    _of_key("variants.check_variants", "export", "variants"),
    _of_key("fixed_batch.check_fixed_batch", "export", "batch"),
    _of_key("export_targets.check_export_targets", "export", "targets"),
    check_indices,
    check_vocabularies,
    _of_key("expect.check_expectations", "expect"),
    check_reach,
    check_first_step,
    check_half_read,
    check_holes,
    check_data,
)


def run_checks(
    graph: Graph,
    plan: DataPlan | None,
    root: Mapping,
    report: Report,
    *,
    folder: Path | None = None,
    allow_outside: bool = False,
) -> None:
    """All checks.

    Args:
        folder: the spec's, which paths are relative to; None leaves files alone.
        allow_outside: whether files may be outside of it.
    """
    context = Context(graph, plan, root, folder, allow_outside)
    for check in CHECKS:
        report.extend(check(context))
