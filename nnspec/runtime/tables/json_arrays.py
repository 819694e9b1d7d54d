"""Arrays in rows of JSON, by the rules of `rules.json`: of one shape in all rows, or of unlike length.

Lists of unlike length are read as an archive holds sequences: end to end, beside their lengths. Of the lists under
`frames`, `frames.steps` are the items of all rows, and `frames.length` is how many each row has; of lists within those,
`frames.steps.steps` and `frames.length.length`. A key of such a name goes before that.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from nnspec.runtime.rules.json import INT64, JsonError, Record, shown, value_of

STEPS, LENGTH = "steps", "length"
Place = tuple[int, ...]  # a row, and the steps within it, each from 1
Placed = Iterator[tuple[Place, object]]


class UnlikeError(JsonError):
    """Lists that have one shape in one row and another in the next."""


def sequence_names(array: str, levels: int) -> tuple[str, tuple[str, ...]]:
    """What the steps of so many levels of lists are called, and the lengths of each level, the outermost first."""
    lengths = tuple(f"{array}.{'.'.join([LENGTH] * level)}" for level in range(1, levels + 1))
    return f"{array}.{'.'.join([STEPS] * levels)}", lengths


def list_column(name: str, columns: Collection[str]) -> str | None:
    """The column that a name is of, or the steps or lengths of whose lists it names; None where there is none."""
    while name not in columns:
        head, _, word = name.rpartition(".")
        if word not in (STEPS, LENGTH) or not head:
            return None
        name = head
    return name


def values_of_array(records: Iterable[Record], name: str) -> Placed:
    """What the rows hold under a name, or under one of `sequence_names`, each with its place.

    Raises:
        JsonError: where a row has no list though its steps or length are asked for, or an empty one.
    """
    rows = iter(records)
    first = next(rows, None)
    if first is None:
        return
    base, what, levels = _parts(first, name)
    placed: Placed = (((row,), value_of(record, base)) for row, record in enumerate(chain([first], rows), 1))
    for level in range(levels):
        is_last = level == levels - 1
        placed = _lengths(placed, base) if what == LENGTH and is_last else _items(placed, base)
    yield from placed


def _parts(record: Record, name: str) -> tuple[str, str, int]:
    """The key, `steps` or `length`, and of how many levels; none of a name that is a key itself."""
    base, levels = name, 0
    for what in (STEPS, LENGTH):
        while base.endswith(f".{what}") and value_of(record, name) is None:
            base, levels = base.removesuffix(f".{what}"), levels + 1
        if levels:
            return base, what, levels
    return name, "", 0


def _items(placed: Placed, name: str) -> Placed:
    for place, value in placed:
        for step, item in enumerate(_list(place, value, name), 1):
            yield (*place, step), item


def _lengths(placed: Placed, name: str) -> Placed:
    for place, value in placed:
        yield place, len(_list(place, value, name))


def _list(place: Place, value: object, name: str) -> list[object]:
    if value is None:
        raise JsonError(f"{_said(place)} has no `{name}`")
    if not isinstance(value, list):
        raise JsonError(f"`{name}` of {_said(place)} is {shown(value)}, not a list")
    if not value:
        raise JsonError(f"`{name}` of {_said(place)} is empty: leave it out")
    return value


def _said(place: Place) -> str:
    return ", ".join([f"row {place[0]}", *(f"step {step}" for step in place[1:])])


def array_form(placed: Placed, name: str) -> tuple[int, tuple[int, ...], str]:
    """The number of values, the shape of each, and the kind: `b`, `i`, `f`, or `U` (text).

    Raises:
        JsonError: where one is missing, or is of another shape or kind than the first.
    """
    count, shape, origin, kinds = 0, None, "", set[str]()
    for place, value in placed:
        count += 1
        if value is None:
            raise JsonError(f"{_said(place)} has no `{name}`")
        try:
            found = _shape_of(value, kinds)
        except UnlikeError as error:
            raise UnlikeError(f"`{name}` of {_said(place)} {error}") from None
        except ValueError as error:
            raise JsonError(f"`{name}` of {_said(place)} {error}") from None
        if shape is None:
            shape, origin = found, _said(place)
        if found != shape:
            raise UnlikeError(f"`{name}` of {_said(place)} has {_size(found)}, but that of {origin} has {_size(shape)}")
    if kinds - {"i", "f"} and len(kinds) > 1:
        raise JsonError(f"`{name}` has values of different kinds: numbers, text or true and false")
    return count, shape or (), "f" if "f" in kinds else next(iter(kinds), "f")


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) + " values" if shape else "a single value"


def _shape_of(value: object, kinds: set[str]) -> tuple[int, ...]:
    if isinstance(value, list):
        if not value:
            raise ValueError("is empty")
        inner = {_shape_of(item, kinds) for item in value}
        if len(inner) > 1:
            raise UnlikeError("has lists of different lengths within it")
        return (len(value), *inner.pop())
    if isinstance(value, bool):
        kinds.add("b")
    elif isinstance(value, int):
        kinds.add("i" if value in INT64 else "f")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"holds {value}, which is not a number")
        kinds.add("f")
    elif isinstance(value, str):
        kinds.add("U")
    else:
        raise ValueError(f"holds {shown(value)}, which is neither a number nor text")
    return ()
