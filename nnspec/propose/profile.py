"""What a column of a table holds, as far as a spec depends on it.

profile_column("sex", ["male", "", "female", …])  ->  Profile(form=Form.CATEGORY, distinct=2, missing=11, …)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from itertools import islice, pairwise
from statistics import median

from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing
from nnspec.runtime.rules.dates import propose_formats, read_dates
from nnspec.runtime.rules.delimited import split_words
from nnspec.runtime.rules.label_keys import label_key
from nnspec.runtime.rules.likely_markers import LikelyMarker, find_likely_markers
from nnspec.runtime.rules.marker_words import find_marker_words, looks_like_marker
from nnspec.runtime.rules.times import parse_times

MOST_CATEGORIES = 50
MOST_NUMBERED_CATEGORIES = 10  # more whole numbers are amounts rather than names
MOST_CLASSES = 20
_SHARE_OF_AN_IDENTIFIER = 0.9
_FEWEST_ROWS_OF_AN_IDENTIFIER = 20
_SEPARATORS = ("|", ";", ",", "/")
_MOST_STRAYS = 0.05  # of the values
_SKEWED = 20  # the largest value over the median


class Form(Enum):
    """How a column is used: what its values are, rather than how they are written."""

    NUMBER = "numbers"
    CATEGORY = "categories"
    DATE = "dates"
    LISTS = "several words a cell"
    TEXT = "text"
    IDENTIFIER = "an identifier"
    CONSTANT = "one value only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A column.

    Attributes:
        is_number: whether all its values are numbers.
        is_whole: whether all its values are whole numbers.
        distinct: how many values differ.
        missing: how many rows have none.
        common: the most frequent values, each with its number of rows.
        lowest, middle, highest: of numbers, the smallest, the median and the largest.
        parts: of dates, those that differ from row to row and come again.
        date_formats: of dates that are not ISO 8601, how they are written; a second one where days and months cannot
            be told apart.
        separator: of several words a cell, what stands between them.
        words: of these, each with the number of rows that have it, the most frequent first.
        stray: of numbers or dates but for a few cells, what is said of the first of these.
        markers: of numbers, those that may mark missing values, such as -999.
        marks: of categories, those that may, such as `?`, each with its number of rows.
    """

    name: str
    form: Form
    rows: int
    missing: int
    distinct: int
    common: tuple[tuple[str, int], ...]
    is_number: bool = False
    is_whole: bool = False
    lowest: float = 0.0
    middle: float = 0.0
    highest: float = 0.0
    parts: tuple[str, ...] = ()
    date_formats: tuple[str, ...] = ()
    separator: str = ""
    words: tuple[tuple[str, int], ...] = ()
    stray: str = ""
    markers: tuple[LikelyMarker, ...] = ()
    marks: tuple[tuple[str, int], ...] = ()

    @property
    def is_skewed(self) -> bool:
        """Whether a few values are far above the others, as of prices and counts, and none is below 0."""
        return self.is_number and self.lowest >= 0 and self.middle > 0 and self.highest > _SKEWED * self.middle

    @property
    def values(self) -> int:
        """How many rows have a value."""
        return self.rows - self.missing


def profile_column(name: str, cells: Sequence[str], *, is_day_first: bool = False) -> Profile:
    """What a column holds.

    Args:
        cells: its values as text, empty where there is none.
        is_day_first: whether `03/04/2021` is taken for a day in April, where no other value tells.
    """
    present = [cell for cell in cells if not is_missing(cell)]
    counts = Counter(map(label_key, present))
    numbers = _numbers(present)
    is_whole = numbers is not None and all(number == int(number) for number in numbers)
    form = _form(name, present, counts, numbers, is_whole=is_whole)
    formats = _date_formats(list(counts), is_day_first=is_day_first) if form is Form.DATE else ()
    separator = (
        find_separator(present) if form in (Form.CATEGORY, Form.IDENTIFIER, Form.TEXT) and numbers is None else ""
    )
    form = Form.LISTS if separator else form
    parts = tuple(parts_of(present, *formats[:1])) if form is Form.DATE else ()
    return Profile(
        name=name,
        form=form if parts or form is not Form.DATE else Form.IDENTIFIER,
        parts=parts,
        date_formats=formats,
        separator=separator,
        words=_count_words(counts, separator) if separator else (),
        rows=len(cells),
        missing=len(cells) - len(present),
        distinct=len(counts),
        common=tuple(counts.most_common(MOST_CATEGORIES)),
        is_number=numbers is not None,
        is_whole=is_whole,
        lowest=min(numbers or [0.0]),
        middle=median(numbers or [0.0]),
        highest=max(numbers or [0.0]),
        markers=tuple(find_likely_markers(Counter(numbers))) if form is Form.NUMBER and numbers is not None else (),
        marks=tuple(find_marker_words(counts).items()) if form in (Form.CATEGORY, Form.LISTS) else (),
        stray=_stray(cells) if form in (Form.IDENTIFIER, Form.TEXT) and numbers is None else "",
    )


def _stray(cells: Sequence[str]) -> str:
    """What is said of a column that is numbers, or dates, but for a few cells; empty where it is neither."""
    present = [(row, cell) for row, cell in enumerate(cells, 1) if not is_missing(cell)]
    written = [form for form in propose_formats([cell for _, cell in present[:1]]) if not form.startswith("unix")]
    kinds: list[tuple[str, Callable[[str], bool]]] = [("numbers", _is_number), ("dates", _is_date)]
    kinds += [("dates", partial(_is_date, form=form)) for form in written]
    for called, is_one in kinds:
        most = int(_MOST_STRAYS * len(present))
        odd = list(islice(((row, cell) for row, cell in present if not is_one(cell)), most + 1))
        if 0 < len(odd) <= most:
            row, cell = odd[0]
            count = len(present) - len(odd)
            return (
                f"{count} of {len(present)} values are {called}, but row {row} has `{cell[:40]}`: correct it, or "
                "declare it under `na_values`"
            )
    return ""


def _is_number(cell: str) -> bool:
    return _numbers([cell]) is not None


def _is_date(cell: str, form: str = "") -> bool:
    if not form:
        return parse_times([cell]) is not None
    try:
        return read_dates([cell], form) != [None]
    except CellError:
        return False


def _date_formats(cells: Sequence[str], *, is_day_first: bool) -> tuple[str, ...]:
    """How dates are written that are not ISO 8601, the most likely first."""
    if parse_times(cells) is not None:
        return ()
    found = sorted(propose_formats(cells), key=lambda form: form.startswith("%d") is not is_day_first)
    swapped = [form for form in found[1:] if {form[:2], found[0][:2]} == {"%d", "%m"}]
    return (*found[:1], *swapped[:1])


def _count_words(cells: Mapping[str, int], separator: str) -> tuple[tuple[str, int], ...]:
    words: Counter[str] = Counter()
    for cell, count in cells.items():
        words.update(dict.fromkeys(split_words(cell, separator), count))
    return tuple(words.most_common())


def find_separator(present: Sequence[str]) -> str:
    """What separates the words of cells that have several of few different ones; empty where nothing does."""
    present = [cell for cell in present if not looks_like_marker(cell)]  # `n/a` is one word
    for mark in _SEPARATORS:
        several = sum(mark in cell for cell in present)
        if several * 5 < len(present) or not several:
            continue
        words = [split_words(cell, mark) for cell in present]
        flat = Counter(word for each in words for word in each)
        is_short = sum(word.count(" ") for word in flat) <= 2 * len(flat)
        if flat and is_short and len(flat) <= MOST_CATEGORIES and 3 * len(flat) <= sum(flat.values()):
            return mark
    return ""


def parts_of(present: Sequence[str], form: str | None = None) -> list[str]:
    """The parts of dates that a network can learn from: those that change within the data, and come again."""
    times = [datetime(1970, 1, 1) + timedelta(seconds=seconds or 0) for seconds in read_dates(present, form)]
    if not times:
        return []
    years = {time.year for time in times}
    found = ["year"] if len(years) > 1 else []
    found += ["month"] if len({time.month for time in times}) > 1 else []
    if len({time.day for time in times}) > 1:
        found.append("weekday")
    if any(time.day != 1 for time in times) and len({(time.month, time.day) for time in times}) > 31:
        found.append("day_of_year")
    return [*found, "hour"] if len({time.hour for time in times}) > 1 else found


def _numbers(present: Sequence[str]) -> list[float] | None:
    """The values as numbers; None where one is none, or infinite."""
    try:
        numbers = [float(number) for number in NumberColumn().read(present) if number is not None]
    except CellError:
        return None
    return numbers if all(abs(number) < float("inf") for number in numbers) else None


def _form(
    name: str, present: Sequence[str], counts: Counter[str], numbers: Sequence[float] | None, *, is_whole: bool
) -> Form:
    if len(counts) <= 1:
        return Form.CONSTANT
    is_mostly_distinct = len(present) >= _FEWEST_ROWS_OF_AN_IDENTIFIER and len(counts) > _SHARE_OF_AN_IDENTIFIER * len(
        present
    )
    if numbers is not None:
        if is_whole and len(counts) == len(present) and is_mostly_distinct and _is_numbered(name, numbers):
            return Form.IDENTIFIER
        is_few = is_whole and len(counts) <= MOST_NUMBERED_CATEGORIES and len(present) >= 10 * len(counts)
        return Form.CATEGORY if is_few else Form.NUMBER
    if parse_times(present) is not None or propose_formats(list(counts)):
        return Form.DATE
    words = sum(cell.count(" ") + 1 for cell in present) / len(present)
    if is_mostly_distinct or len(counts) > max(MOST_CATEGORIES, len(present) // 20):
        return Form.TEXT if words > 3 else Form.IDENTIFIER
    return Form.CATEGORY


def _is_numbered(name: str, numbers: Sequence[float]) -> bool:
    """Whether whole numbers that all differ count the rows rather than measure them."""
    word = name.lower()
    is_called_so = word in ("id", "index", "key", "row", "no", "number") or word.endswith(("_id", "id")) or not word
    in_sequence = all(b - a == 1 for a, b in pairwise(numbers))
    return is_called_so or in_sequence
