"""Fixes inside repeats, blocks and shared layers: an edit there applies to every iteration and use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from nnspec.diagnostics import Applicability, Diagnostic, Report, Span
from nnspec.expansion.items import Item

Place = tuple[str, int, int]


def settle_fixes(items: Sequence[Item], faults: Mapping[str, Diagnostic], report: Report) -> None:
    """A fix is certain only where every expansion of its item needs that very fix.

    Args:
        faults: the diagnostic of each item that has one, by the item's name.
    """
    uses = Counter(_place(item.kind_span) for item in items)
    found: dict[Place, list[Diagnostic]] = {}
    for item in items:
        if item.name in faults:
            found.setdefault(_place(item.kind_span), []).append(faults[item.name])
    uncertain = {
        (diagnostic.code, _place(diagnostic.span))
        for place, diagnostics in found.items()
        if len(diagnostics) < uses[place] or len({_edits(diagnostic) for diagnostic in diagnostics}) > 1
        for diagnostic in diagnostics
    }
    report.revise(lambda d: _as_maybe(d) if (d.code, _place(d.span)) in uncertain else d)


def _place(span: Span) -> Place:
    return span.source.name, span.line, span.column


def _edits(diagnostic: Diagnostic) -> tuple[tuple[Place, str], ...]:
    """What its certain fixes write, and where."""
    certain = [fix for fix in diagnostic.fixes if fix.applicability is Applicability.MACHINE]
    return tuple((_place(edit.span), edit.text) for fix in certain for edit in fix.edits)


def _as_maybe(diagnostic: Diagnostic) -> Diagnostic:
    fixes = tuple(replace(fix, applicability=Applicability.MAYBE) for fix in diagnostic.fixes)
    return replace(diagnostic, fixes=fixes)
