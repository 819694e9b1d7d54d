"""The lengths of open axes at which a network can run: every window fits, and every constraint holds."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache

from nnspec.ir.axes import Size, Symbolic
from nnspec.ir.graph import Graph

LONGEST = 4096
_MULTIPLE = 2**7 * 3**2 * 5 * 7 * 11 * 13  # of all strides that are thought of
_LONG = 1024  # more than windows take off an axis
_ROUND = 36  # multiples after which what sizes round off has come again
_FUNCTIONS: Mapping[str, Callable[..., Fraction]] = {
    "ceil": lambda value: Fraction(math.ceil(value)),
    "floor": lambda value: Fraction(math.floor(value)),
    "max": max,
    "min": min,
}
_DIVISIBLE = re.compile(r"(.+) % (\d+) == 0")
_ABOVE = re.compile(r"(.+) > (\d+)")
_EQUAL = re.compile(r"(.+) == (\d+)")
_RULES: tuple[tuple[re.Pattern[str], str, Callable[[Fraction, int], bool]], ...] = (
    (_DIVISIBLE, "a multiple of {}", lambda value, number: value % number == 0),
    (_EQUAL, "{}", lambda value, number: value == number),
    (_ABOVE, "more than {}", lambda value, number: value > number),
)


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
        is_enough = all(_evaluate(_parse(text), lengths) > least for text, least in above)
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


def broken_rule(constraints: Iterable[str], lengths: Mapping[str, int]) -> tuple[str, str] | None:
    """The first symbol whose length a network cannot have, and what it must be: `a multiple of 4`, `5`, `more than 2`.

    Args:
        constraints: of a graph.
        lengths: of some of its symbols; constraints on others are passed over.
    """
    for text in constraints:
        for form, word, holds in _RULES:
            found = form.fullmatch(text)
            if found is None:
                continue
            names = _names_of(found[1])
            is_known = bool(names) and names <= lengths.keys()
            if is_known and not holds(_evaluate(_parse(found[1]), lengths), int(found[2])):
                return min(names), word.format(found[2] if found[1] in names else f"{found[2]}, as {text}")
            break  # the other forms would take it for a rule of a longer expression
    return None


def multiples_of(constraints: Iterable[str]) -> dict[str, int]:
    """The symbols whose lengths must be multiples of a number, each with it."""
    found: dict[str, int] = {}
    for text in constraints:
        rule = _DIVISIBLE.fullmatch(text)
        if rule is not None and rule[1].isidentifier():
            found[rule[1]] = math.lcm(found.get(rule[1], 1), int(rule[2]))
    return found


def without_implied(constraints: Iterable[str]) -> tuple[str, ...]:
    """Constraints, each once; `H % 2 == 0` goes where `H % 8 == 0` must hold too."""
    kept = tuple(dict.fromkeys(constraints))
    rules = [(found[1], int(found[2])) for text in kept if (found := _DIVISIBLE.fullmatch(text))]

    def is_implied(text: str) -> bool:
        found = _DIVISIBLE.fullmatch(text)
        return found is not None and any(
            name == found[1] and step != int(found[2]) and step % int(found[2]) == 0 for name, step in rules
        )

    return tuple(text for text in kept if not is_implied(text))


def equal_at_multiples(first: Size, second: Size) -> tuple[str, int] | None:
    """The symbol of which two sizes are made, and the least number at whose multiples they are equal: `H` and
    `2·ceil((H - 1)/2)` are at those of 2. None where there is no such number; 1 where they are always equal.

    Sizes round down or up by the strides of a network, so that they are straight lines over the multiples of these.
    """
    names = _names_in(first) | _names_in(second)
    if len(names) != 1:
        return None
    (name,) = names

    def agree(step: int, count: int) -> bool:
        start = -(-_LONG // step)
        lengths = ({name: step * factor} for factor in range(start, start + count))
        return all(size_at(first, length) == size_at(second, length) for length in lengths)

    if not agree(_MULTIPLE, 3):
        return None
    steps = (step for step in range(1, LONGEST) if _MULTIPLE % step == 0)
    found = next((step for step in steps if agree(step, 3) and agree(step, _ROUND)), None)
    return None if found is None else (name, found)


def _names_in(size: Size) -> set[str]:
    """The symbols that a size is computed from."""
    return {name for text in _symbols(size) for name in _names_of(text)}


def _names_of(text: str) -> set[str]:
    tree = _parse(text)
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name)) if tree is not None else (text,)
    return {name for name in names if name not in _FUNCTIONS}


def _symbols(size: Size) -> list[str]:
    return [name for name, _ in size.powers] if isinstance(size, Symbolic) else []


def size_at(size: Size, lengths: Mapping[str, int]) -> Fraction:
    """What a size comes to with these lengths; one such as `ceil((T - 2)/3)` is read as arithmetic."""
    if isinstance(size, int):
        return Fraction(size)
    result = size.coefficient
    for name, power in size.powers:
        known = lengths.get(name)
        value = Fraction(known) if known is not None else _evaluate(_parse(name), lengths)
        result *= value**power
    return result


@cache
def _parse(text: str) -> ast.expr | None:
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
