"""Arrays in rows of a file, JSON or a typed table: what a check knows of them, and loading them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nnspec.data.sources.base import ArrayFacts, ColumnFacts, SourceError
from nnspec.lazy import dataclass
from nnspec.runtime.rules.json import JsonError, Record
from nnspec.runtime.tables.json_arrays import UnlikeError, array_form, values_of_array

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

_DTYPES = {"b": "|b1", "i": "<i8", "f": "<f8", "U": "<U1"}


@dataclass(frozen=True, eq=False)
class ReadAnew:
    """Rows that are read from their files each time that they are gone through."""

    read: Callable[[], Iterator[Record]]

    def __iter__(self) -> Iterator[Record]:
        return self.read()


def array_facts(records: Iterable[Record], name: str) -> ArrayFacts:
    """The shape and type of an array.

    Raises:
        SourceError: where rows hold none, or not of one shape.
    """
    with told():
        rows, shape, kind = array_form(values_of_array(records, name), name)
    return ArrayFacts((rows, *shape), _DTYPES[kind], f"array `{name}`")


def array_extremes(records: Iterable[Record], name: str) -> tuple[int, int] | None:
    """The least and the largest of an array's integers; None where it holds others.

    Raises:
        SourceError: where a row has no list.
    """
    least: int | None = None
    largest: int | None = None
    with told():
        for _, value in values_of_array(records, name):
            for number in _flat(value):
                if not isinstance(number, int) or isinstance(number, bool):
                    return None
                least = number if least is None or number < least else least
                largest = number if largest is None or number > largest else largest
    return None if least is None or largest is None else (least, largest)


def _flat(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    else:
        yield value


def length_facts(records: Iterable[Record], name: str) -> ColumnFacts:
    """The lengths of lists, as a column.

    Raises:
        SourceError: where a row has no list.
    """
    with told():
        lengths = [float(value) for _, value in values_of_array(records, name) if isinstance(value, int)]
    return ColumnFacts(rows=len(lengths), values=lengths)


def load_array(records: Iterable[Record], name: str) -> np.ndarray:
    """An array of rows, which are gone through twice.

    Raises:
        SourceError: where rows hold none, or not of one shape.
    """
    from nnspec.runtime.tables.json_tables import array_of

    with told():
        return array_of(records, name)


@contextmanager
def told() -> Iterator[None]:
    """What is wrong with lists, for who writes the spec."""
    try:
        yield
    except UnlikeError as error:
        raise SourceError(f"{error}; `lengths: auto` takes sequences of different lengths") from None
    except JsonError as error:
        raise SourceError(str(error)) from None
