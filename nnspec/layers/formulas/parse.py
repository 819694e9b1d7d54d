"""The text of a formula as a tree: numbers, names, `+ - * / **`, comparisons, and calls of functions; nothing else.

Bounded in length, parts and depth, so that no text costs more than a moment. What functions there are `algebra` says.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from nnspec.lazy import dataclass

MAX_CHARACTERS = 2000
MAX_PARTS = 400
MAX_DEPTH = 40

COMPARISONS = {
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "==": "equal",
    "!=": "not_equal",
}
_SUMS = {"+": "add", "-": "subtract"}
_PRODUCTS = {"*": "multiply", "/": "divide"}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/<>(),]))",
    re.ASCII,
)


class FormulaError(Exception):
    """The formula cannot be read or computed; the text says why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Name:
    text: str


@dataclass(frozen=True, slots=True)
class Apply:
    """A function, or the operator of that meaning, with what it is given."""

    function: str
    arguments: tuple[Tree, ...]


Tree = Number | Name | Apply


@lru_cache(maxsize=256)
def parse(text: str) -> Tree:
    """The formula's tree.

    Raises:
        FormulaError: where it is none, or too large.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"it is longer than {MAX_CHARACTERS} characters")
    reader = _Reader(_tokens(text))
    tree = reader.comparison(0)
    if reader.position < len(reader.tokens):
        raise FormulaError(f"`{reader.tokens[reader.position]}` appears where an operator or the end is expected")
    return tree


def names_in(tree: Tree) -> frozenset[str]:
    """Every name in it, of values, weights and axes alike."""
    if isinstance(tree, Name):
        return frozenset((tree.text,))
    if isinstance(tree, Apply):
        return frozenset().union(*(names_in(part) for part in tree.arguments))
    return frozenset()


def functions_in(tree: Tree) -> frozenset[str]:
    """Every function in it, operators under the names of theirs."""
    if not isinstance(tree, Apply):
        return frozenset()
    return frozenset((tree.function,)).union(*(functions_in(part) for part in tree.arguments))


def numbers_in(tree: Tree) -> frozenset[float]:
    """Every number in it, one with a minus in front of it as it is meant."""
    if isinstance(tree, Number):
        return frozenset((tree.value,))
    if isinstance(tree, Name):
        return frozenset()
    first, *_ = tree.arguments
    if tree.function == "negative" and isinstance(first, Number):
        return frozenset((-first.value,))
    return frozenset().union(*(numbers_in(part) for part in tree.arguments))


def _tokens(text: str) -> list[str]:
    result: list[str] = []
    place = 0
    end = len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            raise FormulaError(f"`{rest[:1]}` in `{rest[:20]}` is not allowed in a formula")
        result.append(match[0].strip())
        place = match.end()
    if len(result) > MAX_PARTS:
        raise FormulaError(f"it has more than {MAX_PARTS} parts")
    return result


class _Reader:
    """Reads tokens from left to right, a method for each strength of binding."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.position = 0

    def comparison(self, depth: int) -> Tree:
        left = self.sum(depth)
        sign = self.taken(COMPARISONS)
        if sign is None:
            return left
        compared = Apply(COMPARISONS[sign], (left, self.sum(depth)))
        if self.taken(COMPARISONS) is not None:
            raise FormulaError("comparisons cannot be chained; join two with `*`")
        return compared

    def sum(self, depth: int) -> Tree:
        left = self.product(depth)
        while (sign := self.taken(_SUMS)) is not None:
            left = Apply(_SUMS[sign], (left, self.product(depth)))
        return left

    def product(self, depth: int) -> Tree:
        left = self.signed(depth)
        while (sign := self.taken(_PRODUCTS)) is not None:
            left = Apply(_PRODUCTS[sign], (left, self.signed(depth)))
        return left

    def signed(self, depth: int) -> Tree:
        if depth > MAX_DEPTH:
            raise FormulaError(f"it is nested more than {MAX_DEPTH} deep")
        sign = self.taken(_SUMS)
        if sign is None:
            return self.power(depth)
        operand = self.signed(depth + 1)
        if sign == "+":
            return operand
        return Number(-operand.value) if isinstance(operand, Number) else Apply("negative", (operand,))

    def power(self, depth: int) -> Tree:
        base = self.atom(depth)
        if self.taken({"**": ""}) is None:
            return base
        return Apply("power", (base, self.signed(depth + 1)))

    def atom(self, depth: int) -> Tree:
        if self.position >= len(self.tokens):
            raise FormulaError("it ends where a value is expected" if self.tokens else "it is empty")
        token = self.tokens[self.position]
        self.position += 1
        if token == "(":
            inner = self.comparison(depth + 1)
            self.expect(")")
            return inner
        if token[0].isdigit() or token[0] == ".":
            value = float(token)
            if not math.isfinite(value):
                raise FormulaError(f"the number `{token[:20]}` is too large")
            return Number(value)
        if token[0].isalpha() or token[0] == "_":
            return self.call(token, depth) if self.taken({"(": ""}) is not None else Name(token)
        raise FormulaError(f"`{token}` appears where a value is expected")

    def call(self, function: str, depth: int) -> Tree:
        arguments = [self.comparison(depth + 1)]
        while self.taken({",": ""}) is not None:
            arguments.append(self.comparison(depth + 1))
        self.expect(")")
        return Apply(function, tuple(arguments))

    def taken(self, signs: dict[str, str]) -> str | None:
        """The next token, passed over, where it is one of these."""
        if self.position < len(self.tokens) and self.tokens[self.position] in signs:
            self.position += 1
            return self.tokens[self.position - 1]
        return None

    def expect(self, sign: str) -> None:
        if self.taken({sign: ""}) is None:
            found = f"`{self.tokens[self.position]}`" if self.position < len(self.tokens) else "the end"
            raise FormulaError(f"expected `{sign}`, but found {found}")
