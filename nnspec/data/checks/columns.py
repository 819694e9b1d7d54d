"""Columns against their encodings, and what fills their gaps: checks of `columns` as a mapping, and of `missing`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nnspec.data.checks.facts import PlanFacts, labels_of
from nnspec.data.checks.markers import propose_date_markers
from nnspec.data.checks.numbers import INFINITE_FIXES, unfit_number
from nnspec.data.section.column_plan import (
    DOMAINS,
    INTERPOLATE,
    ColumnPlan,
    MissingRule,
    is_outside,
    no_truth,
    outside_domain,
    unreadable_date,
)
from nnspec.data.section.feature_count import category_words, feature_count, fill_words, words_in
from nnspec.data.section.plan import DataPlan, Slot, SlotPlan
from nnspec.data.sources.base import ColumnFacts, SourceError, SourcePlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Diagnostic, Fix, Severity, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.diagnostics.values import as_yaml
from nnspec.runtime.rows.kept import Coded, Times, distinct_values
from nnspec.runtime.rules.csv import CellError, NumberColumn
from nnspec.runtime.rules.dates import read_dates
from nnspec.runtime.rules.truth import truth_of

SEPARATORS = (",", ";", "|", "/", "::", " ")
FEW_WORDS = 50  # distinct values that are always categories
MANY_WORDS = 10_000  # distinct values that make too many features, however often each occurs
MANY_NUMBERS = 100  # distinct numbers as categories: they are measurements rather than codes


def check_missing_rules(plan: DataPlan, files: PlanFacts, inputs: Mapping[str, Slot]) -> Iterator[Diagnostic]:
    """NN503 for a column that no file has, and NN550 for what cannot fill a column's gaps."""
    used = {name for slot in plan.slots() for name in slot.columns}
    for slot in plan.slots():
        facts = files.facts(slot.source)
        used |= set(facts.names) if facts is not None else set()
    for name, rule in plan.missing_rules.items():
        if name != "*" and name not in used:
            message = f"`missing` names column `{name}`, which the data does not have{did_you_mean(name, used)}"
            yield Diagnostic("NN503", message, rule.span, path=f"data.missing.{name}")
    for slot in plan.inputs.values():
        if slot.name in inputs and inputs[slot.name].is_text and not slot.encodings:
            yield from _check_texts(plan, files, slot)
            continue
        for name in () if slot.encodings else slot.columns:
            rule = plan.missing_rule(name)
            if rule.policy in ("category", "indicator"):
                message = f"`missing: {rule.policy}` of column `{name}` adds a feature, but its input lists columns"
                fix = Fix(f"write a mapping: `columns: {{{name}: standard}}`")
                yield Diagnostic("NN550", message, rule.span, path="data.missing", fixes=(fix,))
        yield from _check_interpolated(plan, files, slot)
        for column in slot.encodings:
            rule = plan.missing_rule(column.name)
            reason = unfit_rule(column, rule)
            if reason is not None:
                where = f"data.missing.{column.name}" if column.name in plan.missing_rules else "data.missing"
                message = f"the gaps of column `{column.name}` cannot be filled with {reason[0]}"
                yield Diagnostic("NN550", message, rule.span, path=where, fixes=(Fix(reason[1]),))


def _check_texts(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> Iterator[Diagnostic]:
    """What needs numbers fills no text; a rule for all columns matters to those that have gaps."""
    for name in slot.columns:
        rule = plan.missing_rule(name)
        is_meant = name in plan.missing_rules or _has_gaps(files, slot, name)
        if not is_meant or not (rule.policy == INTERPOLATE or (rule.is_in_graph and not rule.fills_words)):
            continue
        where = f"data.missing.{name}" if name in plan.missing_rules else "data.missing"
        message = f"`missing: {rule.policy}` cannot fill the gaps of column `{name}`: its values are texts"
        fix = Fix(
            f"`{name}: {{constant: TEXT}}` fills in a text, `most_frequent` the usual one, `constant` an empty one"
        )
        yield Diagnostic("NN550", message, rule.span, path=where, fixes=(fix,))


def _check_interpolated(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> Iterator[Diagnostic]:
    """A line leads to a later row, which is known to windows alone."""
    words = [column.name for column in slot.encodings if column.is_text or column.is_date]
    for name in slot.columns:
        rule = plan.missing_rule(name)
        if rule.policy != INTERPOLATE or not (name in plan.missing_rules or _has_gaps(files, slot, name)):
            continue
        where = f"data.missing.{name}" if name in plan.missing_rules else "data.missing"
        if name in words:
            reason = ": its values are not numbers"
        elif plan.window is None:
            reason = " without a window: a row alone has no later one"
        else:
            continue
        message = f"the gaps of column `{name}` cannot be interpolated{reason}"
        fix = Fix("`forward_fill` repeats the value of the row before")
        yield Diagnostic("NN550", message, rule.span, path=where, fixes=(fix,))


def _has_gaps(files: PlanFacts, slot: SlotPlan, name: str) -> bool:
    try:
        facts = files.column(slot.source, name)
    except SourceError:
        return False
    return facts is not None and bool(facts.missing)


def unfit_rule(column: ColumnPlan, rule: MissingRule) -> tuple[str, str] | None:
    """Why a rule does not go with a column, and what to do."""
    if column.is_date:
        return _unfit_date_rule(column, rule)
    if column.is_text:
        if rule.policy in ("mean", "median", "indicator"):
            return (
                f"the {rule.policy if rule.policy != 'indicator' else rule.fill}: its values are categories",
                f"`{column.name}: most_frequent`, or `constant` for a separate category",
            )
        known = column.categories
        strange = [word for word in fill_words(column, rule) or () if known and word not in known]
        if strange and known:
            return f"`{strange[0]}`, which is not one of its categories", f"write one of {enumerated(known)}"
        return None
    if rule.policy == "category":
        return (
            "a category: its values are numbers",
            f"`{column.name}: indicator` adds a feature for where they are missing",
        )
    if rule.policy == "constant" and isinstance(rule.value, str):
        return f"the text `{rule.value}`: its values are numbers", "write a number, or `median`"
    return None


def _unfit_date_rule(column: ColumnPlan, rule: MissingRule) -> tuple[str, str] | None:
    if rule.policy == "category":
        return (
            "a category: its values are dates",
            f"`{column.name}: indicator` adds a feature for where they are missing",
        )
    if rule.policy == "constant":
        try:
            is_date = rule.value is not None and read_dates([str(rule.value)])[0] is not None
        except CellError:
            is_date = False
        shown = "0" if rule.value is None else f"`{rule.value}`"
        return None if is_date else (f"{shown}: its values are dates", "write a date: `{constant: 2024-12-31}`")
    return None


def check_encoding(
    plan: DataPlan, files: PlanFacts, slot: SlotPlan, place: int, column: ColumnFacts
) -> Iterator[Diagnostic]:
    """NN504, NN506 and NN550 to NN552 for one column of an input."""
    encoding = slot.encodings[place]
    span, where = encoding.span, slot.where(f"columns.{encoding.name}")
    if encoding.is_date:
        yield from _check_dates(files, slot, encoding, where)
        return
    if encoding.is_text:
        words = words_of(files, slot, encoding)
        if encoding.kind == "multi_hot" and words is not None:
            yield from _check_separator(files, slot, encoding, where)
        if encoding.kind == "one_hot" and encoding.categories is None and words is not None:
            yield from _check_many(encoding, words, column.rows, where)
        return
    if encoding.kind == "boolean" and (column.is_text or encoding.truths is not None):
        yield from _check_truths(files, slot, encoding, where)
        return
    called = encoding.scale or encoding.transform or encoding.kind
    if column.is_text:
        from nnspec.data.checks.text_in_numbers import find_text

        found_text = find_text(slot.source, encoding.name, column)
        text_place = slot.source.source.locate(slot.source, found_text.row) if found_text.row else ""
        shown = f" (`{found_text.text}` in {text_place})" if text_place else ""
        message = f"column `{encoding.name}` contains text{shown}, which `{called}` cannot take"
        others = () if found_text.is_certain else (Fix(f"if its values are categories: `{encoding.name}: one_hot`"),)
        fixes = (*found_text.fixes, *others)
        yield Diagnostic("NN550", message, span, path=where, fixes=fixes)
        return
    found = unfit_number(column, "float32", slot.source)
    if found is not None:
        code, reason = found
        fixes = INFINITE_FIXES if code == "NN504" else ()
        message = f"column `{encoding.name}` of input `{slot.name}` {reason}"
        yield Diagnostic(code, message, span, path=where, fixes=fixes)
    if encoding.kind == "boolean":
        yield from _check_boolean(slot.source, encoding, column, where)
    if encoding.transform in DOMAINS:
        yield from _check_domain(plan, files, slot, encoding, where)


def _check_dates(files: PlanFacts, slot: SlotPlan, encoding: ColumnPlan, where: str) -> Iterator[Diagnostic]:
    """NN554: the first cell that is no date."""
    facts = files.column(slot.source, encoding.name)
    if facts is not None and not (facts.is_time and encoding.form is None):
        facts = files.with_values(slot.source, encoding.name)
    if facts is None or facts.values is None or (isinstance(facts.values, Times) and encoding.form is None):
        return
    try:
        if isinstance(facts.values, Coded):
            read_dates(list(map(label_key, facts.values.words)), encoding.form)
            return
    except CellError:
        pass  # in which row is told below
    cells = [label_key(value) for value in facts.values]
    try:
        read_dates(cells, encoding.form)
    except CellError as error:
        place = slot.source.source.locate(slot.source, error.index + 1)
        fault = unreadable_date(encoding, error.cell, place, cells, where)
        marked = propose_date_markers(slot.source, encoding.name, facts, encoding.form)
        yield fault if marked is None else replace(fault, fixes=(marked,))


def _check_separator(files: PlanFacts, slot: SlotPlan, encoding: ColumnPlan, where: str) -> Iterator[Diagnostic]:
    """NN576: no cell has the separator, so that each would be one word."""
    facts = files.column(slot.source, encoding.name, values=True)
    cells = labels_of(facts) if facts is not None else None
    if not cells or any(encoding.separator in cell for cell in distinct_values(cells)):
        return
    others = [mark for mark in SEPARATORS if sum(mark in cell for cell in cells) * 10 >= len(cells)]
    message = (
        f"no cell of column `{encoding.name}` contains the separator `{encoding.separator}`, so each cell is a "
        f"single word"
    )
    fixes = [Fix(f"write `{encoding.name}: {{multi_hot: {{separator: {as_yaml(mark)}}}}}`") for mark in others[:2]]
    fixes += [] if others else [Fix(f"for one word per cell, write `{encoding.name}: one_hot`")]
    yield Diagnostic("NN576", message, encoding.span, path=where, fixes=tuple(fixes), severity=Severity.WARNING)


def _check_truths(files: PlanFacts, slot: SlotPlan, encoding: ColumnPlan, where: str) -> Iterator[Diagnostic]:
    """NN550: a word that is neither yes nor no."""
    facts = files.column(slot.source, encoding.name, values=True)
    if facts is None or facts.values is None:
        return
    gaps = set(facts.missing or ())
    for row, value in enumerate(facts.values, 1):
        cell = label_key(value)
        if row not in gaps and truth_of(cell, encoding.truths) is None:
            yield no_truth(encoding, cell, slot.source.source.locate(slot.source, row), where)
            return


def _check_boolean(source: SourcePlan, encoding: ColumnPlan, column: ColumnFacts, where: str) -> Iterator[Diagnostic]:
    strange = [end for end in (column.lowest, column.highest) if end is not None and end[0] not in (0, 1)]
    strange += [column.fraction] if column.fraction is not None else []
    if strange:
        value, row = strange[0]
        place = source.source.locate(source, row)
        message = f"column `{encoding.name}` has {value:g} in {place}, which is neither 0 nor 1"
        fix = Fix(f"`{encoding.name}: number`, or `one_hot`")
        yield Diagnostic("NN550", message, encoding.span, path=where, fixes=(fix,))


def check_target(plan: DataPlan, files: PlanFacts, slot: SlotPlan, place: int) -> Iterator[Diagnostic]:
    """NN551 for a column of an output whose numbers go through a function."""
    if slot.function in DOMAINS:
        name = slot.columns[place]
        encoding = ColumnPlan(
            name=name, kind="number", span=slot.span_of(slot.item_key("columns", place)), transform=slot.function
        )
        yield from _check_domain(plan, files, slot, encoding, slot.where(f"columns.{name}"))


def _check_domain(
    plan: DataPlan, files: PlanFacts, slot: SlotPlan, encoding: ColumnPlan, where: str
) -> Iterator[Diagnostic]:
    """NN551: numbers that the function is not defined for, in the data or filled in."""
    facts = files.column(slot.source, encoding.name)
    if facts is None or facts.is_text:
        return
    if facts.lowest is None or is_outside(encoding.transform, facts.lowest[0]):  # all domains are bounded below
        facts = files.with_values(slot.source, encoding.name)
        if facts is None or facts.values is None:
            return
        try:
            numbers = NumberColumn().read([str(value) for value in facts.values])
        except CellError:
            return
        known = [(row, number) for row, number in enumerate(numbers, 1) if number is not None]
        rows = [row for row, number in known if is_outside(encoding.transform, number)]
        if rows:
            yield outside_domain(encoding, rows, where)
    rule = plan.missing_rule(encoding.name)
    if (
        rule.policy == "constant"
        and not isinstance(rule.value, str)
        and is_outside(encoding.transform, rule.value or 0)
    ):
        filled = f"gaps of column `{encoding.name}` are filled with {rule.value or 0:g}"
        message = f"{filled}, where {encoding.transform} is not defined"
        yield Diagnostic("NN551", message, rule.span, path="data.missing", fixes=(Fix("fill in the `median`"),))


def _check_many(encoding: ColumnPlan, words: list[str], rows: int, where: str) -> Iterator[Diagnostic]:
    """NN552: a feature for each of many numbers, or for words of which hardly one occurs twice."""
    distinct = set(words)
    count = len(distinct)
    if count <= FEW_WORDS:
        return
    made = f"`one_hot` creates {count + 1} features from column `{encoding.name}`"
    try:
        NumberColumn().read(sorted(distinct))
        if count <= MANY_NUMBERS:
            return
        message = f"{made}, which has {count} different numbers"
        fixes: tuple[Fix, ...] = (Fix(f"a measurement is one feature: `{encoding.name}: standard`"),)
    except CellError:
        if 2 * count <= rows and count <= MANY_WORDS:
            return
        message = f"{made}: {count} of {rows} values are different"
        fixes = (
            Fix(f"leave `{encoding.name}` out if it identifies rows, or list its frequent values: `one_hot: [a, b]`"),
            Fix(f"read it with an `Embedding`, from a separate input with `{encoding.name}: index`"),
        )
    yield Diagnostic("NN552", message, encoding.span, path=where, fixes=fixes, severity=Severity.WARNING)


def words_of(files: PlanFacts, slot: SlotPlan, encoding: ColumnPlan) -> list[str] | None:
    """The different values of a column of words; None where they cannot be read without loading."""
    try:
        facts = files.column(slot.source, encoding.name, values=True)
    except SourceError:
        return None
    found = labels_of(facts) if facts is not None else None
    return None if found is None else words_in(encoding, list(dict.fromkeys(distinct_values(found))))


def features_of(plan: DataPlan, files: PlanFacts, slot: SlotPlan) -> list[tuple[ColumnPlan, int]] | None:
    """How many features each column of an input becomes; None where that is not known without loading."""
    found = []
    for encoding in slot.encodings:
        rule = plan.missing_rule(encoding.name)
        words = words_of(files, slot, encoding) if encoding.has_places else ()
        if encoding.has_places and category_words(encoding, words, rule) is None:
            return None
        found.append((encoding, feature_count(encoding, words, rule)))
    return found
