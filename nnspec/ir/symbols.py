"""The lengths of open axes at which a network can run: every window fits, and every constraint holds."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache

from nnspec.ir.axes import Size, Symbolic
from nnspec.ir.graph import Graph

LONGEST = 4096
_FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "ceil": lambda value: Fraction(math.ceil(value)),
    "floor": lambda value: Fraction(math.floor(value)),
    "max": max,
    "min": min,
}
_DIVISIBLE = re.compile(r"(.+) % (\d+) == 0")
_ABOVE = re.compile(r"(.+) > (\d+)")
_EQUAL = re.compile(r"(.+) == (\d+)")


def lengths_of(graph: Graph, wanted: int) -> dict[str, int]:
    """A length for every symbol of the inputs: `wanted`, or the next longer one at which the network can be run."""
    symbols = {name for value in graph.inputs.values() for axis in value.axes for name in _symbols(axis.size)}
    fixed = {}
    above: list[tuple[str, int]] = []
    step = 1
    for constraint in graph.constraints:
        if found := _DIVISIBLE.fullmatch(constraint):
            step = math.lcm(step, int(found[2]))
        elif found := _EQUAL.fullmatch(constraint):
            fixed[found[1]] = int(found[2])
        elif found := _ABOVE.fullmatch(constraint):
            above.append((found[1], int(found[2])))
    sizes = {axis.size for node in graph.nodes for value in node.outputs for axis in value.axes}
    open_sizes = [size for size in sizes if isinstance(size, Symbolic)]
    length = -(-wanted // step) * step
    while length < LONGEST:
        lengths = {name: fixed.get(name, length) for name in symbols}
        is_enough = all(_evaluate(_parsed(text), lengths) > least for text, least in above)
        if is_enough and all(size_at(size, lengths) >= 1 for size in open_sizes):
            break
        length += step * max(1, length // (16 * step))
    return {name: fixed.get(name, length) for name in symbols}


def unlike_lengths(graph: Graph, wanted: int) -> dict[str, int]:
    """A length for every symbol of the inputs, no two alike where the network can be run so.

    Two open axes of one length may be taken for each other, and nothing shows it.
    """
    alike = lengths_of(graph, wanted)
    if wanted == 1 or len(alike) < 2:
        return alike
    unlike = {name: lengths_of(graph, wanted + 3 * place)[name] for place, name in enumerate(sorted(alike))}
    sizes = [size_at(axis.size, unlike) for node in graph.nodes for value in node.outputs for axis in value.axes]
    can_run = all(size >= 1 and size.denominator == 1 for size in sizes)
    bound = any(sum(name in constraint for name in alike) > 1 for constraint in graph.constraints)
    return unlike if can_run and not bound else alike


def _symbols(size: Size) -> list[str]:
    return [name for name, _ in size.powers] if isinstance(size, Symbolic) else []


def size_at(size: Size, lengths: Mapping[str, int]) -> Fraction:
    """What a size comes to with these lengths; one such as `ceil((T - 2)/3)` is read as arithmetic."""
    if isinstance(size, int):
        return Fraction(size)
    result = size.coefficient
    for name, power in size.powers:
        known = lengths.get(name)
        value = Fraction(known) if known is not None else _evaluate(_parsed(name), lengths)
        result *= value**power
    return result


@cache
def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.replace("·", "*").replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        return None


def _evaluate(node: ast.expr | None, lengths: Mapping[str, int]) -> Fraction:
    """Arithmetic over symbols, and nothing else; a symbol that is not known, or what is no arithmetic, counts as 1."""
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.Name(id=name):
            return Fraction(lengths.get(name, 1))
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate(left, lengths) + _evaluate(right, lengths)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return _evaluate(left, lengths) - _evaluate(right, lengths)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _evaluate(left, lengths) * _evaluate(right, lengths)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            below = _evaluate(right, lengths)
            return _evaluate(left, lengths) / below if below else Fraction(1)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_evaluate(argument, lengths) for argument in arguments))
    return Fraction(1)
