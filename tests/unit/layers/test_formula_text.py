"""The text of formulas: what is read, how strongly it binds, and that no text is read that is none or costs much."""

from __future__ import annotations

import random
import time

import pytest

from nnspec.layers.formulas.algebra import compute
from nnspec.layers.formulas.parse import FormulaError, parse


class Numbers:
    """The algebra of plain numbers."""

    def __init__(self, **values: float) -> None:
        self.values = values

    def number(self, value: float) -> float:
        return value

    def name(self, name: str) -> float:
        return self.values[name]

    def unary(self, function: str, value: float) -> float:
        return {"negative": -value, "abs": abs(value)}[function]

    def binary(self, function: str, left: float, right: float) -> float:
        operators = {
            "add": lambda: left + right,
            "subtract": lambda: left - right,
            "multiply": lambda: left * right,
            "divide": lambda: left / right,
            "power": lambda: left**right,
            "maximum": lambda: max(left, right),
            "minimum": lambda: min(left, right),
        }
        return operators[function]()

    def compare(self, function: str, left: float, right: float) -> float:
        return {"less": left < right, "greater_equal": left >= right, "not_equal": left != right}[function]

    def where(self, flag: float, value: float, other: float) -> float:
        return value if flag else other

    def reduce(self, function: str, value: float, axes: object) -> float:
        raise AssertionError


@pytest.mark.parametrize(
    "text",
    [
        "1 + 2 * 3 - 4 / 8",
        "2 ** 3 ** 2",
        "-2 ** 2",
        "2 ** -1",
        "(1 + 2) * (3 - 4)",
        "1 - 2 - 3",
        "8 / 4 / 2",
        "-(-(3))",
        "+a - -b",
        "1e-3 + .5 + 2.",
        "max(a, b, 2) - min(a, b)",
        "(a < b) * 2",
        "(a >= b) + 1",
        "abs(b - a * 2) ** 0.5",
    ],
)
def test_formulas_mean_what_python_means(text: str) -> None:
    values = {"a": 3.0, "b": 0.25}
    assert compute(parse(text), Numbers(**values), values) == pytest.approx(float(eval(text, {}, values)))


def test_a_condition_chooses() -> None:
    assert compute(parse("where(a, 1, 2) + where(a < 2, 10, 20)"), Numbers(a=0.0), ["a"]) == 12


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "empty"),
        ("a +", "ends where a value"),
        ("a b", "`b` appears where"),
        ("a.b", "`.` in"),
        ("a[0]", "`[` in"),
        ("'a'", "is not allowed"),
        ("a if b", "`if` appears where"),
        ("f(", "ends where"),
        ("f()", "`)` appears where"),
        ("(a", "expected `)`, but found the end"),
        ("a < b < c", "cannot be chained"),
        ("lambda: 1", "is not allowed"),
        ("1x", "is not allowed"),
        ("1e999", "too large"),
        ("a" * 3000, "longer than"),
        ("+".join("a" * 500), "more than 400 parts"),
        ("(" * 100 + "a" + ")" * 100, "nested more than"),
        ("-" * 300 + "a", "nested more than"),
        ("a**" * 100 + "a", "nested more than"),
        ("log(a, a)", "takes 1 value, not 2"),
        ("where(a, a)", "takes 3 values, not 2"),
        ("mean(a)", "takes a value and the names of axes"),
        ("sum(a, a)", "takes a value and the names of axes"),
        ("relue(a)", "did you mean `relu`"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, part: str) -> None:
    with pytest.raises(FormulaError) as refused:
        compute(parse(text), Numbers(a=1.0, b=2.0, c=3.0), ["a", "b", "c"])
    assert part in str(refused.value)


def test_no_text_takes_long_or_ends_otherwise() -> None:
    rng = random.Random(7)
    parts = [
        "a",
        "b",
        "1",
        ".",
        "(",
        ")",
        "**",
        "-",
        "+",
        "*",
        "/",
        "<",
        "==",
        ",",
        "max(",
        "where(",
        " ",
        "\n",
        "é",
        "0x",
        "e5",
    ]
    started = time.perf_counter()
    for _ in range(3000):
        text = "".join(rng.choices(parts, k=rng.randint(1, 60)))
        try:
            parse(text)
        except FormulaError:
            continue
    assert time.perf_counter() - started < 5
