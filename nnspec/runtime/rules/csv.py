"""The rules of CSV files: the same for checking, training and predicting.

The file is UTF-8 text, with or without a byte order mark; cells are separated by commas, quoted by `"`, and rows end
with LF, CRLF or CR, unless its `Dialect` says otherwise. A file whose name ends in .gz is compressed. The first line
names the columns, each once. Empty lines are no rows; every other line has a cell for each column. Of the cells of a
column of numbers:

    12  +1  -0.5  .5  3.  1e-5      are numbers, with spaces or tabs around them or not
    inf  -Infinity  1e999           are infinite
    true  False  TRUE               are truth values, 1 and 0, in a column that has no other numbers
    (empty)  NA  NaN  null          are missing, see `NULLS`
    1_000  "1,000"  0x10  ١٢  5 %   are text

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import csv
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import TextIO

from nnspec.runtime.rules.csv_dialect import NO_QUOTE, PLAIN, Dialect

Number = int | float

_LONGEST_CELL = 2**30
CHUNK_ROWS = 1024  # more do not stay in the processor's cache
_BLOCK = 1 << 16  # characters, of as many rows
_MARK = "\0"  # stands for the end of a line, in a block that has none
COLUMN_NAMES = "the first line has the name of each column"
NULLS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "-nan", "-NaN", "+nan", "+NaN", "null", "NULL", "<NA>")
_NULL_SET = frozenset(NULLS)
_BOOLEANS = {"true": 1, "True": 1, "TRUE": 1, "false": 0, "False": 0, "FALSE": 0}
_BLANKS = " \t"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = r"[+-]?inf(?:inity)?"
_INTEGER_SIGNS = frozenset("0123456789+-")
_WITHOUT_SIGNS = str.maketrans("", "", "0123456789+-.eE")  # leaves what no plain number has
_MOST_DIGITS = 19  # of an integer that may go into 64 bits; longer ones are floats
_INT64 = range(-(2**63), 2**63)


class CsvError(ValueError):
    """The file is no table; the message completes `FILE cannot be used: …`.

    Attributes:
        remedy: what to do, where that can be said.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class CellError(ValueError):
    """A cell that holds neither a number nor nothing.

    Attributes:
        index: its position in the cells that were given.
        cell: what stands there.
    """

    def __init__(self, index: int, cell: str) -> None:
        super().__init__(cell)
        self.index, self.cell = index, cell


def read_header(path: Path, dialect: Dialect = PLAIN) -> list[str]:
    """The column names.

    Raises:
        CsvError: where there are none, one stands twice, or the file is not text of that encoding.
    """
    with _open_rows(path, dialect) as (_, reader):
        header = next(reader, [])
    if not header:
        raise CsvError("it is empty: its first line must list the column names")
    twice = next((name for i, name in enumerate(header) if name in header[:i]), None)
    if twice is not None:
        raise CsvError(f"column `{twice}` occurs twice in its first line", f"rename one: {COLUMN_NAMES}")
    return header


def read_chunks(
    path: Path, header: Sequence[str], size: int = CHUNK_ROWS, dialect: Dialect = PLAIN
) -> Iterator[list[list[str]]]:
    """The rows below the header, up to `size` of them at a time.

    Raises:
        CsvError: where a row has more or fewer cells than the header, or the file cannot be read to its end.
    """
    with _open_rows(path, dialect) as (_, reader):
        next(reader, None)
        for rows in _rows(reader, header, size, dialect):
            yield dialect.without_markers(header, rows)


def read_columns(
    path: Path, header: Sequence[str], names: Sequence[str], dialect: Dialect = PLAIN
) -> Iterator[list[Sequence[str]]]:
    """The cells of some columns, some rows at a time: as `read_chunks`, in a fraction of the time.

    Raises:
        CsvError: as `read_chunks`.
    """
    places, width, done = [header.index(name) for name in names], len(header), 0
    with _open_rows(path, dialect) as (stream, reader):
        next(reader, None)
        block = _whole_lines(stream)
        while block:
            flat = _plain_cells(block, width, dialect)
            if flat is None:
                break
            done += (len(flat) + 1) // (width + 1)
            columns = [flat[place :: width + 1] for place in places]
            yield [dialect.without_markers_of(*each) for each in zip(names, columns, strict=True)]
            block = _whole_lines(stream)
        if not block:
            return
        lines = chain(StringIO(block, newline=""), stream)  # of what is quoted, a cell may go on in later lines
        for rows in _rows(_reader(lines, dialect), header, CHUNK_ROWS, dialect, done):
            columns = [list(map(itemgetter(place), rows)) for place in places]
            yield [dialect.without_markers_of(*each) for each in zip(names, columns, strict=True)]


def _whole_lines(stream: TextIO) -> str:
    """The next lines, about `_BLOCK` characters; nothing at the end."""
    block = stream.read(_BLOCK)
    return block if len(block) < _BLOCK else block + stream.readline()


def _plain_cells(block: str, width: int, dialect: Dialect) -> list[str] | None:
    """The cells of lines of which none is quoted or empty, with a mark behind each but the last; None of any other."""
    if _MARK in block or (dialect.quote != NO_QUOTE and dialect.quote in block):
        return None
    if "\r" in block:
        block = block.replace("\r\n", "\n")
        if "\r" in block:
            return None
    text = block.removesuffix("\n")
    ends = text.count("\n")
    flat = text.replace("\n", f"{dialect.delimiter}{_MARK}{dialect.delimiter}").split(dialect.delimiter)
    if len(flat) != ends * (width + 1) + width or flat[width :: width + 1].count(_MARK) != ends:
        return None
    return None if width == 1 and "" in flat else flat  # an empty line


def _rows(
    reader: Iterator[list[str]], header: Sequence[str], size: int, dialect: Dialect, done: int = 0
) -> Iterator[list[list[str]]]:
    """The rows that follow those that are `done`, up to `size` of them at a time."""
    width = len(header)
    while True:
        lines: list[list[str]] = []
        try:
            lines.extend(islice(reader, size))
        except csv.Error as error:
            raise CsvError(f"row {done + len(lines) + 1}: {error}", _quote_remedy(dialect)) from None
        if not lines:
            return
        rows = [line for line in lines if line]
        if set(map(len, rows)) - {width}:
            index = next(i for i, row in enumerate(rows) if len(row) != width)
            raise CsvError(
                f"row {done + index + 1} has {len(rows[index])} cells, but the header has {width}",
                _width_remedy(header, rows[index], dialect),
            )
        done += len(rows)
        if rows:
            yield rows


def _width_remedy(header: Sequence[str], row: Sequence[str], dialect: Dialect) -> str:
    """What to do where a row has another number of cells than the header."""
    if header[0].startswith(("#", "%", "sep=")):
        return f"remove the lines above the names, such as `{header[0]}`: {COLUMN_NAMES}"
    if any("\0" in cell for cell in row):
        return "write or copy the file again: it has zero bytes here, as of a write that did not end"
    if len(row) == len(header) + 1 and not row[-1]:
        return f"the row ends with `{dialect.delimiter}`: end the first line so too, or remove it"
    return f"correct the row; a cell that contains `{dialect.delimiter}` is quoted, and {COLUMN_NAMES}"


@contextmanager
def _open_rows(path: Path, dialect: Dialect) -> Iterator[tuple[TextIO, Iterator[list[str]]]]:
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))  # a text may be longer than Python's 128 KiB
    try:
        with open_text(path, dialect.encoding) as stream:
            yield stream, _reader(stream, dialect)
    except UnicodeError:
        raise CsvError(
            f"it is not {dialect.encoding.upper()} text", "write the table as UTF-8, or its `encoding` beside the path"
        ) from None
    except csv.Error as error:
        raise CsvError(str(error), _quote_remedy(dialect)) from None
    except (EOFError, zlib.error) as error:
        raise CsvError(f"it is not a whole gzip file ({error})", "compress or download it again") from None
    except OSError as error:
        if path.suffix == ".gz" and error.strerror is None:  # gzip's own
            raise CsvError("it is not compressed by gzip, as its name says", "rename or download it again") from None
        raise CsvError(f"it cannot be read ({error.strerror or error})") from None


def _reader(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    is_quoted = dialect.quote != NO_QUOTE
    return csv.reader(
        lines,
        strict=True,
        delimiter=dialect.delimiter,
        quoting=csv.QUOTE_MINIMAL if is_quoted else csv.QUOTE_NONE,
        quotechar=dialect.quote if is_quoted else None,
    )


def _quote_remedy(dialect: Dialect) -> str:
    """What to do where the quotes of a row are not those of a table."""
    quote = "a double quote" if dialect.quote == '"' else f"`{dialect.quote}`"
    return f"correct the row: a cell that begins with {quote} ends with one, and one within it is written twice"


def open_text(path: Path, encoding: str) -> TextIO:
    """The text of a file, compressed or not, with its line ends as they are."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    if path.suffix == ".gz":
        import gzip  # takes longer to import than a file to check

        return gzip.open(path, "rt", encoding=codec, newline="")
    return path.open(encoding=codec, newline="")


def is_missing(cell: str) -> bool:
    """Whether a cell holds nothing, in a column of numbers or of words."""
    return cell in _NULL_SET or cell.strip(_BLANKS) in _NULL_SET


def missing_among(cells: Sequence[str]) -> list[int]:
    """The indices of the cells that hold nothing."""
    gone = {cell for cell in set(cells) if cell.strip(_BLANKS) in _NULL_SET}
    return [index for index, cell in enumerate(cells) if cell in gone] if gone else []


class NumberColumn:
    """Reads the cells of one column as numbers, some at a time.

    A column holds numbers or truth values, not both; which, its first cell that is not missing decides.
    """

    def __init__(self, dialect: Dialect = PLAIN) -> None:
        self._is_boolean: bool | None = None
        self._dialect = dialect

    def read(self, cells: Sequence[str]) -> list[Number | None]:
        """Each cell's number; None where it is missing. An integer is an int where it goes into 64 bits.

        Raises:
            CellError: at the first cell that is neither.
        """
        if not self._dialect.is_plain:
            try:
                return self._read(self._dialect.plain_cells(cells))
            except CellError as error:
                raise CellError(error.index, cells[error.index]) from None
        return self._read(cells)

    def _read(self, cells: Sequence[str]) -> list[Number | None]:
        found = self._read_plain(cells)
        if found is None:
            found = self._read_around_gaps(cells)
        return [self._read_cell(i, cell) for i, cell in enumerate(cells)] if found is None else found

    def _read_around_gaps(self, cells: Sequence[str]) -> list[Number | None] | None:
        """The same in one go, for cells that are plain numbers but for those that are missing."""
        present = [cell for cell in cells if cell not in _NULL_SET]
        if not 0 < len(present) < len(cells):
            return None
        plain = self._read_plain(present)
        if plain is None:
            return None
        rest = iter(plain)
        return [None if cell in _NULL_SET else next(rest) for cell in cells]

    def _read_plain(self, cells: Sequence[str]) -> list[Number | None] | None:
        """The same in one go, for cells that are plain numbers all of them, as most are."""
        if self._is_boolean or not cells:
            return None
        joined = "".join(cells)
        if not joined.isascii() or joined.translate(_WITHOUT_SIGNS):
            return None
        points = joined.count(".")
        try:
            found: list[Number | None]
            if points == len(cells):  # one in each: a number has no two
                found = list(map(float, cells))
            elif points or "e" in joined or "E" in joined:
                found = [float(cell) if "." in cell else _decimal(cell) for cell in cells]
            elif max(map(len, cells)) < _MOST_DIGITS:
                found = list(map(int, cells))
            else:
                return None
        except ValueError:
            return None
        self._is_boolean = False
        return found

    def _read_cell(self, index: int, cell: str) -> Number | None:
        text = cell.strip(_BLANKS)
        if text in _NULL_SET:
            return None
        value: Number
        is_boolean = text in _BOOLEANS
        if is_boolean:
            value = _BOOLEANS[text]
        elif _DECIMAL.fullmatch(text):
            value = _decimal(text)
        elif re.fullmatch(_INFINITE, text, re.IGNORECASE):
            value = float(text)
        else:
            raise CellError(index, cell)
        if self._is_boolean is None:
            self._is_boolean = is_boolean
        if self._is_boolean != is_boolean:
            raise CellError(index, cell)
        return value


def _decimal(text: str) -> Number:
    if len(text) <= _MOST_DIGITS + 1 and _INTEGER_SIGNS.issuperset(text):
        value = int(text)
        return value if value in _INT64 else float(value)
    return float(text)


def is_infinite(value: Number | None) -> bool:
    return value is not None and math.isinf(value)
