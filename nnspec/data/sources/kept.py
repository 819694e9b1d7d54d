"""A column's values in few bytes each, without NumPy: what a check keeps of tables that are larger than memory.

Words of which there are few kinds are kept once, and each row has the number of its word; numbers of one width are kept
as such; times are microseconds. Anything else is a list.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from operator import le
from typing import Generic, TypeVar, overload

Value = str | int | float | None
T = TypeVar("T")
_MOST_WORDS = 1 << 16
_EPOCH = datetime(1970, 1, 1)


class Coded(Sequence[T], Generic[T]):
    """Values as the numbers of words.

    Attributes:
        words: in the order of first appearance.
    """

    def __init__(self, words: Sequence[T], codes: array[int]) -> None:
        self.words, self.codes = words, codes

    def __len__(self) -> int:
        return len(self.codes)

    @overload
    def __getitem__(self, index: int) -> T: ...

    @overload
    def __getitem__(self, index: slice) -> list[T]: ...

    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self.words[code] for code in self.codes[index]]
        return self.words[self.codes[index]]

    def __iter__(self) -> Iterator[T]:
        return map(self.words.__getitem__, self.codes)

    def __contains__(self, value: object) -> bool:
        return value in self.words

    def spelt(self, function: Callable[[T], T]) -> Coded[T]:
        """What a function gives for each value."""
        return Coded([function(word) for word in self.words], self.codes)


class Moments(Sequence[datetime]):
    """Moments as microseconds since 1970, eight bytes each."""

    def __init__(self, microseconds: array[int]) -> None:
        self.microseconds = microseconds

    def __len__(self) -> int:
        return len(self.microseconds)

    @overload
    def __getitem__(self, index: int) -> datetime: ...

    @overload
    def __getitem__(self, index: slice) -> Moments: ...

    def __getitem__(self, index: int | slice) -> datetime | Moments:
        if isinstance(index, slice):
            return Moments(self.microseconds[index])
        return _EPOCH + timedelta(microseconds=self.microseconds[index])

    def is_ascending(self) -> bool:
        """Whether each is at or after the one before it."""
        return all(map(le, self.microseconds, islice(self.microseconds, 1, None)))


class Times(Sequence[str]):
    """A column of dates or timestamps as words, made when they are asked for.

    Attributes:
        moments: the same as moments.
        is_date: whether the words have no time of day.
    """

    def __init__(self, moments: Moments, *, is_date: bool) -> None:
        self.moments, self.is_date = moments, is_date

    def __len__(self) -> int:
        return len(self.moments)

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> Times: ...

    def __getitem__(self, index: int | slice) -> str | Times:
        if isinstance(index, slice):
            return Times(self.moments[index], is_date=self.is_date)
        word = self.moments[index].isoformat(" ")
        return word[: len("2024-12-31")] if self.is_date else word.rstrip("0") if "." in word else word


def code_values(values: Iterable[T]) -> Sequence[T]:
    """Values that are hashed alike only where they are the same, such as words; a list where most are different."""
    numbers: dict[T, int] = {}
    codes = array("I")
    rest = iter(values)
    for value in rest:
        codes.append(numbers.setdefault(value, len(numbers)))
        if len(numbers) > _MOST_WORDS:
            words = list(numbers)
            return [*(words[code] for code in codes), *rest]
    return Coded(list(numbers), codes)


def compact_values(values: Iterable[Value]) -> Sequence[Value]:
    """Values of one column: numbers of one kind, or words; where a number is missing, all of them as text, and ""."""
    rest = iter(values)
    first = next(rest, "")
    if isinstance(first, int | float) and not isinstance(first, bool):
        numbers: array[int] | array[float] = array("q" if isinstance(first, int) else "d")
        behind: Iterable[Value] = chain([first], rest)
        for value in behind:
            try:
                numbers.append(value)  # type: ignore[arg-type]
            except (TypeError, OverflowError):
                listed: list[Value] = [*numbers, value, *behind]
                return listed if None not in listed else code_values("" if v is None else str(v) for v in listed)
        return numbers
    texts = code_values(chain([first], rest))
    if not any(value is None for value in (texts.words if isinstance(texts, Coded) else texts)):
        return texts
    if isinstance(texts, Coded):
        return texts.spelt(lambda value: "" if value is None else str(value))
    return ["" if value is None else str(value) for value in texts]


def concatenate_values(first: Sequence[Value], then: Sequence[Value]) -> Sequence[Value]:
    """Values of two files, one after the other: all of them text where some are."""
    if isinstance(first, array) and isinstance(then, array) and first.typecode == then.typecode:
        return first + then
    if isinstance(first, Times) and isinstance(then, Times) and first.is_date == then.is_date:
        return Times(Moments(first.moments.microseconds + then.moments.microseconds), is_date=first.is_date)
    if isinstance(first, Coded) and isinstance(then, Coded):
        numbers: dict[Value, int] = {word: number for number, word in enumerate(first.words)}
        places = [numbers.setdefault(word, len(numbers)) for word in then.words]
        return Coded(list(numbers), first.codes + array("I", map(places.__getitem__, then.codes)))
    values = [*first, *then]
    texts = sum(isinstance(value, str) for value in values)
    return values if texts in (0, len(values)) else [str(value) for value in values]
