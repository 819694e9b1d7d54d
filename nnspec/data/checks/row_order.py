"""Rows that no key puts in order: whether the table says that they are not in time, or several series.

Standard library only. A table that is large is left alone: its other columns would have to be read for this alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.checks.leaks import WHO
from nnspec.data.checks.row_layout import file_numbers
from nnspec.data.section.plan import DataPlan
from nnspec.data.sources.base import SourceError
from nnspec.data.sources.label_keys import label_key
from nnspec.data.sources.time_order import find_unsortable
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.diagnostics.values import as_yaml
from nnspec.lazy import dataclass
from nnspec.runtime.rules.csv import is_missing
from nnspec.runtime.rules.times import parse_times

MOST_CELLS = 500_000
_UNSORTED = "without `order_by`, rows are in the order of the table"
FEW = 0.05  # of the rows: a clock that goes back more often than that measures something else
FEWEST_IN_TIME = 40
MOST_LABELS = 50
NEARLY = 0.8  # the correlation of neighbouring rows, of which hardly any table without an order in time has as much
_TIMED = r"t|time|time[ _-]?stamp|epoch|(date|day|time)s?|.*([ _-]|time)(date|day|time|stamp)|datetime"

# Columns of numbers that are clocks; the hour or the month begins anew by itself.
_CLOCK = r"t|time|time[ _-]?stamp|time[ _-]?step|step|tick|epoch|unix([ _-]?time)?|cycle|year|date|ds|index|idx"
_DATED = r"(date|day|time|week|month|hour|ds)s?|.*([ _-]|time)(date|day|time|stamp)|datetime"
_PLACE = (
    r"(shop|store|sensor|station|series|unit|engine|machine|ticker|symbol|stock|item|product|sku|asset|meter|site|"
    r"plant|country|city|location|turbine|building|account|id)([ _-]?(id|no|nr|number|key|name|code))?"
)


@dataclass(frozen=True)
class _Clock:
    """A column that says when each row was: where it goes back, how often it stays, whether it never goes forward."""

    name: str
    backs: Sequence[int]
    ties: int
    is_reversed: bool


def check_row_order(plan: DataPlan, files: PlanFacts, rows: int) -> Iterator[Diagnostic]:
    """NN592 and NN620: rows of which another column says that they are several series, or not in order of time."""
    if plan.source is None or plan.order_by is not None or plan.series_column is not None or not plan.joins_files:
        return
    if plan.window is None:
        if plan.split.is_chronological:
            yield from _tests_on_earlier(plan, _columns(plan, files, rows))
        elif plan.split.by == "random":
            yield from _drawn_from_time(plan, files, rows)
        return
    columns = _columns(plan, files, rows)
    clocks = {name: clock for name, values in columns.items() if (clock := _clock(name, values)) is not None}
    if any(not clock.backs for clock in clocks.values()):  # rows are in the order of time
        beside = next((name for name, clock in clocks.items() if not clock.backs and clock.ties > FEW * rows), None)
        series = None if beside is None else _told_apart_by(columns, beside)
        if beside is not None and series is not None:
            message = f"consecutive rows with the same `{beside}` have several `{series}`: a window would join them"
            is_error = _is_place(series) or _is_whole(columns, beside, series)
            yield _diagnostic(plan, message, [_name_series(plan, series)], is_error=is_error)
        return
    blocks = {name: found for name, values in columns.items() if name not in clocks and (found := _blocks(values))}
    if (clock := next(iter(clocks.values()), None)) is not None:
        apart = [name for name, starts in blocks.items() if set(clock.backs) <= set(starts)]
        yield _out_of_order(plan, clock, sorted(apart, key=lambda name: len(blocks[name])), rows)
        return
    named = next(filter(_is_place, blocks), None)
    if named is not None:
        count = len(blocks[named]) + 1
        message = f"windows join rows of several `{named}`, of which the table has {count}, one after the other"
        yield _diagnostic(plan, message, [_name_series(plan, named)], is_error=False)


def _tests_on_earlier(plan: DataPlan, columns: Mapping[str, Sequence[object]]) -> Iterator[Diagnostic]:
    """NN620: rows that are split as they stand, which is from the latest to the earliest."""
    clocks = [clock for name, values in columns.items() if (clock := _clock(name, values)) is not None]
    name = next((clock.name for clock in clocks if clock.is_reversed), None)
    if name is None or not all(clock.is_reversed for clock in clocks):
        return
    message = f"rows run from the latest `{name}` to the earliest: the test rows are earlier than those trained on"
    fix = Fix(f"sort them: `order_by: {as_yaml(name)}`, with `split: {{by: time, …}}`")
    span = plan.split.spans.get("by", plan.split.span)
    notes = (_UNSORTED,)
    yield Diagnostic("NN620", message, span, path="data.split.by", notes=notes, fixes=(fix,), severity=Severity.WARNING)


def _drawn_from_time(plan: DataPlan, files: PlanFacts, rows: int) -> Iterator[Diagnostic]:
    """NN526: rows in the order of their times, whose targets change little from row to row, are drawn at random."""
    assert plan.source is not None
    facts = files.facts(plan.source)
    dated = [name for name in (facts.names if facts is not None else ()) if re.fullmatch(_TIMED, name, re.IGNORECASE)]
    targets = [name for slot in plan.outputs.values() if slot.source.path == plan.source.path for name in slot.columns]
    if rows < FEWEST_IN_TIME or not dated or not targets:
        return
    columns = _columns(plan, files, rows, [*dated, *targets])
    clocks = [clock for name in dated if name in columns and (clock := _clock(name, columns[name])) is not None]
    name = next((c.name for c in clocks if (not c.backs or c.is_reversed) and c.ties <= FEW * rows), None)
    slow = next((target for target in targets if target in columns and _follows(columns[target])), None)
    if name is None or slow is None:
        return
    message = (
        f"rows are in the order of `{name}` and `{slow}` changes little from one to the next, but they are drawn into "
        "the splits at random: rows between those that are trained on are easier to predict than later ones"
    )
    fix = Fix(f"test on later rows: `order_by: {as_yaml(name)}`, with `split: {{by: time, …}}`")
    span = plan.split.spans.get("by", plan.split.span)
    yield Diagnostic("NN526", message, span, path="data.split", fixes=(fix,), severity=Severity.WARNING)


def _follows(values: Sequence[object]) -> bool:
    """Whether each row's value is near that of the row before: as numbers or, of labels, the same."""
    numbers = _numbers(values)
    if numbers is not None and len(set(numbers)) > 2:
        mean = sum(numbers) / len(numbers)
        spread = sum((number - mean) ** 2 for number in numbers)
        together = sum((before - mean) * (after - mean) for before, after in pairwise(numbers))
        return spread > 0 and together > NEARLY * spread
    keys = [label_key(value) for value in values]
    counts = Counter(keys)
    chance = sum((count / len(keys)) ** 2 for count in counts.values()) if len(counts) <= MOST_LABELS else 1.0
    same = sum(before == after for before, after in pairwise(keys)) / (len(keys) - 1)
    return chance < 1 and (same - chance) / (1 - chance) > NEARLY


def _columns(
    plan: DataPlan, files: PlanFacts, rows: int, only: Sequence[str] | None = None
) -> Mapping[str, Sequence[object]]:
    """The columns of the table, or some of them, that have a value in every row."""
    assert plan.source is not None
    facts = files.facts(plan.source)
    found = [] if facts is None else list(facts.names)
    names = found if only is None else [name for name in found if name in only]
    if not names or rows < 3 or rows * len(names) > MOST_CELLS:
        return {}
    result: dict[str, Sequence[object]] = {}
    try:
        table = plan.source.source.probe(plan.source, names, names)
        for name in names:
            column = table.column(name, values=True)
            if column is None or column.values is None or len(column.values) != rows or column.missing:
                continue
            if not any(isinstance(value, str) and is_missing(value) for value in column.values):
                result[name] = column.values
    except SourceError:
        return {}
    return result


def _clock(name: str, values: Sequence[object]) -> _Clock | None:
    """What a column says of the order of rows, if it holds times."""
    is_number = _numbers(values[:1]) is not None
    keys = _times(name, values, is_number=is_number)
    if keys is None or len(set(keys)) == 1:
        return None
    backs = [place for place, (before, after) in enumerate(pairwise(keys), 1) if after < before]
    is_reversed = all(after <= before for before, after in pairwise(keys))
    if (
        len(backs) > FEW * len(keys)
        and not is_reversed
        and (is_number or not re.fullmatch(_DATED, name, re.IGNORECASE))
    ):
        return None  # numbers that go up and down, or dates of something else
    return _Clock(name, backs, sum(before == after for before, after in pairwise(keys)), is_reversed)


def _times(name: str, values: Sequence[object], *, is_number: bool) -> Sequence[float] | None:
    """What is compared: moments, texts with the year first, or numbers of a column that is called as clocks are."""
    if is_number:
        return _numbers(values) if re.fullmatch(_CLOCK, name, re.IGNORECASE) else None
    if not all(isinstance(value, str) for value in values):
        return None
    cells = [str(value) for value in values]
    if not re.match(r"\d{4}\D", cells[0]):
        return None
    moments = parse_times(cells)
    if moments is not None:
        first = min(moments)
        return [(moment - first).total_seconds() for moment in moments]
    return None if find_unsortable(cells) is not None else _ranks(cells)


def _ranks(cells: Sequence[str]) -> list[float]:
    numbers = {cell: float(rank) for rank, cell in enumerate(sorted(set(cells)))}
    return [numbers[cell] for cell in cells]


def _numbers(values: Sequence[object]) -> list[float] | None:
    try:
        return [float(str(value)) for value in values]
    except ValueError:
        return None


def _told_apart_by(columns: Mapping[str, Sequence[object]], clock: str) -> str | None:
    """The column that tells rows at one time apart: words, or numbers of shops and the like; hours would do so, too."""
    for name, values in columns.items():
        is_number = _numbers(values[:1]) is not None
        if name == clock or (is_number and not _is_place(name)):
            continue
        if not is_number and re.match(r"\d+[:.\-/]", str(values[0])):
            continue  # the time of the day
        keys = [label_key(value) for value in values]
        pairs = set(zip(map(label_key, columns[clock]), keys, strict=True))
        if 2 <= len(set(keys)) <= len(keys) / 2 and len(pairs) == len(keys):
            return name
    return None


def _is_place(name: str) -> bool:
    """Whether a column is called as what has a series of its own: a shop, a sensor, a patient."""
    return bool(re.fullmatch(_PLACE, name, re.IGNORECASE) or re.fullmatch(WHO, name, re.IGNORECASE))


def _is_whole(columns: Mapping[str, Sequence[object]], clock: str, series: str) -> bool:
    """Whether each value has a row at every time; kinds of events at one time, which may follow one another, do not."""
    times, keys = ({label_key(value) for value in columns[name]} for name in (clock, series))
    return len(columns[clock]) == len(times) * len(keys)


def _blocks(values: Sequence[object]) -> list[int]:
    """Where each block of equal values begins but the first; empty where a value comes back, or has one row alone."""
    keys = [label_key(value) for value in values]
    starts = [place for place, (before, after) in enumerate(pairwise(keys), 1) if before != after]
    edges = [0, *starts, len(keys)]
    if len(set(keys)) != len(starts) + 1 or any(after - before < 2 for before, after in pairwise(edges)):
        return []
    return starts


def _out_of_order(plan: DataPlan, clock: _Clock, apart: Sequence[str], rows: int) -> Diagnostic:
    """NN592, certain where another column changes wherever the time goes back."""
    name, place = clock.name, clock.backs[0]
    where = f"rows {place} and {place + 1}"
    sorting = f"`order_by: {as_yaml(name)}`, with `split: {{by: time, …}}`"
    sort = Fix(f"if they are one series, sort its rows: {sorting}")
    if clock.is_reversed:
        message = (
            f"rows run from the latest `{name}` to the earliest: the network would predict earlier rows from later ones"
        )
        return _diagnostic(plan, message, [Fix(f"sort them: {sorting}")], is_error=False)
    if apart:
        message = (
            f"`{name}` goes back where `{apart[0]}` changes ({where}, for example): windows join rows of "
            f"{len(clock.backs) + 1} series or more"
        )
        return _diagnostic(plan, message, [_name_series(plan, column) for column in apart], is_error=True)
    if len(clock.backs) > FEW * rows:
        message = f"rows are not in the order of `{name}`: it goes back {len(clock.backs)} times in {rows} rows"
        return _diagnostic(plan, message, [sort], is_error=False)
    if _goes_back_with_files(plan, clock, rows):
        message = (
            f"`{name}` goes back where a new file begins ({where}, for example): windows join rows of several files"
        )
        fixes = [Fix("if each file is a series, keep files apart: `split: {by: files, …}`"), sort]
        return _diagnostic(plan, message, fixes, is_error=False)
    times = "once" if len(clock.backs) == 1 else f"{len(clock.backs)} times"
    message = (
        f"`{name}` goes back {times} ({where}{', for example' if times != 'once' else ''}): windows join rows that"
    )
    message += " are not consecutive"
    fixes = [Fix("if rows are of several series, name the column that tells them apart: `series: {by: …}`"), sort]
    return _diagnostic(plan, message, fixes, is_error=False)


def _goes_back_with_files(plan: DataPlan, clock: _Clock, rows: int) -> bool:
    numbers = file_numbers(plan, rows)
    if numbers is None:
        return False
    return all(numbers[place] != numbers[place - 1] for place in clock.backs)


def _diagnostic(plan: DataPlan, message: str, fixes: Sequence[Fix], *, is_error: bool) -> Diagnostic:
    assert plan.window is not None
    severity = Severity.ERROR if is_error else Severity.WARNING
    notes = (_UNSORTED,)
    return Diagnostic(
        "NN592", message, plan.window.span, path="data.window", notes=notes, fixes=tuple(fixes), severity=severity
    )


def _name_series(plan: DataPlan, column: str) -> Fix:
    text = f"series: {{by: {as_yaml(column)}}}"
    return Fix(f"name the series: `{text}` keeps the values of `{column}` apart")
