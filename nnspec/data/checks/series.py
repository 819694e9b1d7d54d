"""Rows at one time: several series whose windows would join them, or a time that stands twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from operator import eq

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.row_layout import RowLayout
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import SourceError, SourceFacts
from nnspec.data.sources.label_keys import label_keys
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Severity, Span
from nnspec.diagnostics.values import as_yaml
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.times import SortKey

MOST_PAIRED = 12  # columns of which pairs are tried
FEW = 0.1  # of the rows: with fewer at times of others, a clock that was set back is as likely as a second series


def check_series(plan: DataPlan, files: PlanFacts, layout: RowLayout) -> Iterator[Diagnostic]:
    """NN524: windows over rows of which several have the same time."""
    if plan.window is None or layout.keys is None:
        return
    at_once = _rows_at_once(layout)
    tied = sum(at_once)
    if not tied:
        return
    rows, example = len(layout.rows), _example(layout)
    named = f"`{plan.series_column}`"
    if plan.series_column is not None:
        message = f"{tied} of {rows} rows have a time that another row of their series, {named}, has too: {example}"
        yield _diagnostic(plan, message, (), is_error=False)
        return
    separators = list(_separators(plan, files, layout)) if tied > FEW * rows else []
    message = (
        f"{tied} of {rows} rows have a time that other rows have too ({example}), so a window would join rows of "
        "several series"
    )
    if not separators and tied <= FEW * rows:
        message = f"{tied} of {rows} rows have a time that another row has too: {example}"
    is_certain = len(separators) == 1 and separators[0][1] == max(at_once, default=0)
    fixes = [_name_series(plan, names[0], is_certain=is_certain) for names, _ in separators]
    fixes.append(Fix("if the rows follow one another in file order, leave out `order_by` and split with `by: order`"))
    yield _diagnostic(plan, message, fixes, is_error=tied > FEW * rows)


def _diagnostic(plan: DataPlan, message: str, fixes: Sequence[Fix], *, is_error: bool) -> Diagnostic:
    span = plan.spans.get("order_by", plan.span)
    severity = Severity.ERROR if is_error else Severity.WARNING
    notes = ("rows at one time keep the order of the file",)
    return Diagnostic("NN524", message, span, path=plan.order_path, notes=notes, fixes=tuple(fixes), severity=severity)


def _rows_at_once(layout: RowLayout) -> list[int]:
    """How many rows each time has of one series, where it has more than one."""
    assert layout.keys is not None
    found = []
    for series in layout.series:
        own = layout.keys[series.start : series.stop]
        if not any(map(eq, own, own[1:])):
            continue  # as nearly always
        count = 1
        for before, after in pairwise(series):
            if layout.keys[before] == layout.keys[after]:
                count += 1
                continue
            found.append(count)
            count = 1
        found.append(count)
    return [count for count in found if count > 1]


def _example(layout: RowLayout) -> str:
    assert layout.keys is not None
    for series in layout.series:
        for before, after in pairwise(series):
            if layout.keys[before] == layout.keys[after]:
                return f"rows {layout.rows[before] + 1} and {layout.rows[after] + 1}, for example"
    return ""


def _separators(
    plan: DataPlan, files: PlanFacts, layout: RowLayout
) -> Iterator[tuple[list[str] | list[tuple[str, str]], int]]:
    """The columns of which a few values tell all rows at one time apart, with the number of values.

    Columns that say the same (a name and its number) are one. A column that the model reads is a measurement.
    """
    assert layout.keys is not None
    assert plan.source is not None
    facts = files.facts(plan.source)
    used = {name for slot in plan.slots() for name in slot.columns}
    names = [name for name in facts.names if name not in used and name != plan.order_by] if facts is not None else []
    try:
        found = plan.source.source.probe(plan.source, names, names)
    except SourceError:
        return
    alike: dict[tuple[int, ...], list[str]] = {}
    others: dict[str, list[int]] = {}
    for name in names:
        codes = _codes(found, name, layout.rows)
        if codes is None or not 2 <= len(set(codes)) <= len(codes) / 2:
            continue
        if len(set(zip(layout.keys, codes, strict=True))) == len(codes):
            alike.setdefault(tuple(codes), []).append(name)
        else:
            others[name] = codes
    for told, same in alike.items():
        yield same, len(set(told))
    if not alike:
        yield from _pairs(layout.keys, dict(list(others.items())[:MOST_PAIRED]))


def _pairs(
    keys: Sequence[SortKey], columns: Mapping[str, Sequence[int]]
) -> Iterator[tuple[list[tuple[str, str]], int]]:
    """The two columns that tell all rows at one time apart together, with the number of their pairs of values."""
    for (first, own), (then, more) in combinations(columns.items(), 2):
        count = len(set(zip(own, more, strict=True)))
        if count <= len(own) / 2 and len(set(zip(keys, own, more, strict=True))) == len(own):
            yield [(first, then)], count


def _codes(facts: SourceFacts, name: str, rows: Sequence[int]) -> list[int] | None:
    """A column's values as numbers in the order of first appearance, a position each; None where there are gaps."""
    try:
        column = facts.column(name, values=True)
    except SourceError:
        return None
    if column is None or column.values is None or len(column.values) != len(rows):
        return None
    numbers: dict[str, int] = {}
    values = [column.values[row] for row in rows]
    if any(isinstance(value, str) and is_missing(value) for value in values):
        return None
    return [numbers.setdefault(key, len(numbers)) for key in label_keys(values)]


def _name_series(plan: DataPlan, column: str | tuple[str, str], *, is_certain: bool) -> Fix:
    """Adds `series` before `order_by`, in the style of the section."""
    text = f"series: {{by: {as_yaml(column)}}}"
    named = f"`{column}`" if isinstance(column, str) else " and ".join(f"`{name}`" for name in column)
    message = f"name the series: `{text}` keeps the values of {named} apart"
    key = plan.spans.get("order_by key")
    if key is None:
        return Fix(message)
    is_flow = plan.span.text.startswith("{")
    edit = Edit(key.start, f"{text}, " if is_flow else f"{text}\n{_indent(key)}")
    return Fix(message, (edit,), Applicability.MACHINE if is_certain else Applicability.MAYBE)


def _indent(key: Span) -> str:
    return " " * (key.column - 1)
