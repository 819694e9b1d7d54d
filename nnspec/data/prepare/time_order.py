"""Checks that the rows of a plan can be sorted by time."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.time_order import find_unsortable
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.runtime.rows.kept import Times, distinct_values


def check_time_order(plan: DataPlan, values: Sequence[object]) -> Diagnostic | None:
    """NN514 where rows are split by time, and the text of `order_by` does not sort by time."""
    if plan.split.by != "time" or isinstance(values, Times):
        return None
    strange = find_unsortable(list(map(str, distinct_values(values))))
    if strange is None:
        return None
    return Diagnostic(
        "NN514",
        f"`{plan.order_by}` has text such as `{strange}`, whose alphabetical order is not the order in time",
        plan.spans.get("order_by", plan.span),
        path=plan.order_path,
        notes=(
            "text is in time order if it is ISO 8601 (`2020-12-31 13:00`), or has the year first and "
            "one format throughout",
        ),
        fixes=(Fix("write the dates as ISO 8601, or split with `by: order` if the rows are in order already"),),
    )
