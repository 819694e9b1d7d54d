"""Markers of missing values, such as `?`: those that a spec names, and those that a column of numbers seems to have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.diagnostics import Diagnostic, Fix, did_you_mean
from nnspec.runtime.csv_dialect import Dialect
from nnspec.runtime.csv_rules import CellError, NumberColumn
from nnspec.runtime.markers import OPTION, OTHERS

if TYPE_CHECKING:
    from nnspec.data.section.plan import DataPlan

MOST = 3  # different markers of one column
_WORDS = frozenset(
    (
        *("none", "nil", "missing", "unknown", "unk", "undefined", "blank", "empty", "n.a.", "n.a", "na", "n/d", "nd"),
        *("tbd", "x", "\\n", "not available", "no data", "#value!", "#ref!", "#div/0!", "#name?"),
    )
)


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
    found = seen_markers(source, name)
    if not found:
        return None
    if OPTION not in source.source.options:
        cells = ", ".join(f"'{cell}'" for cell in found)
        return Fix(f"if {cells} marks missing values, make NULL of it in the query: `nullif({name}, {cells})`")
    from nnspec.data.checks.dialect import fix_of_keys

    given = source.options.get(OPTION)
    markers: object = list(found)
    if isinstance(given, dict):
        markers = {**given, name: markers}
    elif given is not None:
        markers = [*(given if isinstance(given, list) else [given]), *found]
    return fix_of_keys(source, {OPTION: markers}, f"if {_listed(found)} marks missing values: ", is_certain=False)


def _listed(found: list[str]) -> str:
    return " or ".join(f"`{cell}`" for cell in found)


def seen_markers(source: SourcePlan, name: str) -> list[str]:
    """The few texts beside numbers in a column that look like markers; none where other text is there as well."""
    try:
        facts = source.source.probe(source, [name], [name]).column(name, values=True)
    except SourceError:
        return []
    if facts is None or facts.values is None:
        return []
    dialect = Dialect.from_options(source.options)
    texts: list[str] = []
    numbers = 0
    for value in dict.fromkeys(map(str, facts.values)):
        try:
            numbers += NumberColumn(dialect).read([value]) != [None]
        except CellError:
            texts.append(value.strip())
    distinct = list(dict.fromkeys(texts))
    is_marked = 0 < len(distinct) <= MOST and all(_looks_like_one(text) for text in distinct)
    return distinct if numbers and is_marked else []


def _looks_like_one(text: str) -> bool:
    return text.lower() in _WORDS or not any(sign.isalnum() for sign in text)
