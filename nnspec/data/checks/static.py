"""Static columns that vary within a series, where a file says so without being loaded."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout, column_values
from nnspec.data.section.ahead import varies
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Diagnostic
from nnspec.runtime.rules.csv import is_missing


def check_static_columns(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN583, as the loader finds it."""
    for slot in plan.inputs.values():
        for name in slot.columns if slot.is_static else ():
            if plan.source is None or slot.source.identity != plan.source.identity:
                continue
            values = column_values(plan, files, name, len(layout.rows))
            if values is None:
                continue
            first: tuple[list[str], tuple[int, int]] | None = None
            count = 0
            for series in layout.series:
                found = _change([(layout.rows[position], values[layout.rows[position]]) for position in series])
                count += found is not None
                first = first or found
            if first is not None:
                yield varies(plan, slot, name, *first, count)


def _change(cells: list[tuple[int, object]]) -> tuple[list[str], tuple[int, int]] | None:
    known = [(row, cell) for row, cell in cells if not (isinstance(cell, str) and is_missing(cell))]
    for (row, cell), (other_row, other) in pairwise(known):
        if not _are_same(cell, other):
            return [str(cell), str(other)], (row + 1, other_row + 1)
    return None


def _are_same(cell: object, other: object) -> bool:
    """Whether two cells hold one value: `1.5` and `1.50` do."""
    if cell == other or label_key(cell) == label_key(other):
        return True
    try:
        return float(str(cell)) == float(str(other))
    except ValueError:
        return False
