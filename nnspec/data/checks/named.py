"""Looks up the columns and arrays that a spec names; one that is not there is told with the nearest ones."""

from __future__ import annotations

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import ArrayFacts, ColumnFacts, SourceError, SourcePlan
from nnspec.diagnostics import Diagnostic, Span, SpecError, did_you_mean, nearest, use_instead
from nnspec.diagnostics.values import as_yaml


def find_column(
    files: PlanFacts, source: SourcePlan, name: str, span: Span, where: str, values: bool = False
) -> ColumnFacts | Diagnostic:
    """A column; NN502 where it cannot be used, and NN503 where there is none."""
    try:
        found = files.column(source, name, values=values)
    except SourceError as error:
        return Diagnostic("NN502", f"`{source.shown}` cannot be used: {error}", span, path=where, fixes=error.help)
    return found if found is not None else unknown_name(files, source, "column", name, span, where)


def find_array(files: PlanFacts, source: SourcePlan, name: str, span: Span, where: str) -> ArrayFacts | Diagnostic:
    """The same of an array."""
    try:
        found = files.array(source, name)
    except SourceError as error:
        shown = f"array `{name}` of `{source.shown}`" if name else f"`{source.shown}`"
        return Diagnostic("NN502", f"{shown} cannot be used: {error}", span, path=where, fixes=error.help)
    if found is not None:
        return found
    written = span.text.strip("'\"")  # of which `name` may be the steps
    return unknown_name(files, source, "array", written if name.startswith(f"{written}.") else name, span, where)


def require_array(plan: DataPlan, slot: SlotPlan) -> ArrayFacts:
    """What is known of the array that a slot reads.

    Raises:
        SpecError: where its file cannot be used, or has no such array.
    """
    files = PlanFacts(plan)
    if files.facts(slot.source) is None:
        raise SpecError(files.diagnostics)
    found = find_array(files, slot.source, slot.array or "", slot.span_of(slot.data_key), slot.where(slot.data_key))
    if isinstance(found, Diagnostic):
        raise SpecError([found])
    return found


def unknown_name(files: PlanFacts, source: SourcePlan, kind: str, name: str, span: Span, where: str) -> Diagnostic:
    """NN503 with what there is instead."""
    facts = files.facts(source)
    names = facts.names if facts else []
    listed = [as_yaml(name) if name != name.strip() else name for name in names[:20]]
    notes = [f"it has: {', '.join(listed)}{', …' if len(names) > 20 else ''}", *(facts.notes if facts else ())]
    message = f"`{source.shown}` has no {kind} `{name}`{did_you_mean(name, names)}"
    fixes = tuple(use_instead(name, close, span) for close in nearest(name, names) if span.text.strip("'\"") == name)
    return Diagnostic("NN503", message, span, path=where, notes=tuple(notes), fixes=fixes)
