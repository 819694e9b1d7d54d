"""Checks that every fold has rows to train, validate and test on. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout, column_keys
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.fold_cuts import cut_rolling
from nnspec.data.section.plan import DataPlan
from nnspec.data.section.split_plan import Part
from nnspec.diagnostics import Diagnostic, Fix

_WHERE = "data.split.folds"


def check_folds(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN514 where there are fewer rows or groups than folds, NN505 where a fold holds no window."""
    if plan.split.is_chronological:
        yield from _check_rolling(plan, layout)
        return
    folds, span = plan.split.folds or 0, plan.split.spans.get("folds", plan.split.span)
    found, what = len(layout.rows), "rows"
    if plan.group_column is not None:
        keys = column_keys(plan, files, plan.group_column, len(layout.rows))
        if keys is None:
            return
        found, what = len(set(keys)), f"values of `{plan.group_column}`"
    if found < folds:
        message = f"{found} {what} cannot be divided into {folds} folds: each needs one"
        yield Diagnostic("NN514", message, span, path=_WHERE, fixes=(Fix("use fewer folds"),))


def _check_rolling(plan: DataPlan, layout: RowLayout) -> Iterator[Diagnostic]:
    """The first fold that lacks rows in every series."""
    split, window = plan.split, plan.window
    folds, span = split.folds or 0, split.spans.get("folds", split.span)
    needed = window.reach if window is not None else 1
    tested = max(window.horizon) if window is not None and window.has_context else needed
    learned = [Part("train", 1.0 - split.held_out, None, span), Part("validation", split.held_out, None, span)]
    for fold in range(folds):
        sizes: dict[str, int] = {}
        for series in layout.series:
            known, test = cut_rolling(len(series), folds, plan.gap)[fold]
            parts = {name: len(rows) for name, rows in cut(len(known), learned, plan.gap).items()} | {"test": len(test)}
            sizes = {name: max(size, sizes.get(name, 0)) for name, size in parts.items()}
        for name, least in (("train", needed), ("validation", tested if split.held_out else 0), ("test", tested)):
            if sizes.get(name, 0) < least:
                rows = f"{sizes.get(name, 0)} consecutive rows of {len(layout.rows)}"
                message = f"split `{name}` of fold {fold + 1} has {rows}, but it needs {least}"
                notes = (f"`gap` leaves out {plan.gap} rows between splits",) if plan.gap else ()
                code = "NN505" if window is not None else "NN514"
                yield Diagnostic(code, message, span, path=_WHERE, notes=notes, fixes=(Fix("use fewer folds"),))
                return
