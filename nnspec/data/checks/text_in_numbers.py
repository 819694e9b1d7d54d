"""What to do about text in a column of numbers: a marker of missing values, a slip, a date, or a number with a sign."""

from __future__ import annotations

import re

from nnspec.data.checks.markers import first_text, fix_mistyped, propose_markers
from nnspec.data.sources.base import ColumnFacts, SourcePlan
from nnspec.diagnostics import Fix
from nnspec.diagnostics.values import as_yaml
from nnspec.lazy import dataclass
from nnspec.runtime.engine.types import quote_name
from nnspec.runtime.rules.csv import CellError
from nnspec.runtime.rules.dates import read_dates

# A sign, a currency in front, digits with marks between them, and a unit behind.
_SIGNED = re.compile(
    r"(?:[^\w\s.,+\-\u2212\u2013]|[A-Z]{3}\s)?\s*([+\-\u2212\u2013]?)\s*(\d[\d_.,'\s]*)\s*"
    r"(?:(?:[^\W\d_]|[%\u2030\u00b0\u20ac$\u00a3\u00a5])[^\d\s]{0,11}\d?)?"
)
_BETWEEN = re.compile(r"[_'\s]")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_MINUS = ("-", "\u2212", "\u2013")
_TRUTHS = ("true", "false")


@dataclass(frozen=True, slots=True)
class FoundText:
    """Text where a column should have numbers.

    Attributes:
        text: the first, and `row` where it is; "" and 0 where no row has any.
        fixes: what to do about it, the likeliest first.
        is_certain: whether they say what the text is, so that nothing else is worth saying.
    """

    text: str
    row: int
    fixes: tuple[Fix, ...] = ()
    is_certain: bool = False


def find_text(source: SourcePlan, name: str, column: ColumnFacts) -> FoundText:
    """The first text of a column that should be numbers, and what to do about it."""
    found = FoundText(column.text, column.text_row)
    if not column.text_row:
        return found
    text, row, is_number = first_text(source, name)
    if row and row != column.text_row:  # what the source says of a cell has its own quotes
        found = FoundText(text, row)
    known = propose_markers(source, name)
    if known is None and not plain_number(found.text):
        known = fix_mistyped(source, name)
    if known is not None:
        return FoundText(found.text, found.row, (known,), is_certain=True)
    return FoundText(found.text, found.row, _fixes_of(name, found.text, is_number=is_number), is_certain=is_number)


def _fixes_of(name: str, text: str, *, is_number: bool) -> tuple[Fix, ...]:
    column = name if name.isidentifier() else quote_name(name)
    if text in _TRUTHS and is_number:
        return (Fix(f"`{text}` is among numbers: write 1 for true and 0 for false"),)
    if is_number:
        return (
            Fix(f"its numbers are text: write them without quotes, or convert them in a query: `{column}::DOUBLE`"),
        )
    number = plain_number(text)
    if number:
        cleared = f", or convert them in a query: `regexp_replace({column}, '[^0-9.-]', '', 'g')::DOUBLE`"
        return (Fix(f"if these are numbers, write `{number}` for `{text}`{cleared if text.isascii() else ''}"),)
    try:
        read_dates([text])
    except CellError:
        return ()
    return (Fix(f"`columns: {{{as_yaml(name)}: {{date: [month, weekday]}}}}` computes features from a date"),)


def plain_number(text: str) -> str:
    """The number that people mean by `$5`, `5 kg`, `1_000` or `5 %`, as it is to be written; "" where it is none."""
    found = _SIGNED.fullmatch(text.strip())
    if found is None:
        return ""
    digits = _digits(_BETWEEN.sub("", found[2]))
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    number = ("-" if found[1] in _MINUS else "") + digits.rstrip(".")
    try:
        float(number)
    except ValueError:
        return ""
    return "" if number == text.strip() else number


def _digits(text: str) -> str:
    """Digits of any script as those of numbers."""
    return "".join(str(int(sign)) if sign.isdecimal() else sign for sign in text)
