"""Where each row of a table comes to stand: sorted, series together, and split. Standard library only.

The loader does the same in NumPy (`nnspec.data.prepare`); what is drawn at random is known to it alone.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from operator import le

from nnspec.data.checks.facts import PlanFacts
from nnspec.data.prepare.cuts import cut
from nnspec.data.prepare.membership import (
    cut_at_starts,
    drawn_by_key,
    file_source,
    named_by_file,
    read_starts,
    rows_of_files,
)
from nnspec.data.section.plan import DataPlan, WindowPlan
from nnspec.data.sources.base import SourceError, SourcePlan
from nnspec.data.sources.label_keys import label_key, label_keys
from nnspec.lazy import dataclass
from nnspec.runtime.rows.kept import Coded, Moments, Times
from nnspec.runtime.rules.series_keys import join_keys
from nnspec.runtime.rules.times import SortKey, sort_keys


@dataclass(frozen=True)
class RowLayout:
    """Rows in their final order.

    Attributes:
        rows: each position's row in the file, from 0.
        keys: each position's value of `order_by`; None where there is none.
        series: the positions of each series, in the order of their first appearance.
        parts: the stretches of consecutive positions of each split, no stretch of two series; without the splits that
            are drawn at random.
    """

    rows: Sequence[int]
    keys: Sequence[SortKey] | None
    series: list[range]
    parts: dict[str, list[range]]


def find_row_layout(plan: DataPlan, files: PlanFacts, count: int) -> RowLayout | None:
    """The layout of a plan's rows; None where a column that it takes cannot be read without loading."""
    rows: Sequence[int] = range(count)
    keys: Sequence[SortKey] | None = None
    if plan.order_by is not None:
        values = column_values(plan, files, plan.order_by, count)
        if values is None:
            return None
        assert plan.source is not None
        if isinstance(values, Times):
            keys = values.moments
            if not keys.is_ascending():
                rows = array("q", sorted(rows, key=keys.microseconds.__getitem__))
                keys = Moments(array("q", map(keys.microseconds.__getitem__, rows)))
        else:
            keys = _sort_keys(plan.source, values)
            if not all(map(le, keys, islice(keys, 1, None))):  # most files are in order
                rows = array("q", sorted(rows, key=keys.__getitem__))
                keys = [keys[row] for row in rows]
    series = [range(count)]
    if plan.series_column is not None or not plan.joins_files:
        codes = series_codes(plan, files, count)
        if codes is None:
            return None
        own = codes if isinstance(rows, range) else [codes[row] for row in rows]
        lengths = Counter(own)  # in the order in which series first appear
        if sum(before != after for before, after in pairwise(own)) >= len(lengths):  # a series is not in one piece
            ranks = {code: rank for rank, code in enumerate(lengths)}
            together = sorted(range(count), key=[ranks[code] for code in own].__getitem__)
            rows = [rows[position] for position in together]
            keys = None if keys is None else [keys[position] for position in together]
        series = list(_consecutive(lengths.values()))
    return RowLayout(rows, keys, series, _parts(plan, files, rows, keys, series))


def _sort_keys(source: SourcePlan, values: Sequence[object]) -> Sequence[SortKey]:
    """What rows are sorted by; of words that are kept once each, so is what they are sorted by."""
    if isinstance(values, Coded) and all(isinstance(word, str) for word in values.words):
        return Coded(sort_keys(source.source.order_cells(source, values.words)), values.codes)
    return sort_keys(source.source.order_cells(source, values))


def series_codes(plan: DataPlan, files: PlanFacts, count: int) -> list[object] | None:
    """What tells the series of rows apart, a row each; None where it cannot be read without loading."""
    codes: list[object] = [()] * count
    if plan.series_column is not None:
        keys = column_keys(plan, files, plan.series_column, count)
        if keys is None:
            return None
        codes = list[object](keys)
    if not plan.joins_files:
        numbers = file_numbers(plan, count)
        if numbers is None:
            return None
        codes = list(zip(codes, numbers, strict=True))
    return codes


def file_numbers(plan: DataPlan, count: int) -> list[int] | None:
    """The number of each row's file; None where there are not several."""
    source = file_source(plan)
    assert source is not None
    try:
        found = rows_of_files(source)
    except SourceError:
        return None
    numbers = [number for number, (_, rows) in enumerate(found) for _ in range(rows)]
    return numbers if len(numbers) == count else None


def _consecutive(lengths: Iterable[int]) -> Iterator[range]:
    start = 0
    for length in lengths:
        yield range(start, start + length)
        start += length


def _parts(
    plan: DataPlan, files: PlanFacts, rows: Sequence[int], keys: Sequence[SortKey] | None, series: list[range]
) -> dict[str, list[range]]:
    split = plan.split
    shared = [part.name for part in split.drawn_from_train]
    found: dict[str, list[range]] = {part.name: [] for part in split.parts if part.name not in shared}
    if split.is_chronological:
        starts, faults = read_starts(plan, keys[0]) if split.has_starts and keys else ({}, [])
        if faults:
            return {}
        for each in series:
            own = keys[each.start : each.stop] if keys and starts else ()
            shares = cut_at_starts(own, starts, plan.gap) if starts else cut(len(each), split.parts, plan.gap)
            for name, share in shares.items():
                found[name].append(_with_context(plan, each, share))
        return found
    names = row_parts(plan, files, len(rows))
    if names is None:
        return {}
    for each in series:
        own_names = [names[rows[position]] for position in each]
        changes = [i for i, (before, after) in enumerate(pairwise(own_names), 1) if before != after]
        for start, stop in pairwise([0, *changes, len(each)]):
            part = own_names[start]
            if part is not None:
                found[part].append(range(each.start + start, each.start + stop))
    return found


def row_parts(plan: DataPlan, files: PlanFacts, count: int) -> list[str | None] | None:
    """The split of each row in the file; None where it is drawn at random, or cannot be told without loading."""
    split = plan.split
    if not split.has_labels:
        return None
    if split.by == "files":
        source = file_source(plan)
        assert source is not None
        numbers = file_numbers(plan, count)
        named = [named_by_file(path, source, split.parts) for path in source.files()]
        return None if numbers is None else [next(iter(named[number]), None) for number in numbers]
    column = split.label_column or split.hash_column
    keys = column_keys(plan, files, column, count) if column is not None else None
    if keys is None:
        return None
    if split.by == "hash":
        return drawn_by_key(keys, split.parts, split.seed)
    names = {part.label: part.name for part in split.parts if part.label is not None}
    return [names.get(key) for key in keys]


def _with_context(plan: DataPlan, series: range, share: range) -> range:
    """The positions of a split's share of a series, and those before it that its windows may begin in."""
    back = plan.window.lookback if plan.window is not None and plan.window.has_context and share else 0
    return range(series.start + max(0, share.start - back), series.start + share.stop)


def has_window(stretches: Iterable[range], bad: Mapping[str, set[int]], window: WindowPlan) -> bool:
    """Whether stretches of positions have a window that touches no bad one of `inputs`, `ahead` or `outputs`."""
    for stretch in stretches:
        for first in range(stretch.start, stretch.stop - window.reach + 1, window.stride):
            last = first + window.lookback - 1
            if any(last + ahead in bad["outputs"] for ahead in window.horizon):
                continue
            if not bad["ahead"].isdisjoint(range(last + 1, last + max(window.horizon) + 1)):
                continue
            if bad["inputs"].isdisjoint(range(first, last + 1)):
                return True
    return False


def column_keys(plan: DataPlan, files: PlanFacts, name: str, count: int) -> Sequence[str] | None:
    """A column's values as label keys, which several checks want; None as in `column_values`."""
    if name not in files.keys:
        values = column_values(plan, files, name, count)
        coded = values.spelt(label_key) if isinstance(values, Coded) else None
        files.keys[name] = None if values is None else label_keys(values) if coded is None else coded
    return files.keys[name]


def column_values(plan: DataPlan, files: PlanFacts, name: str, count: int) -> Sequence[object] | None:
    """A column's values, one a row; None where they cannot be read without loading."""
    assert plan.source is not None
    parts = plan.parts_of(name)
    if len(parts) > 1:
        found = [column_values(plan, files, part, count) for part in parts]
        known = [values for values in found if values is not None]
        return join_keys([label_keys(each) for each in known]) if len(known) == len(parts) else None
    try:
        column = files.column(plan.source, name, values=True)
    except SourceError:
        return None
    return column.values if column is not None and column.values is not None and len(column.values) == count else None
