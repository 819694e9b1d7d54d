"""Markers of missing values, such as `?`: those that a spec names, and those that a column of numbers seems to have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.sources.base import ColumnFacts, SourceError, SourcePlan
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean
from nnspec.diagnostics.values import as_yaml
from nnspec.document.types import Plain
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing
from nnspec.runtime.rules.csv_dialect import Dialect
from nnspec.runtime.rules.dates import propose_formats, read_dates
from nnspec.runtime.rules.label_keys import label_key
from nnspec.runtime.rules.marker_words import looks_like_marker
from nnspec.runtime.rules.markers import OPTION, OTHERS

if TYPE_CHECKING:
    from nnspec.data.section.plan import DataPlan

MOST = 3  # different slips of one column
MOST_MARKERS = 8  # texts of one column that all look like markers


def check_markers(plan: DataPlan, files: PlanFacts) -> Iterator[Diagnostic]:
    """NN503 for markers of a column that the table does not have."""
    sources = {slot.source.identity: slot.source for slot in plan.slots()}
    for source in sources.values():
        facts, given = files.facts(source), source.options.get(OPTION)
        if facts is None or not isinstance(given, dict):
            continue
        for name in given:
            if name != OTHERS and name not in facts.names:
                message = f"`{OPTION}` names column `{name}`, which `{source.shown}` does not have"
                span, where = source.spans.get(OPTION, source.span), f"{source.where.rpartition('.')[0]}.{OPTION}"
                yield Diagnostic("NN503", message + did_you_mean(name, facts.names), span, path=where)


def propose_markers(source: SourcePlan, name: str) -> Fix | None:
    """How to declare what a column of numbers has where it has none; None where it holds other text too."""
    try:
        facts = source.source.probe(source, [name], [name])
        found = markers_among(source, facts.column(name, values=True))
        if not found:
            return None
        if OPTION not in source.source.options:
            cells = ", ".join(f"'{cell}'" for cell in found)
            return Fix(f"if {cells} marks missing values, convert it to NULL in the query: `nullif({name}, {cells})`")
        markers = with_markers(source.options.get(OPTION), name, found)
        changed = replace(source, options={**source.options, OPTION: markers})
        column = source.source.probe(changed, [name], []).column(name)
    except SourceError:
        return None
    if column is None or column.is_text:
        return None  # of a type that stays text
    return _declare(source, markers, found)


def propose_date_markers(source: SourcePlan, name: str, facts: ColumnFacts | None, form: str | None) -> Fix | None:
    """How to declare what a column of dates has where it has none; None where it has other text, or none."""
    found = markers_among_dates(facts, form)
    if not found or OPTION not in source.source.options:
        return None
    return _declare(source, with_markers(source.options.get(OPTION), name, found), found)


def _declare(source: SourcePlan, markers: Plain, found: list[str]) -> Fix:
    from nnspec.data.checks.dialect import fix_of_keys

    return fix_of_keys(source, {OPTION: markers}, f"if {_list_markers(found)} marks missing values: ", is_certain=False)


def fix_mistyped(source: SourcePlan, name: str) -> Fix | None:
    """What to do about the few cells of a column of numbers that are text; None where it is no such column."""
    try:
        facts = source.source.probe(source, [name], [name]).column(name, values=True)
    except SourceError:
        return None
    texts, numbers = _texts_among(source, facts)
    if not texts or len(texts) > MOST or numbers <= len(texts):
        return None
    marks = ""
    if OPTION in source.source.options:
        written = as_yaml(texts[0] if len(texts) == 1 else list(texts))
        marks = f", or write `{OPTION}: {written}` beside the path if missing values are meant"
    return Fix(f"correct {_list_markers(texts)}{marks}")


def first_text(source: SourcePlan, name: str) -> tuple[str, int, bool]:
    """The first value of a column that is no number, and its row; whether there is none, but numbers as text.

    "" and 0 where it is not found: all are numbers, or the column cannot be read.
    """
    try:
        facts = source.source.probe(source, [name], [name]).column(name, values=True)
    except SourceError:
        return "", 0, False
    texts, numbers = _texts_among(source, facts)
    if not texts or facts is None or facts.values is None:
        return "", 0, numbers > 0
    row = next((row for row, value in enumerate(facts.values, 1) if str(value).strip() == texts[0]), 0)
    return texts[0], row, False


def with_markers(given: Plain, name: str, found: list[str]) -> Plain:
    """The value of `na_values` with those of one column more."""
    if isinstance(given, dict):
        return {**given, name: found}
    if given is None:
        return found
    return list(dict.fromkeys([*(given if isinstance(given, list) else [given]), *found]))


def _list_markers(found: list[str]) -> str:
    return " or ".join(f"`{cell}`" for cell in found)


def markers_among(source: SourcePlan, facts: ColumnFacts | None) -> list[str]:
    """The few texts beside numbers in a column that look like markers; none where other text is there as well."""
    distinct, numbers = _texts_among(source, facts)
    is_marked = 0 < len(distinct) <= MOST_MARKERS and all(looks_like_marker(text) for text in distinct)
    return distinct if numbers and is_marked else []


def markers_among_dates(facts: ColumnFacts | None, form: str | None = None) -> list[str]:
    """The same of a column of dates, of a format or of ISO 8601."""
    marks, others = _marks_and_others(facts)
    try:
        read_dates(others, form)
    except CellError:
        return []
    return marks


def markers_among_written_dates(facts: ColumnFacts | None) -> list[str]:
    """The same of a column of dates in ISO 8601 or in any format of common use."""
    marks, others = _marks_and_others(facts)
    return (markers_among_dates(facts) or (marks if propose_formats(others) else [])) if marks else []


def _marks_and_others(facts: ColumnFacts | None) -> tuple[list[str], list[str]]:
    """The few texts of a column that look like markers, and the others; none of both where there are not both."""
    if facts is None or facts.values is None:
        return [], []
    distinct = dict.fromkeys(label_key(value).strip() for value in dict.fromkeys(facts.values))
    texts = [cell for cell in distinct if not is_missing(cell)]
    marks = [text for text in texts if looks_like_marker(text)]
    others = [text for text in texts if text not in marks]
    return (marks, others) if 0 < len(marks) <= MOST_MARKERS and others else ([], [])


def _texts_among(source: SourcePlan, facts: ColumnFacts | None) -> tuple[list[str], int]:
    """The texts of a column, each once, and how many different numbers; no texts where there are very many."""
    if facts is None or facts.values is None:
        return [], 0
    dialect = Dialect.from_options(source.options)
    texts: list[str] = []
    numbers = 0
    for value in dict.fromkeys(map(str, facts.values)):
        try:
            numbers += NumberColumn(dialect).read([value]) != [None]
        except CellError:
            texts.append(value.strip())
            if len(texts) > 4 * MOST:
                return [], numbers
    return list(dict.fromkeys(texts)), numbers
