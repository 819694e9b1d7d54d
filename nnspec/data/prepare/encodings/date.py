"""Dates: their parts as numbers, or as a sine and a cosine where a part begins again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.section.column_plan import PARTS
from nnspec.document.types import Plain
from nnspec.runtime.rules.dates import GAP

Seconds = NDArray[np.int64]
_DAY = 86400
_FROM_0 = frozenset(("weekday", "hour", "minute", "second"))  # other parts begin with 1


@dataclass(frozen=True, kw_only=True)
class DateEncoding:
    """Parts of a moment that is given as whole seconds since 1970-01-01.

    Attributes:
        offsets, divisors: of the parts that are numbers, in the order of `parts`: `(part - offset) / divisor`.
        fill: the seconds that stand in for a gap; None where no value may be missing.
        has_indicator: whether a last feature says where it is: 1 there.
        first, last: the earliest and the latest seconds of the training rows.
    """

    name: str
    parts: tuple[str, ...]
    is_cyclic: bool = False
    offsets: tuple[float, ...] = ()
    divisors: tuple[float, ...] = ()
    fill: int | None = None
    has_indicator: bool = False
    first: int = 0
    last: int = 0

    kind: ClassVar[str] = "date"
    dtype: ClassVar[str] = "int64"

    @property
    def takes_gaps(self) -> bool:
        return self.fill is not None

    def has_cycle(self, part: str) -> bool:
        """Whether a part becomes a sine and a cosine."""
        return self.is_cyclic and PARTS[part] is not None

    @property
    def features(self) -> tuple[str, ...]:
        found = []
        for part in self.parts:
            name = f"{self.name}.{part}"
            found += [f"sin({name})", f"cos({name})"] if self.has_cycle(part) else [name]
        return (*found, *[f"{self.name}=(missing)"] * self.has_indicator)

    def apply(self, raw: np.ndarray) -> Float:
        given = np.asarray(raw, np.int64)
        seconds = given if self.fill is None else np.where(given == GAP, self.fill, given)
        columns: list[np.ndarray] = []
        for place, part in enumerate(self.parts):
            number = part_of(seconds, part)
            if self.has_cycle(part):
                columns += list(np.moveaxis(circle_table(part)[number], -1, 0))
                continue
            scaled = (number.astype(np.float32) - np.float32(self.offsets[place])) / np.float32(self.divisors[place])
            columns.append(scaled)
        if self.has_indicator:
            columns.append(given == GAP)
        return np.stack(columns, axis=-1).astype(np.float32)

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        values = rng.integers(self.first, max(self.last, self.first + 1), size=shape)
        return values if self.fill is None else np.where(rng.random(shape) < 0.2, GAP, values)

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, np.int64)
        if kind in ("gaps", "some gaps") and self.takes_gaps:
            gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
            return np.where(gaps, GAP, values)
        limits = {"huge": (4_000_000_000, 8_000_000_000), "tiny": (-5_000_000_000, -1), "zeros": (0, 1)}.get(kind)
        return values if limits is None else np.asarray(rng.integers(*limits, size=values.shape))

    def to_json(self) -> dict[str, Plain]:
        body: dict[str, Plain] = {"kind": self.kind, "name": self.name, "parts": list(self.parts)}
        return {
            **body,
            "cyclic": self.is_cyclic,
            "offsets": list(self.offsets),
            "divisors": list(self.divisors),
            "fill": self.fill,
            "has_indicator": self.has_indicator,
            "first": self.first,
            "last": self.last,
        }

    @classmethod
    def from_json(cls, body: Body) -> DateEncoding:
        fill = body.get("fill")
        parts, offsets, divisors = body["parts"], body["offsets"], body["divisors"]
        assert isinstance(parts, list)
        assert isinstance(offsets, list)
        assert isinstance(divisors, list)
        return cls(
            name=str(body["name"]),
            parts=tuple(map(str, parts)),
            is_cyclic=bool(body.get("cyclic")),
            offsets=tuple(float(str(number)) for number in offsets),
            divisors=tuple(float(str(number)) for number in divisors),
            fill=None if fill is None else int(str(fill)),
            has_indicator=bool(body.get("has_indicator")),
            first=int(str(body["first"])),
            last=int(str(body["last"])),
        )


def circle_table(part: str) -> Float:
    """The sine and cosine of each number that a part can have, axes `number 2`; of those that begin with 1 the first
    row is never read."""
    period = PARTS[part]
    assert period is not None
    begin = 0 if part in _FROM_0 else 1
    angles = 2 * np.pi * (np.arange(period + begin) - begin) / period
    return np.stack([np.sin(angles), np.cos(angles)], axis=-1).astype(np.float32)


def part_of(seconds: Seconds, part: str) -> Seconds:
    """A part of moments, axes kept: what Python's `datetime` has, by the calendar of NumPy."""
    days, within = np.floor_divide(seconds, _DAY), np.mod(seconds, _DAY)
    if part in ("days", "weekday"):
        return np.asarray(days if part == "days" else np.mod(days + 3, 7))
    if part in ("hour", "minute", "second"):
        return np.asarray({"hour": within // 3600, "minute": within // 60 % 60, "second": within % 60}[part])
    if part == "week":  # that of its Thursday, which is in the year that the week belongs to
        thursday = days - np.mod(days + 3, 7) + 3
        return np.asarray((part_of(thursday * _DAY, "day_of_year") - 1) // 7 + 1)
    dates = days.astype("datetime64[D]")
    years, months = dates.astype("datetime64[Y]"), dates.astype("datetime64[M]")
    if part == "year":
        return np.asarray(years.astype(np.int64) + 1970)
    if part == "day_of_year":
        return np.asarray((dates - years.astype("datetime64[D]")).astype(np.int64) + 1)
    if part == "day":
        return np.asarray((dates - months.astype("datetime64[D]")).astype(np.int64) + 1)
    month = (months - years.astype("datetime64[M]")).astype(np.int64)
    return np.asarray(month + 1 if part == "month" else month // 3 + 1)
