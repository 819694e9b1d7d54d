"""Bounds in `expect`: `34657`, `>= 10`, `< 40000`, `10..20`; `all` positions of an axis."""

from __future__ import annotations

import math
import re

from nnspec.lazy import dataclass

ALL = "all"
_NUMBER = r"\d[\d_]*"
_COMPARED = rf"\s*(>=|<=|==|>|<)\s*({_NUMBER})\s*"
_RANGE = rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*"
HOW = "a bound is a number, a comparison such as `>= 10`, `<= 40000` or `== 16`, or a range such as `10..20`"


@dataclass(frozen=True, slots=True)
class Bound:
    """The numbers from `low` to `high`, both included.

    Attributes:
        operator: the comparison before the number; `..` for a range, empty for a number alone.
    """

    low: float
    high: float
    operator: str = ""

    def admits(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        if self.operator == "..":
            return f"{self.low:,} to {self.high:,}"
        words = {">=": "at least", ">": "more than", "<=": "at most", "<": "fewer than"}
        number = {">": self.low - 1, "<": self.high + 1, "<=": self.high}.get(self.operator, self.low)
        return f"{words[self.operator]} {number:,}" if self.operator in words else f"{number:,}"

    def around(self, value: int) -> str:
        """The same kind of bound as YAML, drawn so that it just admits `value`."""
        if self.operator == "..":
            return f'"{min(self.low, value)}..{max(self.high, value)}"'
        number = {">": value - 1, "<": value + 1}.get(self.operator, value)
        return f'"{self.operator} {number}"' if self.operator else str(number)


def parse_bound(value: object) -> Bound | None:
    """A bound as a spec writes it; None where it is none."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return Bound(int(value), int(value)) if value == int(value) and value >= 0 else None
    if not isinstance(value, str):
        return None
    if re.fullmatch(rf"\s*{_NUMBER}\s*", value):
        return parse_bound(int(value))
    if compared := re.fullmatch(_COMPARED, value):
        operator, number = compared.group(1), int(compared.group(2))
        low = {">=": number, ">": number + 1, "==": number}.get(operator, 0)
        high = {"<=": number, "<": number - 1, "==": number}.get(operator, math.inf)
        return Bound(low, high, operator)
    if ranged := re.fullmatch(_RANGE, value):
        low, high = int(ranged.group(1)), int(ranged.group(2))
        return Bound(low, high, "..") if low <= high else None
    return None
