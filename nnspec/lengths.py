"""Which lengths of open axes a network can be run at: every window must fit at least once."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache

from nnspec.axes import Size, Symbolic
from nnspec.graph import Graph

LONGEST = 4096
_FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "ceil": lambda value: Fraction(math.ceil(value)),
    "floor": lambda value: Fraction(math.floor(value)),
    "max": max,
    "min": min,
}


def shortest_length(graph: Graph) -> int:
    """The smallest length at which, given to every open axis, each axis of the network has a position."""
    sizes = {
        axis.size
        for node in graph.nodes
        for value in node.outputs
        for axis in value.axes
        if isinstance(axis.size, Symbolic)
    }
    length = 1
    while length < LONGEST and not all(length_at(size, length) >= 1 for size in sizes):
        length += max(1, length // 16)
    return length


def length_at(size: Size, length: int) -> Fraction:
    """What a size comes to where every symbol of the inputs is `length`; sizes such as `ceil((T - 2)/3)` are read as text."""
    if isinstance(size, int):
        return Fraction(size)
    result = size.coefficient
    for name, power in size.powers:
        result *= (Fraction(length) if name.isidentifier() else _evaluate(_parsed(name), length)) ** power
    return result


@cache
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.replace("·", "*").replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None


def _evaluate(node: ast.expr | None, length: int) -> Fraction:
    """Arithmetic alone; what is not that counts as an open axis itself."""
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate(left, length) + _evaluate(right, length)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _evaluate(left, length) - _evaluate(right, length)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _evaluate(left, length) * _evaluate(right, length)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            below = _evaluate(right, length)
            return _evaluate(left, length) / below if below else Fraction(length)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_evaluate(argument, length) for argument in arguments))
    return Fraction(length)
