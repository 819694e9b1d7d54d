"""What a formula makes of a step that holds one number throughout, as padding does."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence

from nnspec.lazy import dataclass

_UNARY: dict[str, Callable[[float], float]] = {
    **{name: getattr(math, name) for name in ("acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos")},
    **{name: getattr(math, name) for name in ("cosh", "erf", "exp", "expm1", "floor", "log", "log1p", "sin")},
    **{name: getattr(math, name) for name in ("sinh", "sqrt", "tan", "tanh")},
    "abs": abs,
    "negative": operator.neg,
    "reciprocal": lambda x: 1 / x,
    "relu": lambda x: max(x, 0.0),
    "round": round,
    "rsqrt": lambda x: 1 / math.sqrt(x),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "sign": lambda x: (x > 0) - (x < 0),
    "softplus": lambda x: math.log1p(math.exp(x)),
    "softsign": lambda x: x / (1 + abs(x)),
    "square": lambda x: x * x,
}
_BINARY: dict[str, Callable[[float, float], float]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "power": math.pow,
    "maximum": max,
    "minimum": min,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}
Known = float | None  # None: weights decide, or it is no number


@dataclass(frozen=True)
class PaddingValue:
    """The algebra of `nnspec.layers.formulas.algebra.compute` for one number at all positions.

    Attributes:
        names: of the values that hold it; other names are weights.
        value: the number.
    """

    names: frozenset[str]
    value: float

    def number(self, value: float) -> Known:
        return value

    def name(self, name: str) -> Known:
        return self.value if name in self.names else None

    def unary(self, function: str, value: Known) -> Known:
        return None if value is None else _tried(lambda: _UNARY[function](value))

    def binary(self, function: str, left: Known, right: Known) -> Known:
        if function == "multiply" and 0 in (left, right):
            return 0.0
        if left is None or right is None:
            return None
        return _tried(lambda: _BINARY[function](left, right))

    def reduce(self, function: str, value: Known, axes: Sequence[str]) -> Known:
        return value if function in ("mean", "maximum", "minimum", "max", "min") or not value else None

    def accumulate(self, value: Known, axis: str) -> Known:
        return value if value == 0 else None

    def compare(self, function: str, left: Known, right: Known) -> Known:
        return None if left is None or right is None else float(_COMPARISONS[function](left, right))

    def where(self, flag: Known, value: Known, other: Known) -> Known:
        return None if flag is None else value if flag else other


def _tried(compute: Callable[[], float]) -> Known:
    try:
        return float(compute())
    except (ArithmeticError, ValueError):
        return None
