"""The rules of JSON files: the same for checking, training and predicting.

A row is an object: one a line (JSON lines), or the items of one list. A column is a key, and `a.b` the key `b` within
the object under `a`, unless a key is called `a.b`. Numbers are numbers, true and false are 1 and 0 in a column that has
no other numbers, and text is text, numbers in quotes too. Missing are null, a key that is not there, NaN, and text that
is missing in a CSV file as well (empty, `NA`). Lists of numbers are arrays: `nnspec.runtime.tables.json_arrays`.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from nnspec.runtime.rules.csv import CellError, CsvError, Number, is_missing, open_text
from nnspec.runtime.rules.label_keys import label_key
from nnspec.runtime.rules.markers import Keys, marker_key

Record = Mapping[str, object]

INT64 = range(-(2**63), 2**63)
_MOST_SHOWN = 40


FORM = "a file has an object on each line, or is one list of objects"


class JsonError(ValueError):
    """The file holds no rows; the message completes `FILE cannot be used: …`.

    Attributes:
        remedy: what to do, where that can be said.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def advised(self) -> str:
        """The message with what to do."""
        return f"{self}; {self.remedy}" if self.remedy else str(self)


class _TwiceError(ValueError):
    """An object has a key more than once, of which `json` would take the last."""


def _require_distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) != len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_require_distinct)


def parse_json(text: str) -> object:
    """What JSON says; no object has a key twice.

    Raises:
        JsonError: where one has.
        ValueError: where it is not JSON; RecursionError: where it is nested too deeply.
    """
    try:
        return _DECODER.decode(text)
    except _TwiceError as error:
        raise _has_twice("an object", error) from None


def _has_twice(where: str, error: _TwiceError) -> JsonError:
    return JsonError(f"{where} has the key `{error}` twice", "name each value of a row differently")


def read_records(path: Path) -> Iterator[Record]:
    """The rows of a file, JSON lines or a list of objects.

    Raises:
        JsonError: where it is neither, or cannot be read to its end.
    """
    row, first = 0, ""
    try:
        with open_text(path, "utf-8") as stream:
            first = _first_sign(stream)
            if first == "[":
                body = _DECODER.decode(stream.read())
                for row, record in enumerate(body, 1):
                    yield _require_record(record, row)
            for line in () if first == "[" else stream:
                if line.strip():
                    row += 1
                    yield _require_record(_DECODER.decode(line.strip()), row)
    except UnicodeDecodeError:
        raise JsonError("it is not UTF-8 text", "write the file as UTF-8") from None
    except _TwiceError as error:
        where = f"row {row}" if row and first != "[" else "an object"
        raise _has_twice(where, error) from None
    except (json.JSONDecodeError, RecursionError) as error:
        if not row or first == "[":
            raise JsonError(f"it is not JSON: {error}", _remedy_of(error)) from None
        why = f"{error.msg}, character {error.pos + 1}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise JsonError(f"row {row} is not JSON: {why}", _remedy_of(error)) from None
    except (CsvError, EOFError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise JsonError(f"it cannot be read ({reason})") from None
    if not row:
        raise JsonError("it is empty: it has no rows", FORM)


def _remedy_of(error: ValueError | RecursionError) -> str:
    """What to do about text that is not JSON."""
    if not isinstance(error, json.JSONDecodeError):
        return FORM
    if error.doc.startswith("[") and error.msg == "Extra data" and "\n" in error.doc[: error.pos]:
        return "rows are lists, which name no columns: write an object on each line, or one list of the lists"
    if error.doc[error.pos :].strip() == ",":
        return "leave out the comma after each object, or write `[` and `]` around all of them"
    if error.doc.lstrip().startswith(("{", "[")) and not error.doc.rstrip().endswith(("}", "]")):
        return "the text ends within an object: write or copy the file again"
    return FORM


def _first_sign(stream: TextIO) -> str:
    """The first character that is no blank; the stream stays where it was."""
    while (sign := stream.read(1)).isspace():
        pass
    stream.seek(0)
    return sign


def _require_record(record: object, row: int) -> Record:
    if not isinstance(record, dict):
        raise JsonError(f"row {row} is {shown(record)}, not an object", FORM)
    return record


def value_of(record: Record, name: str) -> object:
    """What a column holds; None where it is not there."""
    if name in record:
        return record[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = record.get(head)
        if isinstance(inner, dict):
            return value_of(inner, rest)
        more, _, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def values_of(records: Sequence[Record], name: str, markers: Keys = frozenset()) -> list[object]:
    """What a column holds, a row each; None where it holds nothing, or a marker of that."""
    values = [value_of(record, name) for record in records]
    return [None if _is_marker(value, markers) else value for value in values] if markers else values


def _is_marker(value: object, markers: Keys) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and marker_key(value) in markers


def names_of(record: Record) -> Iterator[str]:
    """The columns of a row, those of objects within it by `a.b`."""
    for key, value in record.items():
        if isinstance(value, dict) and value:
            yield from (f"{key}.{name}" for name in names_of(value))
        else:
            yield key


def is_absent(value: object) -> bool:
    """Whether a value is missing."""
    if isinstance(value, str):
        return is_missing(value)
    return value is None or (isinstance(value, float) and math.isnan(value))


def word_of(value: object) -> str:
    """A value as text; an empty one where it is missing."""
    if is_absent(value):
        return ""
    return value if isinstance(value, str) else label_key(value)


def is_nested(value: object) -> bool:
    """Whether it is a list or an object, which no column holds."""
    return isinstance(value, list | dict)


class JsonNumbers:
    """Reads the values of one column as numbers, some at a time: all of them numbers, or truth values."""

    def __init__(self) -> None:
        self._is_boolean: bool | None = None

    def read(self, values: Sequence[object]) -> list[Number | None]:
        """Each value's number; None where it is missing.

        Raises:
            CellError: at the first value that is neither.
        """
        return [None if is_absent(value) else self._read(index, value) for index, value in enumerate(values)]

    def _read(self, index: int, value: object) -> Number:
        if not isinstance(value, int | float):
            raise CellError(index, shown(value))
        is_boolean = isinstance(value, bool)
        if self._is_boolean is None:
            self._is_boolean = is_boolean
        if self._is_boolean != is_boolean:
            raise CellError(index, shown(value))
        if isinstance(value, int):
            return int(value) if value in INT64 else _as_float(value)
        return value


def _as_float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def shown(value: object) -> str:
    """A value as JSON, its beginning where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"
