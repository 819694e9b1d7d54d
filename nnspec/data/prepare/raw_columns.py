"""Columns of different types as rows of one table of numbers: words are numbered, and a gap is NaN.

So rows are ordered, filled, dropped and cut into windows alike, whatever a column holds; words come back at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass

import numpy as np

from nnspec.data.arrays import mapped, ordered
from nnspec.data.arrays.growing import join_parts
from nnspec.data.prepare.fit import Layout, file_axes, has_steps
from nnspec.data.prepare.loading import ColumnCache
from nnspec.data.prepare.rows import Rows
from nnspec.data.section.column_plan import ColumnPlan, is_outside, no_truth, outside_domain, unreadable_date
from nnspec.data.section.feature_count import feature_count, words_in
from nnspec.data.section.plan import DataPlan, SlotPlan
from nnspec.data.sources.base import Column, Reading
from nnspec.diagnostics import SpecError
from nnspec.runtime.rules.csv import CellError
from nnspec.runtime.rules.dates import GAP, read_dates
from nnspec.runtime.rules.delimited import spell_words
from nnspec.runtime.rules.truth import are_numbers, spellings, truth_of

Array = np.ndarray
Words = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class ColumnRows(Rows):
    """Rows whose `values` have axes `row column`, float64.

    Attributes:
        words: of a column of words, what each number stands for: all distinct values, sorted; None of numbers, and of
            dates, which are whole seconds.
        features: how many features the columns become.
    """

    _: KW_ONLY
    words: tuple[Words | None, ...] = ()
    features: int = 0

    @property
    def sizes(self) -> tuple[int, ...]:
        return (self.features,)


def read_column_rows(plan: DataPlan, slot: SlotPlan, tables: ColumnCache) -> ColumnRows:
    """The columns of an input that says how each is encoded, in file order.

    Raises:
        SpecError: NN502 where they cannot be read, NN506 and NN550 where one is not what its encoding takes.
    """
    for reading in (Reading.LABEL, Reading.NUMBER):  # several in one go
        tables.columns(slot.source, [column.name for column in slot.encodings if _reading(column) is reading], reading)
    values, missing, words = [], [], []
    for place, column in enumerate(slot.encodings):
        numbers, gaps, known = _read_column(slot, column, place, tables)
        values.append(mapped.map_rows(_with_gaps, gaps, numbers) if gaps.any() else numbers)
        missing.append(gaps)
        words.append(known)
    count = 0
    for column, known in zip(slot.encodings, words, strict=True):
        distinct = words_in(column, known) if known is not None else None
        count += feature_count(column, distinct, plan.missing_rule(column.name))
    names = file_axes(slot, 2).names
    return ColumnRows(mapped.stack(values), mapped.stack(missing), names, words=tuple(words), features=count)


def _reading(column: ColumnPlan) -> Reading:
    if column.is_date:
        return Reading.WORD
    return Reading.LABEL if column.is_text or column.kind == "boolean" else Reading.NUMBER


def _with_gaps(gaps: Array, numbers: Array) -> Array:
    return np.where(gaps, np.nan, numbers)


def _read_column(
    slot: SlotPlan, column: ColumnPlan, place: int, tables: ColumnCache
) -> tuple[Array, Array, Words | None]:
    """A column's numbers, or those of its words; where it has none; and the words."""
    if column.is_date:
        return _read_dates(slot, column, tables)
    if column.kind == "boolean":
        truths = _read_truths(slot, column, tables)
        if truths is not None:
            return truths
    reading = Reading.LABEL if column.is_text else Reading.NUMBER
    found = tables.columns(slot.source, [column.name], reading)[0]
    if column.is_text:
        cells = found.values
        if found.missing.any():  # a gap takes the word of a row that has one: its code is not looked at
            word = cells[int(found.missing.argmin())]
            cells = mapped.map_rows(lambda gaps, own: np.where(gaps, word, own), found.missing, cells)
        known = np.unique(ordered.distinct(cells).astype(str)) if not found.missing.all() else np.empty(0, str)
        spelt = known
        if column.kind == "multi_hot":
            spelt = np.array([spell_words(cell, column.separator) for cell in known.tolist()], str)
        distinct = np.unique(spelt)
        table = np.searchsorted(distinct, spelt).astype(np.float64)

        def code(gaps: Array, own: Array) -> Array:
            if not len(table):
                return np.full(len(own), np.nan)
            return np.where(gaps, np.nan, table[np.searchsorted(known, own.astype(str))])

        return mapped.map_rows(code, found.missing, cells), found.missing, tuple(distinct.tolist())
    if found.values.dtype.kind not in "biuf":
        message = f"column `{column.name}` contains text, which has no `{column.scale or column.transform or 'number'}`"
        key = slot.item_key("columns", place)
        raise SpecError.single("NN550", message, slot.span_of(key), path=slot.where("columns"))
    numbers = mapped.map_rows(lambda own: own.astype(np.float64), found.values)
    infinite = mapped.flatnonzero(mapped.map_rows(lambda own, gaps: np.isinf(own) & ~gaps, numbers, found.missing)) + 1
    if len(infinite):
        message = f"column `{column.name}` of input `{slot.name}` is infinite in {len(infinite)} rows, first in row "
        raise SpecError.single("NN504", f"{message}{infinite[0]}", column.span, path=slot.where("columns"))
    if column.transform is None:
        return numbers, found.missing, None
    outside = _outside(column.transform, numbers, found.missing)
    if outside:
        raise SpecError([outside_domain(column, outside, slot.where("columns"))])
    return numbers, found.missing, None


def _outside(transform: str, numbers: Array, missing: Array) -> list[int]:
    """The rows, from 1, whose numbers a function is not defined for."""
    found: list[int] = []
    for part in mapped.stretches(len(numbers), 64):
        least = np.fmin.reduce(np.where(missing[part], np.nan, numbers[part]))
        if is_outside(transform, float(least)):  # all domains are bounded below
            own, gaps = numbers[part].tolist(), missing[part].tolist()
            found += [
                part.start + row + 1
                for row, (value, gap) in enumerate(zip(own, gaps, strict=True))
                if not gap and is_outside(transform, value)
            ]
    return found


def _read_truths(slot: SlotPlan, column: ColumnPlan, tables: ColumnCache) -> tuple[Array, Array, Words | None] | None:
    """A column of words of yes and no; None where they are numbers.

    Its words are those of 0 and of 1, in this order, whichever the rows have.
    """
    found = tables.columns(slot.source, [column.name], Reading.LABEL)[0]
    words = np.unique(ordered.distinct(found.values).astype(str))
    inverse = mapped.map_rows(lambda own: np.searchsorted(words, own.astype(str)), found.values)
    counts = sum(np.bincount(inverse[at][~found.missing[at]], minlength=len(words)) for at in _parts(inverse))
    known = set(words[np.asarray(counts) > 0].tolist())
    if column.truths is None and are_numbers(known):
        try:
            tables.columns(slot.source, [column.name], Reading.NUMBER)
            return None
        except SpecError:
            pass  # the words true and false
    codes = {word: truth_of(word, column.truths) for word in known}
    strange = [word for word, code in codes.items() if code is None]
    if strange:
        rows = np.flatnonzero((found.values.astype(str) == strange[0]) & ~found.missing) + 1
        where = slot.where(f"columns.{column.name}")
        place = slot.source.source.locate(slot.source, int(rows[0]))
        raise SpecError([no_truth(column, strange[0], place, where)])
    table = np.array([np.nan if codes.get(word) is None else codes[word] for word in words.tolist()], np.float64)
    no, yes = spellings(column.truths)
    first = [
        next((word for word in sorted(known) if codes[word] == code), own[0]) for code, own in enumerate((no, yes))
    ]
    codes_of = mapped.map_rows(lambda gaps, own: np.where(gaps, np.nan, table[own]), found.missing, inverse)
    return codes_of, found.missing, (first[0].strip(), first[1].strip())


def _parts(values: Array) -> Iterator[slice]:
    return mapped.stretches(len(values), 64)


def _read_dates(slot: SlotPlan, column: ColumnPlan, tables: ColumnCache) -> tuple[Array, Array, None]:
    """The whole seconds of a column of dates, which float64 holds exactly."""

    def read(cells: list[str], rows: Sequence[int]) -> list[int | None]:
        try:
            return read_dates(cells, column.form)
        except CellError as error:
            place = slot.source.source.locate(slot.source, rows[error.index] + 1)
            where = slot.where(f"columns.{column.name}")
            raise SpecError([unreadable_date(column, error.cell, place, cells, where)]) from None

    firsts: dict[int, str] = {}  # of each chunk a date: all are written alike
    done = 0

    def seconds_of(chunk: Column) -> Array:
        """NaN for a gap."""
        nonlocal done
        start, done = done, done + len(chunk.values)
        values, gaps = chunk.values.tolist(), chunk.missing.tolist()
        cells = ["" if gap else str(cell) for cell, gap in zip(values, gaps, strict=True)]
        seconds = read(cells, range(start, done))
        first = next((row for row, number in enumerate(seconds) if number is not None), None)
        if first is not None:
            firsts[start + first] = cells[first]
        return np.array(seconds, np.float64)

    numbers = join_parts(map(seconds_of, tables.stream(slot.source, column.name, Reading.WORD)))
    read(list(firsts.values()), list(firsts))
    return numbers, mapped.map_rows(np.isnan, numbers), None


def raw_columns(slot: SlotPlan, rows: ColumnRows, values: Array) -> list[Array]:
    """Each column as the deployed model takes it: float32 with NaN for gaps, words with "" for them, or whole seconds.

    Args:
        values: of samples, axes `sample *steps column`.

    Raises:
        SpecError: NN506 where a number is beyond float32.
    """
    result: list[Array] = []
    for place, (column, words) in enumerate(zip(slot.encodings, rows.words, strict=True)):
        own = values[..., place]
        cast = raw_column(column, words, own)
        beyond = np.isinf(cast) & np.isfinite(own) if cast.dtype.kind == "f" else np.zeros(1, bool)
        if beyond.any():
            message = f"column `{column.name}` has {own[beyond][0]:g}, which float32 cannot represent"
            key = slot.item_key("columns", place)
            raise SpecError.single("NN506", message, slot.span_of(key), path=slot.where("columns"))
        result.append(cast)
    return result


def raw_column(column: ColumnPlan, words: Words | None, own: Array) -> Array:
    """As one of `raw_columns`; a number that is beyond float32 becomes infinite."""
    if words is not None:
        table = np.array([*words, ""], dtype=object)
        return np.asarray(table[np.where(np.isnan(own), len(words), own).astype(np.int64)])
    if column.is_date:
        return np.where(np.isnan(own), GAP, np.nan_to_num(own).astype(np.int64))
    with np.errstate(over="ignore"):
        return own.astype(np.float32)


def layout_axes(plan: DataPlan, slot: SlotPlan, layout: Layout) -> tuple[str, ...]:
    """What runs along each of the model's axes: `step`, `feature` or `unit`."""
    kinds = ["unit"] * len(layout.axes)
    for data_axis, kind in enumerate(["step", "feature"] if has_steps(plan, slot) else ["feature"]):
        place = layout.position(data_axis)
        if place is not None:
            kinds[place] = kind
    return tuple(kinds)
