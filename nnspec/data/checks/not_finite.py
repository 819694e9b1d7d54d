"""What is missing or infinite among the numbers of an array, as far as they are looked at before training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from nnspec.data.prepare.fit import FitError, file_axes
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import ArrayFacts, SourceError, SourceFacts
from nnspec.diagnostics import Diagnostic, Fix


def check_finite(
    plan: DataPlan, slot: SlotPlan, model: Slot, facts: SourceFacts, header: ArrayFacts, what: str
) -> Iterator[Diagnostic]:
    """NN504, where loading the array would be one.

    Args:
        what: how messages name the array.
    """
    try:
        gaps, infinite = facts.not_finite(slot.array or "")
        sample = 0 if slot.lengths else file_axes(slot, len(header.shape)).sample or 0
    except (SourceError, FitError):
        return  # which is said where the array is fitted or loaded
    unit, after = "step" if slot.lengths else "row", math.prod(header.shape[sample + 1 :])
    span, where = slot.span_of(slot.data_key), slot.where(slot.data_key)

    def list_rows(places: Sequence[int]) -> str:
        rows = list(dict.fromkeys(place // after % header.shape[sample] + 1 for place in places))
        return f"{unit}{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:5]))}{', …' if len(rows) > 5 else ''}"

    if infinite and (slot.role == "inputs" or slot.needs_numbers(model.task)):
        message = f"{what} of {slot.kind} `{slot.name}` is infinite in {list_rows(infinite)}"
        yield Diagnostic("NN504", message, span, path=where, fixes=(Fix("correct the numbers in the array"),))
    rule = plan.missing_rule("*")
    is_refused = rule.policy == "error" or (slot.role == "inputs" and (rule.is_in_graph or bool(slot.lengths)))
    if gaps and is_refused and not slot.counts_in_part:
        message = f"{what} of {slot.kind} `{slot.name}` has missing values (NaN) in {list_rows(gaps)}"
        drop = Fix("`missing: drop` leaves out every sample that contains a missing value")
        carry = Fix("`missing: forward_fill` repeats the last value before the gap")
        others = () if slot.lengths else (drop,) if slot.role == "outputs" else (carry, drop)
        fixes = (*others, Fix("or write other numbers to the array"))
        yield Diagnostic("NN504", message, span, path=where, fixes=fixes)
