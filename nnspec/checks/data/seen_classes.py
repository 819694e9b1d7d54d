"""Checks that the training rows have every class that the others have, where rows are not drawn at random."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import find_row_layout
from nnspec.data.checks.splits import slot_labels
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import Diagnostic, Fix, quoted
from nnspec.ir.graph import Output

_SHOWN = 3  # labels that a message names


def check_seen(files: PlanFacts, output: Output) -> Iterator[Diagnostic]:
    """NN513: labels of validation or test rows that no training row has, as in a table that is sorted by them."""
    plan = files.plan
    slot = plan.outputs.get(output.name)
    is_cut = plan.window is None and plan.split.by in ("order", "time") and plan.split.folds is None
    if slot is None or not is_cut or output.task != "classification" or not _are_learned(slot, output):
        return
    labels = slot_labels(files, slot)
    layout = find_row_layout(plan, files, len(labels)) if labels is not None else None
    if labels is None or layout is None or "train" not in layout.parts:
        return
    found = {
        name: {labels[layout.rows[position]] for stretch in stretches for position in stretch}
        for name, stretches in layout.parts.items()
    }
    for name, seen in found.items():
        unseen = sorted(seen - found["train"])
        if unseen:
            more = ", …" if len(unseen) > _SHOWN else ""
            fixes = (
                []
                if plan.split.by == "time"
                else [Fix("draw rows at random, so that each split has its share of every class: `by: random`")]
            )
            yield Diagnostic(
                "NN513",
                f"split `{name}` of output `{output.name}` has label {quoted(unseen[:_SHOWN])}{more}, "
                "which no training row has",
                slot.span_of(slot.data_key),
                path=slot.where(slot.data_key),
                notes=("rows are split in file order, which may be sorted by label",) if plan.order_by is None else (),
                fixes=tuple(fixes),
            )
            return


def _are_learned(slot: SlotPlan, output: Output) -> bool:
    """Whether the classes are those of the training rows, each label of one column."""
    return slot.classes is None and output.classes is None and len(slot.columns) == 1 and slot.ignore is None
