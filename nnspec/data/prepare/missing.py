"""The diagnostic of missing values, NN504."""

from __future__ import annotations

from nnspec.data.sources.base import SourcePlan
from nnspec.diagnostics import Diagnostic, Fix, Span

NOTHING_BEFORE = "`forward_fill` repeats the last value before a gap, but no value precedes these rows"


def missing_values(source: SourcePlan, name: str, rows: list[int], span: Span, where: str) -> Diagnostic:
    """NN504 for a column: which rows (from 1) have no value, and the ways out."""
    shown = ", ".join(str(row) for row in rows[:5]) + (", …" if len(rows) > 5 else "")
    count = "1 value" if len(rows) == 1 else f"{len(rows)} values"
    where_is = f"row{'s' * (len(rows) > 1)} {shown}" if source.path.is_file() else source.source.locate(source, rows[0])
    message = f"column `{name}` of `{source.shown}` has {count} missing: {where_is}"
    fixes = (
        Fix("`missing: forward_fill` repeats the last value before the gap"),
        Fix("`missing: drop` leaves out every sample that contains a missing value"),
    )
    return Diagnostic("NN504", message, span, path=where, fixes=fixes)
