"""Rules over the whole graph: one file a check, run in this order. Each is a function (Context) -> diagnostics."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path

from nnspec.checks.context import Context
from nnspec.checks.data.augmented_targets import check_augmented_targets
from nnspec.checks.data.fit import check_data
from nnspec.checks.data.indices import check_indices
from nnspec.checks.data.padding import check_padding
from nnspec.checks.data.scaled_twice import check_scaled_twice
from nnspec.checks.data.targets import check_targets
from nnspec.checks.data.units import check_units
from nnspec.checks.data.vocabularies import check_vocabularies
from nnspec.checks.export.ports import check_ports
from nnspec.checks.heads.class_axis import check_class_axis
from nnspec.checks.heads.head_chain import check_head_chain
from nnspec.checks.heads.pixel_order import check_pixel_order
from nnspec.checks.heads.softmax import check_softmax
from nnspec.checks.heads.task import check_tasks
from nnspec.checks.heads.without_targets import check_without_targets
from nnspec.checks.steps.causal_in_part import check_causal_in_part
from nnspec.checks.steps.cut_parts import check_cut_parts
from nnspec.checks.steps.first_step import check_first_step
from nnspec.checks.steps.half_read import check_half_read
from nnspec.checks.steps.holes import check_holes
from nnspec.checks.steps.reversed_steps import check_direction
from nnspec.checks.steps.stateful import check_state
from nnspec.checks.steps.uneven_padding import check_uneven_padding
from nnspec.checks.steps.unused_steps import check_reach
from nnspec.checks.training.accumulation import check_effort
from nnspec.checks.training.callbacks import check_training
from nnspec.checks.training.equal_units import check_equal_units
from nnspec.checks.training.losses import check_losses
from nnspec.checks.training.metrics import check_metrics
from nnspec.checks.training.thresholds import check_thresholds
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
        module, _, name = function.rpartition(".")
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
    _of_key("training.engine.check_engine", "training", "backend"),
    _of_key("training.optimizers.check_optimizers", "training", "optimizer"),
    check_class_axis,
    _of_key("training.class_weight.check_class_weight", "training", "class_weight"),
    check_effort,
    _of_key("training.distribution.check_distribution", "training", "distribute"),
    _of_key("training.logs.check_logs", "training", "log"),
    _of_key("training.start_weights.check_start", "training", "weights"),
    check_softmax,
    check_pixel_order,
    check_equal_units,
    check_scaled_twice,
    check_ports,
    _of_key("export.layout.check_layout", "export", "layout"),
    check_direction,
    check_padding,
    check_uneven_padding,
    check_targets,
    check_augmented_targets,
    check_units,
    check_state,
    _of_key("export.opset.check_opset", "export", "opset"),
    _of_key("export.variants.check_variants", "export", "variants"),
    _of_key("export.fixed_batch.check_fixed_batch", "export", "batch"),
    _of_key("export.targets.check_export_targets", "export", "targets"),
    check_indices,
    check_vocabularies,
    _of_key("expect.check_expectations", "expect"),
    check_reach,
    check_cut_parts,
    check_causal_in_part,
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
