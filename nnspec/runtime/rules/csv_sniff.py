"""Finds the dialect of a CSV file that another one does not read: what a message proposes.

A proposal is certain only where the whole file reads by it, and every other reading gives the same cells and numbers.
Standard library only.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnspec.runtime.rules.csv import CellError, CsvError, Number, NumberColumn, open_text, read_chunks, read_header
from nnspec.runtime.rules.csv_dialect import Dialect

DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'")
_MARKS = ((",", ""), (",", "."), (".", ","), (",", " "), (",", "\u00a0"), (",", "\u202f"), (".", " "), (".", "'"))
_NAMES = {"\t": "a tab", " ": "a space", "\u00a0": "a no-break space", "\u202f": "a narrow no-break space"}
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Proposal:
    """A dialect that reads the file.

    Attributes:
        keys: the keys that differ from the dialect that was given, with their values.
        reason: what shows it, as a clause: ``its cells are separated by `;` ``.
        is_certain: whether it cannot be another.
    """

    keys: dict[str, str]
    reason: str
    is_certain: bool


def propose_layout(path: Path, dialect: Dialect, wanted: Sequence[str]) -> Proposal | None:
    """What lets a file be read that is not text of its encoding, or lacks the columns; None where nothing does.

    Args:
        wanted: the columns that must be in its header.
    """
    try:
        encoding, is_sure = seen_encoding(path, dialect.encoding)
        found = _find_separator(path, replace(dialect, encoding=encoding), wanted)
    except (OSError, EOFError, csv.Error, UnicodeError):
        return None
    if found is None:
        return None
    marks, is_marked = _marks_of([path], found, wanted)
    found = replace(
        found, decimal=marks.get("decimal", found.decimal), thousands=marks.get("thousands", found.thousands)
    )
    keys = {key: getattr(found, key) for key in ("delimiter", "decimal", "quote", "encoding", "thousands")}
    keys = {key: value for key, value in keys.items() if value != getattr(dialect, key)}
    return Proposal(keys, _reason(keys, dialect), is_sure and is_marked) if keys else None


def propose_marks(paths: Sequence[Path], dialect: Dialect, names: Sequence[str]) -> Proposal | None:
    """What makes numbers of columns that are text as their cells stand, such as `1,5`; None where nothing does."""
    marks, is_certain = _marks_of(paths, dialect, names)
    keys = {key: value for key, value in marks.items() if value != getattr(dialect, key)}
    return Proposal(keys, _reason(keys, dialect), is_certain) if keys else None


def _reason(keys: dict[str, str], dialect: Dialect) -> str:
    shown = {key: _NAMES.get(value, f"`{value}`") for key, value in keys.items()}
    clauses = {
        "encoding": f"it is not {dialect.encoding.upper()} text, but seems to be {keys.get('encoding', '').upper()}",
        "delimiter": f"its cells are separated by {shown.get('delimiter')}",
        "quote": f"its cells are quoted by {shown.get('quote')}",
        "decimal": f"the decimal mark of its numbers is {shown.get('decimal')}",
        "thousands": f"their thousands are separated by {shown.get('thousands')}",
    }
    found = [clause for key, clause in clauses.items() if key in keys]
    return " and ".join([*([", ".join(found[:-1])] if found[1:] else []), found[-1]])


def _raw(path: Path) -> Iterator[bytes]:
    """The bytes of a file, decompressed."""
    import gzip

    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            yield block


def seen_encoding(path: Path, given: str) -> tuple[str, bool]:
    """The encoding of a file, and whether its bytes leave no other: what is no UTF-8 may be one of many.

    Raises:
        OSError: where it cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    is_utf8, is_ascii, has_c1 = True, True, False
    for number, block in enumerate(_raw(path)):
        if number == 0 and block.startswith(codecs.BOM_UTF8):
            return "utf-8", True
        if number == 0 and block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16", True
        is_ascii &= block.isascii()
        has_c1 |= any(byte in block for byte in range(0x80, 0xA0))
        if is_utf8:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
    if is_ascii and given != "utf-16":
        return given, True
    if is_utf8:
        return "utf-8", True
    if given not in ("utf-8", "utf-16"):
        return given, True
    return ("cp1252" if has_c1 else "latin-1"), False


def _find_separator(path: Path, dialect: Dialect, wanted: Sequence[str]) -> Dialect | None:
    """The dialect with the delimiter and quote that give every row a cell for each column, and most wanted columns."""
    best, most = None, 0
    for delimiter in (dialect.delimiter, *DELIMITERS):
        for quote in (dialect.quote, *QUOTES):
            tried = replace(dialect, delimiter=delimiter, quote=quote)
            if quote != dialect.quote and not _has_quoted(path, tried):
                continue
            count = _count_wanted(path, tried, wanted)
            if count > most:
                best, most = tried, count
            if count > 0:
                break  # another quote would only be another reading of what reads already
    return best


def _has_quoted(path: Path, dialect: Dialect) -> bool:
    """Whether some cell stands between two quotes: a quote that is never used reads a file, but does not write it."""
    quote, ends = dialect.quote, f"{dialect.delimiter}\r\n"
    with open_text(path, dialect.encoding) as stream:
        for line in stream:
            opened = line.startswith(quote) or f"{dialect.delimiter}{quote}" in line
            closed = any(f"{quote}{end}" in line for end in ends) or line.endswith(quote)
            if opened and closed:
                return True
    return False


def _count_wanted(path: Path, dialect: Dialect, wanted: Sequence[str]) -> int:
    """How many of the columns a file has by a dialect; 0 where its rows do not fit its header."""
    try:
        header = read_header(path, dialect)
        count = len(set(wanted) & set(header))
        for _ in read_chunks(path, header, dialect=dialect) if count else ():
            pass
    except CsvError:
        return 0
    return count


def _marks_of(paths: Sequence[Path], dialect: Dialect, names: Sequence[str]) -> tuple[dict[str, str], bool]:
    """The marks that make numbers of columns which are none as they stand, and whether no others give other numbers."""
    chosen: Dialect | None = None
    is_certain = True
    for name in names:
        if _numbers(paths, dialect, name) is not None:
            continue
        readings: list[tuple[Dialect, list[Number | None]]] = []
        for decimal, thousands in _MARKS:
            tried = replace(dialect, decimal=decimal, thousands=thousands)
            numbers = _numbers(paths, tried, name)
            if numbers is not None:
                readings.append((tried, numbers))
        if not readings:
            continue  # words
        first, numbers = readings[0]
        is_certain &= all(other == numbers for _, other in readings[1:])
        if chosen is None or (chosen.decimal == first.decimal and first.thousands):
            chosen = first
        elif chosen.decimal != first.decimal:
            is_certain = False
    return ({}, True) if chosen is None else ({"decimal": chosen.decimal, "thousands": chosen.thousands}, is_certain)


def _numbers(paths: Sequence[Path], dialect: Dialect, name: str) -> list[Number | None] | None:
    """A column's numbers; None where it has words."""
    reader, found = NumberColumn(dialect), list[Number | None]()
    try:
        for path in paths:
            header = read_header(path, dialect)
            position = header.index(name)
            for rows in read_chunks(path, header, dialect=dialect):
                found += reader.read([row[position] for row in rows])
    except (CsvError, CellError, ValueError):
        return None
    return found
