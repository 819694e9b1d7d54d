"""The functions of formulas: elementwise functions, reductions over axes by name, comparisons as 1 or 0.

`compute` walks a tree with an algebra: that of axes (is it right, what does it give), of Keras or of ONNX.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial, reduce
from typing import Protocol, TypeVar

from nnspec.diagnostics import did_you_mean
from nnspec.layers.formulas.parse import COMPARISONS, Apply, FormulaError, Name, Number, Tree

UNARY = frozenset(
    (
        *("abs", "acos", "acosh", "asin", "asinh", "atan", "atanh", "ceil", "cos", "cosh", "erf", "exp", "expm1"),
        *("floor", "log", "log1p", "negative", "reciprocal", "relu", "round", "rsqrt", "sigmoid", "sign", "sin"),
        *("sinh", "softplus", "softsign", "sqrt", "square", "tan", "tanh"),
    )
)
BOUNDED = frozenset(
    ("acos", "acosh", "asin", "atanh", "divide", "log", "log1p", "power", "reciprocal", "rsqrt", "sqrt")
)
BINARY = frozenset(("add", "subtract", "multiply", "divide", "power"))
EXTREMES = {"max": "maximum", "min": "minimum"}  # over axes, or of several values
POSITIONS = frozenset(("argmax", "argmin"))  # of the extreme along one axis, from 0
MASKS_BY_HAND = frozenset((*COMPARISONS.values(), "where", "sign"))  # what tells padding from data
REDUCTIONS = frozenset(("mean", "sum", *EXTREMES, *POSITIONS))
FUNCTIONS = frozenset((*UNARY, *BINARY, *REDUCTIONS, "cumsum", *EXTREMES.values(), "clip", "gelu", "silu", "where"))

T = TypeVar("T")


class Algebra(Protocol[T]):
    """What a formula is computed with."""

    def number(self, value: float) -> T: ...
    def name(self, name: str) -> T: ...
    def unary(self, function: str, value: T) -> T: ...
    def binary(self, function: str, left: T, right: T) -> T: ...
    def reduce(self, function: str, value: T, axes: Sequence[str]) -> T: ...
    def accumulate(self, value: T, axis: str) -> T: ...
    def compare(self, function: str, left: T, right: T) -> T: ...
    def where(self, flag: T, value: T, other: T) -> T: ...


def compute(tree: Tree, algebra: Algebra[T], names: Collection[str]) -> T:
    """The formula's value.

    Args:
        names: of the values and weights; in `max(x, time)` any other name is an axis.

    Raises:
        FormulaError: for what formulas do not have.
    """
    if isinstance(tree, Number):
        return algebra.number(tree.value)
    if isinstance(tree, Name):
        return algebra.name(tree.text)
    function, given = tree.function, tree.arguments
    if function in COMPARISONS.values():
        return algebra.where(_flag(tree, algebra, names), algebra.number(1.0), algebra.number(0.0))
    if function in REDUCTIONS:
        axes = [part.text for part in given[1:] if isinstance(part, Name) and part.text not in names]
        if len(axes) > 1 and function in POSITIONS:
            raise FormulaError(f"`{function}` takes one axis: `{function}(x, {axes[0]})`")
        if axes and len(axes) == len(given) - 1:
            return algebra.reduce(function, compute(given[0], algebra, names), axes)
        if function not in EXTREMES or axes or len(given) < 2:
            several = " or several values" if function in EXTREMES else ""
            raise FormulaError(f"`{function}` takes a value and the names of axes{several}: `{function}(x, time)`")
    if function == "cumsum":
        if len(given) != 2 or not isinstance(given[1], Name) or given[1].text in names:
            raise FormulaError("`cumsum` takes a value and the name of one axis: `cumsum(x, time)`")
        return algebra.accumulate(compute(given[0], algebra, names), given[1].text)
    if function in EXTREMES or function in EXTREMES.values():
        _require(function, given, 2, None)
        values = [compute(part, algebra, names) for part in given]
        return reduce(partial(algebra.binary, EXTREMES.get(function, function)), values)
    if function in UNARY:
        _require(function, given, 1)
        return algebra.unary(function, compute(given[0], algebra, names))
    if function in BINARY:
        _require(function, given, 2)
        return algebra.binary(function, *(compute(part, algebra, names) for part in given))
    if function == "where":
        _require(function, given, 3)
        rest = [compute(part, algebra, names) for part in given[1:]]
        return algebra.where(_flag(given[0], algebra, names), *rest)
    if function in _WRITTEN_OUT:
        count, written = _WRITTEN_OUT[function]
        _require(function, given, count)
        return compute(written(*given), algebra, names)
    raise FormulaError(f"there is no function `{function}`{did_you_mean(function, FUNCTIONS)}")


def _flag(tree: Tree, algebra: Algebra[T], names: Collection[str]) -> T:
    """A condition: a comparison, or whether a value is not 0."""
    if isinstance(tree, Apply) and tree.function in COMPARISONS.values():
        _require(tree.function, tree.arguments, 2)
        return algebra.compare(tree.function, *(compute(part, algebra, names) for part in tree.arguments))
    return algebra.compare("not_equal", compute(tree, algebra, names), algebra.number(0.0))


def _clip(value: Tree, low: Tree, high: Tree) -> Tree:
    return Apply("minimum", (Apply("maximum", (value, low)), high))


def _gelu(value: Tree) -> Tree:
    """The exact one, as Keras has it with `approximate: false`."""
    spread = Apply("erf", (Apply("multiply", (value, Number(0.7071067811865476))),))
    return Apply("multiply", (Apply("multiply", (Number(0.5), value)), Apply("add", (Number(1.0), spread))))


def _silu(value: Tree) -> Tree:
    return Apply("multiply", (value, Apply("sigmoid", (value,))))


_WRITTEN_OUT: dict[str, tuple[int, Callable[..., Tree]]] = {
    "clip": (3, _clip),
    "gelu": (1, _gelu),
    "silu": (1, _silu),
}


def _require(function: str, given: Sequence[Tree], least: int, most: int | None = -1) -> None:
    most = least if most == -1 else most
    if len(given) < least or (most is not None and len(given) > most):
        wanted = f"{least}" if most == least else f"{least} or more"
        raise FormulaError(f"`{function}` takes {wanted} value{'s' if wanted != '1' else ''}, not {len(given)}")
