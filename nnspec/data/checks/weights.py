"""The column of sample weights: numbers that are not negative, in every row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean

PLACE = "data.weight"


def check_weights(plan: DataPlan, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN503 where there is no such column, NN575 where its values are no weights."""
    name, source = plan.weight, plan.source
    facts = files.facts(source) if source is not None else None
    if name is None or source is None or facts is None:
        return
    try:
        column = facts.column(name, values=False)
    except SourceError as error:
        yield weight_fault(plan, f"the weights `{name}` cannot be used: {error}")
        return
    if column is None:
        message = f"`{source.shown}` has no column `{name}`{did_you_mean(name, facts.names)}"
        yield Diagnostic("NN503", message, plan.spans.get("weight", plan.span), path=PLACE)
    elif column.is_text:
        shown = f" (`{column.text}` in {source.source.locate(source, column.text_row)})" if column.text_row else ""
        yield weight_fault(plan, f"the weights `{name}` contain text{shown}")
    elif column.missing:
        yield weight_fault(plan, missing_weights(name, column.missing), Fix("give each row a weight, such as 1"))
    elif column.infinite:
        yield weight_fault(
            plan, f"the weights `{name}` are infinite in {source.source.locate(source, column.infinite[0])}"
        )
    elif column.lowest is not None and column.lowest[0] < 0:
        place = source.source.locate(source, column.lowest[1])
        message = f"the weights `{name}` have {column.lowest[0]:g} in {place}: a weight cannot be negative"
        yield weight_fault(plan, message, Fix("give rows that are not to count the weight 0, or leave them out"))
    elif column.highest is not None and column.highest[0] == 0:
        yield weight_fault(plan, f"the weights `{name}` are all 0: there is nothing to learn from", _OTHER)


_OTHER = Fix("name another column, or leave `weight` out so that all rows count alike")


def missing_weights(name: str, rows: Sequence[int]) -> str:
    """What is said of rows, from 1, without a weight."""
    shown = ", ".join(map(str, rows[:5])) + (", …" if len(rows) > 5 else "")
    return f"the weights `{name}` are missing in row{'s' * (len(rows) > 1)} {shown}"


def weight_fault(plan: DataPlan, message: str, *fixes: Fix) -> Diagnostic:
    """NN575."""
    return Diagnostic("NN575", message, plan.spans.get("weight", plan.span), path=PLACE, fixes=fixes)
