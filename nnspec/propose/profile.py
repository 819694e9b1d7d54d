"""What the columns of a table hold, as far as a spec depends on it: a profile for each.

    profile_table(Path("penguins.csv"))["sex"]  ->  Profile(form=Form.WORDS, distinct=2, missing=11, …)

Reads every value once, by the rules of the table's source. Standard library only, but for formats that need a package.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from statistics import median

from nnspec.data.sources.base import ColumnFacts, DataSource, Reading, SourceError, SourcePlan
from nnspec.data.sources.registry import all_kinds
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.runtime.csv_rules import CellError, NumberColumn, is_missing
from nnspec.runtime.label_keys import label_key
from nnspec.runtime.time_rules import parse_times

MOST_CATEGORIES = 50
MOST_NUMBERED_CATEGORIES = 10  # more whole numbers are amounts rather than names
MOST_CLASSES = 20
_SHARE_OF_AN_IDENTIFIER = 0.9
_FEWEST_ROWS_OF_AN_IDENTIFIER = 20
_SKEWED = 20  # the largest value over the median


class Form(Enum):
    """How a column is used: what its values are, rather than how they are written."""

    NUMBER = "numbers"
    CATEGORY = "categories"
    DATE = "dates"
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

    @property
    def is_skewed(self) -> bool:
        """Whether a few values are far above the others, as of prices and counts, and none is below 0."""
        return self.is_number and self.lowest >= 0 and self.middle > 0 and self.highest > _SKEWED * self.middle

    @property
    def values(self) -> int:
        """How many rows have a value."""
        return self.rows - self.missing


def profile_table(path: Path) -> dict[str, Profile]:
    """The columns of a table, in its order.

    Raises:
        SpecError: NN502 where the file cannot be read as a table.
    """
    return {name: _profile(name, cells) for name, cells in read_cells(path).items()}


def read_cells(path: Path, wanted: Sequence[str] = ()) -> dict[str, list[str]]:
    """The values of a table's columns as text, empty where there is none.

    Args:
        wanted: columns by name; none: all of them.

    Raises:
        SpecError: NN502 where the file cannot be read as a table.
    """
    source = table_source(path)
    span = Span(Source(str(path), ""))
    plan = SourcePlan(source=source, path=path, shown=path.name, span=span, where="")
    try:
        names = wanted or list(source.probe(plan, [], []).names)
        facts = source.probe(plan, names, names)
        return {name: _cells(name, facts.column(name, values=True), plan) for name in names}
    except SourceError as error:
        raise SpecError.single("NN502", f"`{path.name}` cannot be used: {error}", span, path="") from None


def table_source(path: Path) -> DataSource:
    """The kind of table that a file is, by its suffix.

    Raises:
        SpecError: NN502 where there is no such file, or it is of no such kind.
    """
    if not path.is_file():
        raise SpecError.single("NN502", f"there is no file `{path}`", Span(Source(str(path), "")), path="")
    tables = [source for source in all_kinds() if "columns" in source.selectors]
    for source in tables:
        if path.suffix.lower() in source.suffixes:
            return source
    listed = ", ".join(suffix for source in tables for suffix in source.suffixes)
    message = f"`{path.name}` is not a table that a spec can read; tables end in {listed}"
    raise SpecError.single("NN502", message, Span(Source(str(path), "")), path="")


def _profile(name: str, cells: Sequence[str]) -> Profile:
    present = [cell for cell in cells if not is_missing(cell)]
    counts = Counter(map(label_key, present))
    numbers = _numbers(present)
    is_whole = numbers is not None and all(number == int(number) for number in numbers)
    return Profile(
        name=name,
        form=_form(name, present, counts, numbers, is_whole=is_whole),
        rows=len(cells),
        missing=len(cells) - len(present),
        distinct=len(counts),
        common=tuple(counts.most_common(MOST_CATEGORIES)),
        is_number=numbers is not None,
        is_whole=is_whole,
        lowest=min(numbers or [0.0]),
        middle=median(numbers or [0.0]),
        highest=max(numbers or [0.0]),
    )


def _cells(name: str, column: ColumnFacts | None, plan: SourcePlan) -> list[str]:
    if column is not None and column.values is not None:
        return ["" if value is None else str(value) for value in column.values]
    cells: list[str] = []
    for (part,) in plan.source.open_columns(plan, [name], Reading.LABEL):
        cells += ["" if gap else str(value) for value, gap in zip(part.values, part.missing, strict=True)]
    return cells


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
    if parse_times(present) is not None:
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
