"""Dates in the deployed graph: parts of whole seconds since 1970-01-01, by integer arithmetic.

The calendar is that of `days_from_civil` and its inverse (Howard Hinnant, chrono-compatible low-level date algorithms):
years begin on the first of March, so that the leap day is the last one. Every quotient is of numbers that are not
negative, since ONNX' integer `Div` cuts off towards 0.
"""

from __future__ import annotations

import numpy as np

from nnspec.backends.onnx.builder import onnx_type
from nnspec.backends.onnx.lowering import Lowering
from nnspec.data.prepare.encodings.date import DateEncoding, circle_table
from nnspec.runtime.rules.dates import GAP

_DAY, _ERA, _TO_ERA = 86400, 146097, 719468  # seconds a day, days in 400 years, days from 0000-03-01 to 1970-01-01


def encode_date(lowering: Lowering, date: DateEncoding, tensor: str) -> str:
    """The features of a date, along a further last axis."""
    is_gap = lowering.node("Equal", tensor, _constant(lowering, GAP))
    if date.fill is not None:
        tensor = lowering.node("Where", is_gap, _constant(lowering, date.fill), tensor)
    calendar = _Calendar(lowering, tensor)
    last = lowering.constant(np.asarray([-1], np.int64), "last")
    pieces = []
    for place, part in enumerate(date.parts):
        number = calendar.part(part)
        if date.has_cycle(part):
            table = circle_table(part)
            top = _constant(lowering, len(table) - 1)  # as every date has; a gap that nothing fills has not
            within = lowering.node("Min", lowering.node("Max", number, _constant(lowering, 0)), top)
            pieces.append(lowering.node("Gather", lowering.constant(table, "circle"), within, axis=0))
            continue
        feature = lowering.node("Unsqueeze", lowering.node("Cast", number, to=onnx_type("float32")), last)
        if date.offsets[place]:
            feature = lowering.node("Sub", feature, lowering.scalar(date.offsets[place]))
        if date.divisors[place] != 1:
            feature = lowering.node("Div", feature, lowering.scalar(date.divisors[place]))
        pieces.append(feature)
    if date.has_indicator:
        pieces.append(lowering.node("Unsqueeze", lowering.node("Cast", is_gap, to=onnx_type("float32")), last))
    return pieces[0] if len(pieces) == 1 else lowering.node("Concat", *pieces, axis=-1)


def _constant(lowering: Lowering, number: int) -> str:
    return lowering.constant(np.asarray(number, np.int64), "number")


class _Calendar:
    """The parts of a tensor of seconds; each is computed once."""

    def __init__(self, lowering: Lowering, seconds: str) -> None:
        self.lowering = lowering
        self.within = self.modulo(seconds, _DAY)
        self.days = self.over(self.minus(seconds, self.within), _DAY)
        self.found: dict[str, str] = {}

    def part(self, name: str) -> str:
        """The number of a part, int64, axes as those of the seconds."""
        if name not in self.found:
            self.found[name] = self._part(name)
        return self.found[name]

    def _part(self, name: str) -> str:
        if name == "days":
            return self.days
        if name == "weekday":
            return self.modulo(self.plus(self.days, 3), 7)
        if name == "hour":
            return self.over(self.within, 3600)
        if name == "minute":
            return self.modulo(self.over(self.within, 60), 60)
        if name == "second":
            return self.modulo(self.within, 60)
        if name == "quarter":
            return self.over(self.plus(self.part("month"), 2), 3)
        if name == "week":
            thursday = self.plus(self.minus(self.days, self.part("weekday")), 3)
            day = self._civil(thursday)["day_of_year"]
            return self.over(self.plus(day, 6), 7)
        self.found |= self._civil(self.days)
        return self.found[name]

    def _civil(self, days: str) -> dict[str, str]:
        """The year, month, day and day of the year of days since 1970-01-01."""
        shifted = self.plus(days, _TO_ERA)
        of_era = self.modulo(shifted, _ERA)
        era = self.over(self.minus(shifted, of_era), _ERA)
        leaps = self.minus(
            self.plus(self.minus(of_era, self.over(of_era, 1460)), self.over(of_era, 36524)), self.over(of_era, 146096)
        )
        year = self.over(leaps, 365)
        begun = self.minus(self.plus(self.times(year, 365), self.over(year, 4)), self.over(year, 100))
        of_year = self.minus(of_era, begun)  # 0 is the first of March
        month = self.over(self.plus(self.times(of_year, 5), 2), 153)  # 0 is March
        day = self.plus(self.minus(of_year, self.over(self.plus(self.times(month, 153), 2), 5)), 1)
        is_next = self.lowering.node("Less", self.number(9), month)  # January and February
        civil_year = self.plus(self.plus(self.times(era, 400), year), self.choose(is_next, 1, 0))
        is_leap = self._is_leap(civil_year)
        in_year = self.choose(
            is_next, self.plus(of_year, -305), self.plus(self.plus(of_year, 60), self.choose(is_leap, 1, 0))
        )
        return {
            "year": civil_year,
            "month": self.plus(month, self.choose(is_next, -9, 3)),
            "day": day,
            "day_of_year": in_year,
        }

    def _is_leap(self, year: str) -> str:
        def divides(number: int) -> str:
            return self.lowering.node("Equal", self.modulo(year, number), self.number(0))

        is_plain = self.lowering.node("And", divides(4), self.lowering.node("Not", divides(100)))
        return self.lowering.node("Or", is_plain, divides(400))

    def number(self, value: int) -> str:
        return _constant(self.lowering, value)

    def _term(self, value: str | int) -> str:
        return self.number(value) if isinstance(value, int) else value

    def plus(self, left: str, right: str | int) -> str:
        return self.lowering.node("Add", left, self._term(right))

    def minus(self, left: str, right: str | int) -> str:
        return self.lowering.node("Sub", left, self._term(right))

    def times(self, left: str, right: str | int) -> str:
        return self.lowering.node("Mul", left, self._term(right))

    def over(self, left: str, right: int) -> str:
        return self.lowering.node("Div", left, self.number(right))

    def modulo(self, left: str, right: int) -> str:
        """The remainder, never negative."""
        return self.lowering.node("Mod", left, self.number(right))

    def choose(self, condition: str, yes: str | int, no: str | int) -> str:
        return self.lowering.node("Where", condition, self._term(yes), self._term(no))
