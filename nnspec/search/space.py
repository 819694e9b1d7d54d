"""A space over spec paths: its parameters, which of them a trial sets, and its points. Standard library only.

A point is a mapping of the paths that a trial sets to their values: choices by their text, see `value_key`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from nnspec.diagnostics import Span
from nnspec.document.types import Plain
from nnspec.lazy import dataclass

Point = dict[str, Plain]
MOST_LISTED = 10_000  # points of a finite space that are written out


def value_key(value: Plain) -> str:
    """A value as a text that no other value has: 1, 1.0, true and "1" differ."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    step: float | None = None
    is_log: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether its values are integers."""
        return all(isinstance(value, int) for value in (self.low, self.high, self.step) if value is not None)

    def rounded(self, value: float) -> float:
        """A value with the digits that matter, which a reader can copy; within the range."""
        if self.is_whole:
            return int(value)
        if self.step is not None:
            value, digits = self.low + round((value - self.low) / self.step) * self.step, 12
        else:
            finest = (abs(value) if self.is_log else self.high - self.low) / 1000
            digits = min(max(-math.floor(math.log10(finest)), 0), 300)
        return min(max(round(value, digits), self.low), self.high)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A path of the spec and the values that it may have.

    Attributes:
        choices: None where it has a range.
        when: by path, the values with which a trial sets it; empty: always.
        key_span: of the path.
    """

    path: str
    choices: tuple[Plain, ...] | None = None
    range: Range | None = None
    when: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict)
    span: Span
    key_span: Span
    spans: Mapping[str, Span] = field(default_factory=dict)

    def is_set_by(self, point: Mapping[str, Plain]) -> bool:
        """Whether a trial with these values of the parameters before sets it too."""
        return all(
            path in point and any(value_key(point[path]) == value_key(value) for value in values)
            for path, values in self.when.items()
        )

    def span_of(self, key: str) -> Span:
        return self.spans.get(key, self.span)


def in_order(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Parameters as a trial sets them: after those of their conditions, and after those of the paths above.

    Those that wait for one another, or for a path that the space does not have, are left out.
    """
    waiting, ordered, paths = list(parameters), list[Parameter](), {parameter.path for parameter in parameters}
    while waiting:
        done = {parameter.path for parameter in ordered}
        above = {p.path: {path for path in paths - done if is_below(p.path, path)} for p in waiting}
        ready = next((p for p in waiting if p.when.keys() <= done and not above[p.path]), None)
        if ready is None:
            return ordered
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def is_below(path: str, other: str) -> bool:
    """Whether a path leads into what another one names."""
    return path.startswith((f"{other}.", f"{other}["))


def count_points(parameters: Sequence[Parameter]) -> int | None:
    """The number of points; None where it is infinite, or more than are ever written out."""
    found = 0
    if any(p.choices is None and not _values_of(p.range) for p in parameters):
        return None
    for _ in all_points(parameters):
        found += 1
        if found > MOST_LISTED:
            return None
    return found


def all_points(parameters: Sequence[Parameter], point: Point | None = None) -> Iterator[Point]:
    """Every point of a finite space, the parameters in their order."""
    point = {} if point is None else point
    if not parameters:
        yield dict(point)
        return
    first, rest = parameters[0], parameters[1:]
    if not first.is_set_by(point):
        yield from all_points(rest, point)
        return
    for value in first.choices if first.choices is not None else _values_of(first.range):
        yield from all_points(rest, {**point, first.path: value})


def _values_of(numbers: Range | None) -> Sequence[int]:
    """All numbers of a range of integers that is not too long to write out; else none."""
    if numbers is None or not numbers.is_whole:
        return ()
    step = int(numbers.step or 1)
    return range(int(numbers.low), int(numbers.high) + 1, step) if numbers.high - numbers.low <= 1e6 else ()
