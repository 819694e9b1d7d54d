"""Between which numbers a formula's values lie, as far as that follows from those that it reads."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from nnspec.lazy import dataclass

Range = tuple[float, float]  # the least and the largest; either may be infinite
ANY: Range = (-math.inf, math.inf)
NOT_NEGATIVE: Range = (0.0, math.inf)
UNIT: Range = (0.0, 1.0)

# What values lie between that went through one of these activations.
OF_ACTIVATION: Mapping[str, Range] = {
    "sigmoid": UNIT,
    "hard_sigmoid": UNIT,
    "softmax": UNIT,
    "weighted sigmoid": UNIT,
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "relu": NOT_NEGATIVE,
    "relu6": (0.0, 6.0),
    "softplus": NOT_NEGATIVE,
    "exponential": NOT_NEGATIVE,
}
_BOUNDED: Mapping[str, Range] = {
    **{name: OF_ACTIVATION[name] for name in ("sigmoid", "tanh", "softsign", "relu", "softplus")},
    **dict.fromkeys(("sin", "cos", "erf", "sign"), (-1.0, 1.0)),
    **dict.fromkeys(("abs", "square", "sqrt", "cosh"), NOT_NEGATIVE),
}


def _exponential(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf


_MONOTONE: Mapping[str, Callable[[float], float]] = {
    "exp": _exponential,
    "expm1": lambda x: _exponential(x) - 1,
    "log": lambda x: math.log(x) if 0 < x < math.inf else (math.inf if x > 0 else -math.inf),
    "log1p": lambda x: math.log1p(x) if -1 < x < math.inf else (math.inf if x > 0 else -math.inf),
    "relu": lambda x: max(x, 0.0),
    "sqrt": lambda x: math.sqrt(max(x, 0.0)) if x < math.inf else math.inf,
    "tanh": math.tanh,
}


@dataclass(frozen=True)
class RangeOf:
    """The algebra of `nnspec.layers.formulas.algebra.compute` for ranges.

    Attributes:
        values: the range of each name; weights may be anything.
    """

    values: Mapping[str, Range]

    def number(self, value: float) -> Range:
        return value, value

    def name(self, name: str) -> Range:
        return self.values.get(name, ANY)

    def unary(self, function: str, value: Range) -> Range:
        low, high = value
        if function == "negative":
            return -high, -low
        if function in _MONOTONE:
            return _MONOTONE[function](low), _MONOTONE[function](high)
        if function in ("abs", "square"):
            ends = [abs(low), abs(high)] if function == "abs" else [low * low, high * high]
            return (0.0 if low <= 0 <= high else min(ends)), max(ends)
        if function in ("reciprocal", "rsqrt") and low >= 0:
            return NOT_NEGATIVE
        return _BOUNDED.get(function, ANY)

    def binary(self, function: str, left: Range, right: Range) -> Range:
        (a, b), (c, d) = left, right
        if function == "add":
            return a + c, b + d
        if function == "subtract":
            return a - d, b - c
        if function == "multiply":
            ends = [_product(x, y) for x in left for y in right]
            return min(ends), max(ends)
        if function in ("maximum", "minimum"):
            choose = max if function == "maximum" else min
            return choose(a, c), choose(b, d)
        if function == "divide" and c == d != 0:
            return min(a / c, b / c), max(a / c, b / c)
        if function in ("divide", "power") and a >= 0 and (c >= 0 or function == "power"):
            return NOT_NEGATIVE
        if function == "power" and c == d and c % 2 == 0:
            return NOT_NEGATIVE
        return ANY

    def reduce(self, function: str, value: Range, axes: Sequence[str]) -> Range:
        if function in ("mean", "max", "min"):
            return value
        if function != "sum":
            return NOT_NEGATIVE  # the position of an extreme
        return self.accumulate(value, "")

    def accumulate(self, value: Range, axis: str) -> Range:
        low, high = value
        return (low if low >= 0 else -math.inf), (high if high <= 0 else math.inf)

    def compare(self, function: str, left: Range, right: Range) -> Range:
        return UNIT

    def where(self, flag: Range, value: Range, other: Range) -> Range:
        return min(value[0], other[0]), max(value[1], other[1])


def _product(x: float, y: float) -> float:
    return 0.0 if 0 in (x, y) else x * y


def range_of(activation: str) -> Range:
    """What values lie between that went through an activation."""
    return OF_ACTIVATION.get(activation, ANY)
