"""Rules over the whole graph: one file a check, run in this order. Each is a function (Context) -> diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from nnspec.checks.accumulation import check_effort
from nnspec.checks.augmented_targets import check_augmented_targets
from nnspec.checks.class_axis import check_class_axis
from nnspec.checks.class_weight import check_class_weight
from nnspec.checks.context import Context
from nnspec.checks.data import check_data
from nnspec.checks.distribution import check_distribution
from nnspec.checks.engine import check_engine
from nnspec.checks.expect import check_expectations
from nnspec.checks.export_targets import check_export_targets
from nnspec.checks.first_step import check_first_step
from nnspec.checks.fixed_batch import check_fixed_batch
from nnspec.checks.holes import check_holes
from nnspec.checks.indices import check_indices
from nnspec.checks.layout import check_layout
from nnspec.checks.logs import check_logs
from nnspec.checks.losses import check_losses
from nnspec.checks.metrics import check_metrics
from nnspec.checks.opset import check_opset
from nnspec.checks.optimizers import check_optimizers
from nnspec.checks.padding import check_padding
from nnspec.checks.pixel_order import check_pixel_order
from nnspec.checks.ports import check_ports
from nnspec.checks.reversed_steps import check_direction
from nnspec.checks.softmax import check_softmax
from nnspec.checks.start_weights import check_start
from nnspec.checks.stateful import check_state
from nnspec.checks.targets import check_targets
from nnspec.checks.task import check_tasks
from nnspec.checks.thresholds import check_thresholds
from nnspec.checks.training import check_training
from nnspec.checks.unused_steps import check_reach
from nnspec.checks.variants import check_variants
from nnspec.checks.vocabularies import check_vocabularies
from nnspec.checks.without_targets import check_without_targets
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, Report
from nnspec.document import Mapping
from nnspec.ir.graph import Graph

CHECKS: tuple[Callable[[Context], Iterable[Diagnostic]], ...] = (
    check_tasks,
    check_without_targets,
    check_losses,
    check_metrics,
    check_thresholds,
    check_training,
    check_engine,
    check_optimizers,
    check_class_axis,
    check_class_weight,
    check_effort,
    check_distribution,
    check_logs,
    check_start,
    check_softmax,
    check_pixel_order,
    check_ports,
    check_layout,
    check_direction,
    check_padding,
    check_targets,
    check_augmented_targets,
    check_state,
    check_opset,
    check_variants,
    check_fixed_batch,
    check_export_targets,
    check_indices,
    check_vocabularies,
    check_expectations,
    check_reach,
    check_first_step,
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
