"""Raw columns as a model that encodes them itself takes them: words in one spelling, numbers, and gaps in either."""

from __future__ import annotations

import math

import numpy as np

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Array, Metadata, Port
from nnspec.runtime.rules.csv import CellError, is_missing
from nnspec.runtime.rules.dates import GAP as GAP_DATE
from nnspec.runtime.rules.dates import read_dates
from nnspec.runtime.rules.delimited import spell_words
from nnspec.runtime.rules.label_keys import label_key
from nnspec.runtime.rules.markers import marker_key, numbers_in
from nnspec.runtime.rules.truth import Truths, spellings, truth_of

GAP = ""  # the text of a missing word
PART = 1 << 16  # cells that are looked at at a time


def takes_cells(encoding: str | None) -> bool:
    """Whether a model's input takes the cells of a column as they stand, rather than numbers."""
    return encoding in ("category", "multi_hot", "date", "boolean")


def as_model_input(body: Metadata, cells: Array, before: list[str] | None = None) -> Array:
    """The cells of a column, "" where one is missing, as the model's input takes them; axes kept.

    Args:
        before: of a column of dates that is read in parts, a date of what was read so far; takes the first.

    Raises:
        CellError: where one is no date.
    """
    if body.get("encoding") == "date":
        return _read_seconds(cells.ravel(), body.get("format"), before).reshape(cells.shape)
    words = words_in_one_spelling(cells)
    if body.get("encoding") == "boolean":
        given = body.get("truths")
        return truths_of(words, (str(given[0]), str(given[1])) if given else None)
    return normalize_separators(words, str(body["separator"])) if body.get("encoding") == "multi_hot" else words


def _read_seconds(cells: Array, form: str | None, before: list[str] | None = None) -> Array:
    """The seconds of dates, read in pieces: all are written alike, so one of each piece is compared with the others.

    Args:
        before: as in `as_model_input`.

    Raises:
        CellError: at a cell that is no date.
    """
    found = np.empty(len(cells), np.int64)
    firsts: dict[int, str] = {}
    for start in range(0, len(cells), PART):
        part = cells[start : start + PART].tolist()
        try:
            seconds = read_dates(part, form)
        except CellError as error:
            raise CellError(start + error.index, error.cell) from None
        found[start : start + PART] = [GAP_DATE if number is None else number for number in seconds]
        first = next((index for index, number in enumerate(seconds) if number is not None), None)
        if first is not None:
            firsts[start + first] = part[first]
    try:
        read_dates(list(firsts.values()), form)
    except CellError as error:
        raise CellError(list(firsts)[error.index], error.cell) from None
    if before is not None and firsts:
        index, cell = next(iter(firsts.items()))
        try:
            read_dates([*before[:1], cell], form)
        except CellError:
            raise CellError(index, cell) from None
        before[:] = before or [cell]
    return found


def truths_of(words: Array, given: Truths | None) -> Array:
    """Words of yes and no without the blanks around them, axes kept.

    Raises:
        CellError: where one is neither.
    """
    flat = [word.strip() for word in words.ravel().tolist()]
    known: dict[str, str] = {}
    for word in set(flat):
        truth = truth_of(word, given) if word else None
        if truth is not None or not word:
            known[word] = word if truth is None or given else spellings(None)[truth][0]
    strange = next((place for place, word in enumerate(flat) if word not in known), None)
    if strange is not None:
        raise CellError(strange, flat[strange])
    made = np.empty(len(flat), dtype=object)
    made[:] = list(map(known.__getitem__, flat))
    return made.reshape(words.shape)


def normalize_separators(words: Array, separator: str) -> Array:
    """Cells with several words in one spelling, axes kept."""
    known = {word: word and spell_words(word, separator) for word in set(words.ravel().tolist())}
    made = np.empty(words.size, dtype=object)
    made[:] = [known[word] for word in words.ravel().tolist()]
    return made.reshape(words.shape)


def check_dates(port: Port, array: Array) -> Array:
    """A port's dates as whole seconds: of texts, of `datetime` and `datetime64`, or of seconds themselves.

    Raises:
        InputError: where one is missing that may not be, or is no date.
    """
    cells = [_date_cell(value) for value in array.ravel().tolist()]
    if port.markers:
        cells = [None if cell is not None and marker_key(cell) in port.markers else cell for cell in cells]
    texts = [cell for cell in cells if isinstance(cell, str)]
    try:
        read = iter(read_dates(texts, port.form))
    except CellError as error:
        raise InputError(f"input `{port.name}` takes dates, but has `{error.cell}`") from None
    found = [GAP_DATE if cell is None else next(read) if isinstance(cell, str) else cell for cell in cells]
    seconds = np.array([GAP_DATE if number is None else number for number in found], np.int64).reshape(array.shape)
    if not port.gaps and (seconds == GAP_DATE).any():
        raise InputError(f"input `{port.name}` has no date at ({_first(seconds == GAP_DATE)}), and none may be missing")
    return seconds


def _date_cell(value: object) -> str | int | None:
    """A date as text, or as its seconds; None where there is none."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else int(value.astype("datetime64[s]").astype(np.int64))
    if isinstance(value, np.integer | int):
        return int(value)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return str(value)


def words_in_one_spelling(values: Array) -> Array:
    """Words as training spelt them, axes kept: numbers and truth values too, "" where there is none."""
    flat = values.ravel().tolist()
    kinds = set(map(type, flat))
    if kinds == {str}:  # as of a table: each word once
        spelt = {word: _word(word) for word in set(flat)}
        words = list(map(spelt.__getitem__, flat))
    else:  # `True`, 1 and 1.0 are equal, but no one word
        known = {(kind, value): _word(value) for kind, value in {(type(value), value) for value in flat}}
        words = [known[type(value), value] for value in flat]
    made = np.empty(len(words), dtype=object)
    made[:] = words
    return made.reshape(values.shape)


def _word(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return GAP
    return GAP if isinstance(value, str) and is_missing(value) else label_key(value)


def check_words(port: Port, array: Array) -> Array:
    """A port's words.

    Raises:
        InputError: where one is missing that may not be, or is neither text nor a number.
    """
    kinds = set(map(type, array.ravel().tolist())) - {str, int, float, bool, type(None)}
    strange = next((kind for kind in kinds if not issubclass(kind, str | int | float | np.generic)), None)
    if strange is not None:
        raise InputError(f"input `{port.name}` takes words, but has a {strange.__name__}")
    words = words_in_one_spelling(array)
    if port.markers:
        is_marker = np.isin(words.astype(str), [word for word in set(words.flat) if marker_key(word) in port.markers])
        words = np.where(is_marker, GAP, words)
    if port.encoding == "multi_hot":
        words = normalize_separators(words, port.separator)
    if port.encoding == "boolean":
        try:
            words = truths_of(words, port.truths)
        except CellError as error:
            raise InputError(f"input `{port.name}` takes yes or no, but has `{error.cell}`") from None
    if not port.gaps and (words == GAP).any():
        raise InputError(f"input `{port.name}` has no value at ({_first(words == GAP)}), and none may be missing")
    return words


def with_gaps(port: Port, array: Array) -> Array:
    """A port's numbers, NaN where one is None.

    Raises:
        InputError: where a number is missing that may not be.
    """
    if array.dtype.kind == "O" and all(v is None or isinstance(v, int | float | np.number) for v in array.flat):
        array = np.array([np.nan if v is None else v for v in array.flat], np.float64).reshape(array.shape)
    marked = numbers_in(port.markers)
    if marked and array.dtype.kind in "iuf" and np.isin(array, marked).any():
        array = np.where(np.isin(array, marked), np.nan, array)
    if array.dtype.kind != "f":
        return array
    missing = np.isnan(array)
    for axis, column in forbidden_gaps(port, missing):
        places = np.take(missing, column, axis=axis)
        name = port.columns[column]
        raise InputError(f"input `{port.name}` has no number in column `{name}` at ({_first(places)})")
    return array


def forbidden_gaps(port: Port, missing: Array) -> list[tuple[int, int]]:
    """The columns with gaps that may have none: the axis of the columns, and the place along it."""
    if len(port.gaps) == len(port.columns):
        return []
    axis = next((i for i, size in enumerate(missing.shape) if i and size == len(port.columns)), None)
    if axis is None:
        return []
    others = tuple(i for i in range(missing.ndim) if i != axis)
    found = np.flatnonzero(missing.any(axis=others)).tolist()
    return [(axis, place) for place in found if port.columns[place] not in port.gaps]


def _first(places: Array) -> str:
    return ", ".join(str(int(i)) for i in np.argwhere(places)[0])
