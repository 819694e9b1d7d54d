"""`$(expression)`: arithmetic over variables, with bounded cost and no access to Python.

The syntax is Python's, read by `ast` and evaluated here node by node: numbers, strings, lists, arithmetic, comparisons,
`a if c else b`, indexing, and the functions in `FUNCTIONS`. No attributes, no other calls, no comprehensions.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from nnspec.diagnostics import did_you_mean

if TYPE_CHECKING:
    from nnspec.document.types import Plain

MAX_SOURCE = 500
MAX_INTEGER = 2**63
MAX_EXPONENT = 64
MAX_LENGTH = 10_000


class ExpressionError(Exception):
    """The expression cannot be read or evaluated; the text says why. `unknown` holds a variable that does not exist."""

    def __init__(self, message: str, unknown: str | None = None) -> None:
        super().__init__(message)
        self.unknown = unknown


class BrokenVariableError(Exception):
    """The expression uses a variable whose own fault was reported already."""


class _Broken:
    """The value of such a variable."""


BROKEN = _Broken()
Scope: TypeAlias = "Mapping[str, Plain | _Broken]"


def _range(*bounds: int) -> list[int]:
    numbers = range(*bounds)
    if len(numbers) > MAX_LENGTH:
        raise ExpressionError(f"a range of {len(numbers)} numbers is longer than {MAX_LENGTH}")
    return list(numbers)


FUNCTIONS: dict[str, Callable[..., Plain]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
    "len": len,
    "range": _range,
    "int": int,
    "float": float,
}

_BINARY: dict[type[ast.operator], Callable[[Plain, Plain], Plain]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[..., bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}
_UNARY: dict[type[ast.unaryop], Callable[..., Plain]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


def evaluate(text: str, scope: Scope) -> Plain:
    """The value of an expression.

    Raises:
        ExpressionError: where it cannot be read, asks for something that is not allowed, or has no value.
    """
    if len(text) > MAX_SOURCE:
        raise ExpressionError(f"it is longer than {MAX_SOURCE} characters")
    if not text.strip():
        raise ExpressionError("the expression is empty")
    try:
        tree = _parse(text.strip())
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ExpressionError("not an arithmetic expression") from None
    try:
        return _value(tree, scope)
    except ExpressionError:
        raise
    except ZeroDivisionError:
        raise ExpressionError("division by zero") from None
    except (TypeError, ValueError, ArithmeticError, IndexError, KeyError, RecursionError) as error:
        raise ExpressionError(str(error) or type(error).__name__) from None


def _require_bounded(value: Plain) -> Plain:
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ExpressionError("the number is too large")
    if isinstance(value, complex) or (isinstance(value, float) and not math.isfinite(value)):
        raise ExpressionError("the result is not a real number")
    if isinstance(value, str | list) and _size(value) > MAX_LENGTH:
        raise ExpressionError(f"the result is longer than {MAX_LENGTH}")
    return value


def _size(value: Plain) -> int:
    """The characters of a text or the values within a list; of more than is allowed, just that it is more."""
    if not isinstance(value, list):
        return len(value) if isinstance(value, str) else 1
    total = len(value)
    for item in value:
        if total > MAX_LENGTH:
            break
        total += _size(item)
    return total


@lru_cache(maxsize=1024)
def _parse(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _value(node: ast.expr, scope: Scope) -> Plain:
    match node:
        case ast.Constant(value=(bool() | int() | float() | str() | None) as literal):
            return _require_bounded(literal)
        case ast.Name(id=name):
            if name in scope:
                value = scope[name]
                if isinstance(value, _Broken):
                    raise BrokenVariableError
                return value
            raise ExpressionError(f"unknown variable `{name}`{did_you_mean(name, scope)}", unknown=name)
        case ast.BinOp(op=op) if type(op) in _BINARY:
            return _binary(op, _value(node.left, scope), _value(node.right, scope))
        case ast.UnaryOp(op=op) if type(op) in _UNARY:
            operand = _value(node.operand, scope)
            if not isinstance(op, ast.Not):
                _require_numbers(_SIGNS[type(op)], operand)
            return _UNARY[type(op)](operand)
        case ast.BoolOp():
            result: Plain = isinstance(node.op, ast.And)
            for part in node.values:
                result = _value(part, scope)
                if bool(result) is isinstance(node.op, ast.Or):
                    break
            return result
        case ast.Compare():
            left = _value(node.left, scope)
            for comparison, other in zip(node.ops, node.comparators, strict=True):
                right = _value(other, scope)
                if type(comparison) not in _COMPARE:
                    raise ExpressionError("this comparison is not allowed")
                try:
                    holds = _COMPARE[type(comparison)](left, right)
                except TypeError:
                    raise ExpressionError(f"{_kind(left)} and {_kind(right)} cannot be compared") from None
                if not holds:
                    return False
                left = right
            return True
        case ast.IfExp():
            return _value(node.body if _value(node.test, scope) else node.orelse, scope)
        case ast.List() | ast.Tuple():
            return _require_bounded([_value(item, scope) for item in node.elts])
        case ast.Subscript(slice=ast.Slice()):
            raise ExpressionError("slices are not allowed")
        case ast.Subscript():
            return _item(_value(node.value, scope), _value(node.slice, scope))
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS and not node.keywords:
            return _require_bounded(FUNCTIONS[name](*(_value(argument, scope) for argument in node.args)))
        case ast.Call(func=ast.Name(id=name)):
            guess = did_you_mean(name, FUNCTIONS)
            raise ExpressionError(f"function `{name}` is not one of {', '.join(FUNCTIONS)}{guess}")
    raise ExpressionError("only arithmetic over variables is allowed")


_SIGNS: dict[type, str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.UAdd: "+",
    ast.USub: "-",
}


def _kind(value: Plain) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return f"the string `{value[:40]}`" if isinstance(value, str) else str(value)


def _require_numbers(sign: str, *operands: Plain) -> None:
    for operand in operands:
        if not isinstance(operand, int | float):
            raise ExpressionError(f"`{sign}` needs numbers, but got {_kind(operand)}")


def _item(value: Plain, index: Plain) -> Plain:
    if not isinstance(value, list | str) or not isinstance(index, int):
        raise ExpressionError(f"{_kind(value)} has no item {_kind(index)}")
    if not -len(value) <= index < len(value):
        raise ExpressionError(f"no item {index} in a list of {len(value)} (counted from 0)")
    return value[index]


def _binary(op: ast.operator, left: Plain, right: Plain) -> Plain:
    alike = isinstance(left, list | str) and type(left) is type(right)
    is_repeat = any(isinstance(a, list | str) and isinstance(b, int) for a, b in ((left, right), (right, left)))
    if not (isinstance(op, ast.Add) and alike) and not (isinstance(op, ast.Mult) and is_repeat):
        _require_numbers(_SIGNS[type(op)], left, right)
    if isinstance(op, ast.Pow) and isinstance(right, int | float) and abs(right) > MAX_EXPONENT:
        raise ExpressionError(f"the exponent is larger than {MAX_EXPONENT}")
    if isinstance(op, ast.Mult):
        for one, other in ((left, right), (right, left)):
            if isinstance(one, str | list) and isinstance(other, int) and len(one) * other > MAX_LENGTH:
                raise ExpressionError(f"the result is longer than {MAX_LENGTH}")
    return _require_bounded(_BINARY[type(op)](left, right))
