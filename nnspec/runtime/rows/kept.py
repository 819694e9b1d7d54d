"""A column's values in few bytes each, without NumPy: what a check keeps of tables that are larger than memory.

Words of which there are few kinds are kept once, and each row has the number of its word; numbers of one width are kept
as such; times are microseconds, also those that are texts of one form. Other texts stand end to end, and anything else
is a list.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from operator import le
from typing import Generic, TypeVar, overload

from nnspec.runtime.rules.csv import NULLS
from nnspec.runtime.rules.iso_times import DAY, IsoColumn

Value = str | int | float | None
T = TypeVar("T")
U = TypeVar("U")
_MOST_WORDS = 1 << 16
_MOST = {"B": 1 << 8, "H": 1 << 16, "I": 1 << 32}  # words that so wide numbers tell apart
_WIDER = {"B": "H", "H": "I"}
_PART = 1024  # texts that are looked at at a time
_BETWEEN = "\0"
_MISSING = frozenset(NULLS)
GAP = -(2**63)  # microseconds of a moment that is missing
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

    def spelt(self, function: Callable[[T], U]) -> Coded[U]:
        """What a function gives for each value."""
        return Coded([function(word) for word in self.words], self.codes)

    def without(self, dropped: Callable[[T], bool]) -> Coded[T]:
        """The values but some."""
        gone = {code for code, word in enumerate(self.words) if dropped(word)}
        if not gone:
            return self
        codes = array(self.codes.typecode, (code for code in self.codes if code not in gone))
        ranks = {code: rank for rank, code in enumerate(code for code in range(len(self.words)) if code not in gone)}
        return Coded([self.words[code] for code in ranks], array(codes.typecode, map(ranks.__getitem__, codes)))


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


class IsoTimes(Times):
    """Texts that are moments in one form of ISO 8601.

    Attributes:
        form: a text with a 0 for each digit, such as `0000-00-00 00:00`.
        gap: what stands where one is missing.
    """

    def __init__(self, moments: Moments, form: str, gap: str = "") -> None:
        super().__init__(moments, is_date=len(form) == DAY)
        self.form, self.gap = form, gap

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> IsoTimes: ...

    def __getitem__(self, index: int | slice) -> str | IsoTimes:
        if isinstance(index, slice):
            return IsoTimes(self.moments[index], self.form, self.gap)
        if self.moments.microseconds[index] == GAP:
            return self.gap
        length = len(self.form.removesuffix("Z"))
        word = self.moments[index].isoformat(self.form[DAY : DAY + 1] or " ", "microseconds")[:length]
        return word + self.form[length:]


class Texts(Sequence[str]):
    """Texts, of which some at a time stand end to end: a byte a character, as most are."""

    def __init__(self) -> None:
        self._parts: list[str | Sequence[str]] = []
        self._ends = array("q")
        self._read: tuple[int, Sequence[str]] = (-1, ())  # the part that was read last

    def add(self, texts: Sequence[str]) -> None:
        if texts:
            joined = _BETWEEN.join(texts)
            self._parts.append(joined if joined.count(_BETWEEN) == len(texts) - 1 else list(texts))
            self._ends.append(len(self) + len(texts))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> str: ...

    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[row] for row in range(*index.indices(len(self)))]
        row = index + len(self) if index < 0 else index
        if not 0 <= row < len(self):
            raise IndexError(index)
        number = bisect_right(self._ends, row)
        if self._read[0] != number:
            self._read = number, self._part(number)
        return self._read[1][row - (self._ends[number - 1] if number else 0)]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(map(self._part, range(len(self._parts))))

    def _part(self, number: int) -> Sequence[str]:
        part = self._parts[number]
        return part.split(_BETWEEN) if isinstance(part, str) else part


class TextKeeper:
    """Keeps the texts of a column as they come, some at a time."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._codes = array("B")
        self._times: _TimeKeeper | None = None
        self._texts: Texts | None = None

    def add(self, texts: Sequence[str]) -> None:
        if self._texts is not None:
            self._texts.add(texts)
        elif self._times is not None:
            if not self._times.add(texts):
                self._keep_texts(self._times.finish(), texts)
        else:
            self._code(texts)

    def finish(self) -> Sequence[str]:
        if self._texts is not None:
            return self._texts
        return Coded(list(self._numbers), self._codes) if self._times is None else self._times.finish()

    def _code(self, texts: Sequence[str]) -> None:
        numbers = self._numbers
        for text in dict.fromkeys(texts):
            numbers.setdefault(text, len(numbers))
        if len(numbers) > _MOST_WORDS:
            before = Coded(list(numbers), self._codes)
            times, self._numbers, self._codes = _TimeKeeper(), {}, array("B")
            if all(times.add(part) for part in (*_parts(before), texts)):
                self._times = times
            else:
                self._keep_texts(before, texts)
            return
        while len(numbers) > _MOST[self._codes.typecode]:
            self._codes = array(_WIDER[self._codes.typecode], self._codes)
        self._codes.extend(map(numbers.__getitem__, texts))

    def _keep_texts(self, before: Sequence[str], texts: Sequence[str]) -> None:
        self._texts, self._times = Texts(), None
        for part in (*_parts(before), texts):
            self._texts.add(part)


class _TimeKeeper:
    """Texts as microseconds, as long as all are moments in the form of the first, or are missing in one spelling."""

    def __init__(self) -> None:
        self._column = IsoColumn()
        self._gap: str | None = None
        self._microseconds = array("q")

    def add(self, texts: Sequence[str]) -> bool:
        """Whether they are; nothing is kept of any if not."""
        gaps = _MISSING.intersection(texts)
        if gaps and self._gap is None:
            self._gap = min(gaps)
        found = self._column.read([text for text in texts if text not in gaps] if gaps else texts)
        if found is None or gaps - {self._gap}:
            return False
        if gaps:
            rest = iter(found)
            found = [GAP if text in gaps else next(rest) for text in texts]
        self._microseconds.extend(found)
        return True

    def finish(self) -> IsoTimes:
        return IsoTimes(Moments(self._microseconds), self._column.form, self._gap or "")


def _parts(values: Iterable[str]) -> Iterator[list[str]]:
    """Some texts at a time."""
    rest = iter(values)
    while part := list(islice(rest, _PART)):
        yield part


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
                return listed if None not in listed else keep_texts("" if v is None else str(v) for v in listed)
        return numbers
    return keep_texts("" if value is None else str(value) for value in chain([first], rest))


def keep_texts(texts: Iterable[str]) -> Sequence[str]:
    """Texts of one column."""
    keeper = TextKeeper()
    for part in _parts(texts):
        keeper.add(part)
    return keeper.finish()


def distinct_values(values: Sequence[T]) -> Sequence[T]:
    """The values, where it is known each once."""
    return values.words if isinstance(values, Coded) else values


def concatenate_values(first: Sequence[Value], then: Sequence[Value]) -> Sequence[Value]:
    """Values of two files, one after the other: all of them text where some are."""
    if isinstance(first, array) and isinstance(then, array) and first.typecode == then.typecode:
        return first + then
    if isinstance(first, IsoTimes) and isinstance(then, IsoTimes):
        if (first.form, first.gap) == (then.form, then.gap):
            return IsoTimes(Moments(first.moments.microseconds + then.moments.microseconds), first.form, first.gap)
    elif isinstance(first, Times) and isinstance(then, Times) and first.is_date == then.is_date:
        return Times(Moments(first.moments.microseconds + then.moments.microseconds), is_date=first.is_date)
    if isinstance(first, Coded) and isinstance(then, Coded):
        numbers: dict[Value, int] = {word: number for number, word in enumerate(first.words)}
        places = [numbers.setdefault(word, len(numbers)) for word in then.words]
        return Coded(list(numbers), array("I", chain(first.codes, map(places.__getitem__, then.codes))))
    values = [*first, *then]
    texts = sum(isinstance(value, str) for value in values)
    return values if texts in (0, len(values)) else [str(value) for value in values]
