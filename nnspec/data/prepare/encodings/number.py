"""Numbers: gaps filled, a function of them, and scaled. All of it float32, as in the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.prepare.functions import FUNCTIONS, INVERSES
from nnspec.document.types import Plain


@dataclass(frozen=True, kw_only=True)
class NumberEncoding:
    """`(transform(x) - offset) / divisor`, with `fill` for x where it is missing.

    Attributes:
        fill: None where no value may be missing.
        has_indicator: whether a second feature says where it is: 1 there.
        markers: numbers that stand for a missing value.
    """

    name: str
    fill: float | None = None
    transform: str | None = None
    offset: float = 0.0
    divisor: float = 1.0
    has_indicator: bool = False
    markers: tuple[float, ...] = ()

    kind: ClassVar[str] = "number"
    dtype: ClassVar[str] = "float32"

    @property
    def features(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}=(missing)") if self.has_indicator else (self.name,)

    @property
    def takes_gaps(self) -> bool:
        return self.fill is not None

    def unmarked(self, raw: np.ndarray) -> Float:
        """The raw values with NaN where a marker stands for a missing one."""
        values = np.asarray(raw, np.float32)
        if self.fill is None:
            return values
        return np.where(np.isin(values, np.array(self.markers, np.float32)), np.float32(np.nan), values)

    def filled(self, raw: np.ndarray) -> Float:
        """The raw values without gaps."""
        values = self.unmarked(raw)
        return values if self.fill is None else np.where(np.isnan(values), np.float32(self.fill), values)

    def apply(self, raw: np.ndarray) -> Float:
        values = self.filled(raw)
        with np.errstate(all="ignore"):  # what lies outside the function's domain is NaN or infinite, as in the graph
            if self.transform is not None:
                values = np.asarray(FUNCTIONS[self.transform](values), np.float32)
            values = (values - np.float32(self.offset)) / np.float32(self.divisor)
        found = np.asarray(values[..., None], np.float32)
        if not self.has_indicator:
            return found
        gaps = np.isnan(self.unmarked(raw)[..., None]).astype(np.float32)
        return np.concatenate([found, gaps], axis=-1)

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(rng.normal(size=shape) * scale * self.divisor + self.offset, np.float32)
        if self.transform in ("log", "log1p", "sqrt"):
            # in the domain, and not where a function that is steep at its edge makes much of rounding
            values = np.abs(values) + np.float32(0.1) * np.float32(abs(self.offset) or 1)
        if self.transform is not None:
            with np.errstate(over="ignore"):
                values = np.asarray(INVERSES[self.transform](np.clip(values, -40, 40)), np.float32)
        return values if self.fill is None else np.where(rng.random(shape) < 0.2, np.float32(np.nan), values)

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, np.float32)
        if kind in ("gaps", "some gaps"):
            if self.fill is None:
                return values
            gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
            return np.where(gaps, np.float32(rng.choice([np.nan, *self.markers])), values)
        times = {"huge": 1e3, "tiny": 1e-3, "zeros": 0.0}.get(kind, 1.0)
        if times == 0.0 and self.transform == "log":
            times = 1e-3
        return np.asarray(values * np.float32(times), np.float32)

    def to_json(self) -> dict[str, Plain]:
        body: dict[str, Plain] = {"kind": self.kind, "name": self.name, "offset": self.offset, "divisor": self.divisor}
        more = {"markers": list(self.markers)} if self.markers else {}
        return {**body, "fill": self.fill, "transform": self.transform, "has_indicator": self.has_indicator, **more}

    @classmethod
    def from_json(cls, body: Body) -> NumberEncoding:
        fill, transform, markers = body.get("fill"), body.get("transform"), body.get("markers")
        return cls(
            name=str(body["name"]),
            fill=None if fill is None else float(str(fill)),
            transform=None if transform is None else str(transform),
            offset=float(str(body["offset"])),
            divisor=float(str(body["divisor"])),
            has_indicator=bool(body.get("has_indicator")),
            markers=tuple(float(str(number)) for number in markers) if isinstance(markers, list) else (),
        )


def fit_statistics(values: NDArray[np.float64], scale: str | None) -> tuple[float, float]:
    """Offset and divisor of training values, none missing; the divisor is 1 where nothing varies."""
    if scale == "standard":
        offset, divisor = float(np.mean(values)), float(np.std(values))
    elif scale == "minmax":
        offset, divisor = float(np.min(values)), float(np.ptp(values))
    elif scale == "robust":
        low, offset, high = (float(q) for q in np.quantile(values, [0.25, 0.5, 0.75]))
        divisor = high - low
    else:
        return 0.0, 1.0
    return as_float32(offset, divisor)


def as_float32(offset: float, divisor: float) -> tuple[float, float]:
    """What `fit_statistics` gives of an offset and a divisor."""
    negligible = divisor <= 1e-7 * max(abs(offset), float(np.finfo(np.float32).tiny))
    return float(np.float32(offset)), 1.0 if negligible else float(np.float32(divisor))
