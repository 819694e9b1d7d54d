"""Classes and categories that are written in several ways, and targets that are all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.section.feature_count import words_in
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import SourceError
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.runtime.rows.kept import Coded
from nnspec.runtime.rules.csv import is_missing

_FEWEST_LETTERS = 3  # of words whose case does not tell them apart: `a` and `A`, `Co` and `CO` are different things


def check_spellings(plan: DataPlan, files: PlanFacts, outputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN645, for classes and categories that the data give rather than the spec."""
    for slot in plan.inputs.values():
        for encoding in slot.encodings:
            if encoding.is_text and encoding.categories is None and not encoding.is_date:
                words = words_in(encoding, _distinct(files, slot, encoding.name))
                yield from _check(slot, encoding.name, "categories", words)
    for name, slot in plan.outputs.items():
        model = outputs[name]
        is_given = model.classes is not None or (slot.classes is not None and slot.classes.kind != "labels")
        if model.task in ("classification", "binary") and not is_given:
            for column in slot.columns:
                yield from _check(slot, column, "classes", _distinct(files, slot, column))


def _distinct(files: PlanFacts, slot: SlotPlan, column: str) -> list[str]:
    """The different values of a column, those that are missing left out; none where they are not known."""
    try:
        facts = files.column(slot.source, column, values=True)
    except SourceError:
        return []
    if facts is None or facts.values is None:
        return []
    different = facts.values.words if isinstance(facts.values, Coded) else dict.fromkeys(facts.values)
    return [value for value in different if isinstance(value, str) and not is_missing(value)]


def _check(slot: SlotPlan, column: str, called: str, words: Sequence[str]) -> Iterator[Diagnostic]:
    alike = spelt_alike(words)
    if not alike:
        return
    shown = " and ".join(f"`{word}`" for word in alike[0][:2])
    more = f" ({len(alike) - 1} more words are alike)" if len(alike) > 1 else ""
    key = slot.item_key("columns", slot.columns.index(column))
    from nnspec.runtime.engine.types import quote_name

    name = column if column.isidentifier() else quote_name(column)
    yield Diagnostic(
        "NN645",
        f"column `{column}` has {shown} as separate {called}, which differ only in case or blanks{more}",
        slot.span_of(key),
        path=slot.where("columns"),
        fixes=(Fix(f"if they are the same, write them alike, or select `lower(trim({name}))` in a query"),),
        severity=Severity.WARNING,
    )


def spelt_alike(words: Sequence[str]) -> list[list[str]]:
    """The spellings of each word that has more than one."""
    found: dict[str, list[str]] = {}
    for word in dict.fromkeys(words):
        found.setdefault(_bare(word), []).append(word)
    return [spellings for spellings in found.values() if len(spellings) > 1]


def _bare(word: str) -> str:
    """A word without the blanks and compositions that nobody sees; without its case where it is one of letters."""
    import unicodedata

    text = " ".join(unicodedata.normalize("NFC", word).split())
    is_code = sum(map(str.isalpha, text)) < _FEWEST_LETTERS or re.search(r"\d", text)
    return text if is_code else text.casefold()


def check_constant_targets(plan: DataPlan, files: PlanFacts, outputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN646, for a column of numbers that a regression is to give."""
    for name, slot in plan.outputs.items():
        if outputs[name].task != "regression":
            continue
        for index, column in enumerate(slot.columns):
            try:
                facts = files.column(slot.source, column)
            except SourceError:
                continue
            if facts is None or facts.rows < 2 or facts.lowest is None or facts.highest is None or facts.infinite:
                continue
            if facts.lowest[0] == facts.highest[0]:
                yield Diagnostic(
                    "NN646",
                    f"column `{column}` of output `{slot.name}` is {facts.lowest[0]:g} in every row: there is nothing "
                    "to predict",
                    slot.span_of(slot.item_key("columns", index)),
                    path=slot.where("columns"),
                    fixes=(Fix("name the column that varies, or look at how the table was made"),),
                    severity=Severity.WARNING,
                )
