"""`$(expression)`: arithmetic, bounded cost, and no way out."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnspec.diagnostics import Report, Source, Span
from nnspec.document import Mapping, Scalar, parse, to_plain
from nnspec.expansion.expressions import FUNCTIONS, ExpressionError, evaluate
from nnspec.expansion.substitute import Substituter, resolve_vars

SCOPE = {"a": 3, "b": 2.5, "name": "conv", "sizes": [2, 4, 8], "flag": True, "nothing": None}


def outcome(text: str) -> tuple[object, str]:
    """The value of an expression, or why it is refused."""
    try:
        return evaluate(text, SCOPE), ""
    except ExpressionError as error:
        return None, str(error)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", 3),
        ("2 * a + 1", 7),
        ("-a", -3),
        ("+b", 2.5),
        ("a / 2", 1.5),
        ("a // 2", 1),
        ("a % 2", 1),
        ("2 ** a", 8),
        ("(a + 1) * 2", 8),
        ("a > 2", True),
        ("1 < a <= 3", True),
        ("1 < a < 3", False),
        ("a == 3 and not flag", False),
        ("a != 3 or flag", True),
        ("nothing or a", 3),
        ("4 in sizes", True),
        ("5 not in sizes", True),
        ("a if flag else b", 3),
        ("sizes[1]", 4),
        ("sizes[-1]", 8),
        ("[a, a + 1]", [3, 4]),
        ("(1, 2)", [1, 2]),
        ("sizes + [16]", [2, 4, 8, 16]),
        ("sizes * 2", [2, 4, 8, 2, 4, 8]),
        ("name + '_1'", "conv_1"),
        ("min(a, 2)", 2),
        ("max(sizes)", 8),
        ("abs(-a)", 3),
        ("round(b)", 2),
        ("len(sizes)", 3),
        ("range(a)", [0, 1, 2]),
        ("range(1, 6, 2)", [1, 3, 5]),
        ("int(b)", 2),
        ("float(a)", 3.0),
        ("int('7')", 7),
        ("None", None),
        ("True", True),
    ],
)
def test_values(text: str, value: object) -> None:
    found = evaluate(text, SCOPE)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("c", "unknown variable `c`"),
        ("siezs", "did you mean `sizes`?"),
        ("a +", "not an arithmetic expression"),
        ("a b", "not an arithmetic expression"),
        ("", "the expression is empty"),
        ("x = 3", "not an arithmetic expression"),
        ("import os", "not an arithmetic expression"),
        ("a / 0", "division by zero"),
        ("a % 0", "division by zero"),
        ("a.real", "only arithmetic"),
        ("().__class__", "only arithmetic"),
        ("[x for x in sizes]", "only arithmetic"),
        ("lambda: 1", "only arithmetic"),
        ("{1: 2}", "only arithmetic"),
        ("{1, 2}", "only arithmetic"),
        ("f'{a}'", "only arithmetic"),
        ("(y := 3)", "only arithmetic"),
        ("b'a'", "only arithmetic"),
        ("1j", "only arithmetic"),
        ("a @ a", "only arithmetic"),
        ("a | 1", "only arithmetic"),
        ("~a", "only arithmetic"),
        ("a is b", "comparison is not allowed"),
        ("__import__('os')", "is not one of"),
        ("open('x')", "is not one of"),
        ("eval('1')", "is not one of"),
        ("min(sizes, key=abs)", "is not one of"),
        ("min(*sizes)", "only arithmetic"),
        ("sizes[0:2]", "slices are not allowed"),
        ("sizes[7]", "no item 7 in a list of"),
        ("sizes['a']", "has no item"),
        ("a[0]", "3 has no item 0"),
        ("name % a", "`%` needs numbers, but got the string `conv`"),
        ("'%s' % a", "needs numbers"),
        ("name - 1", "`-` needs numbers"),
        ("-name", "`-` needs numbers"),
        ("nothing + 1", "got null"),
        ("sizes + a", "got a list"),
        ("name < a", "cannot be compared"),
        ("a in 3", "cannot be compared"),
        ("2 ** 65", "larger than 64"),
        ("(-8) ** 0.5", "not a real number"),
        ("10 ** 64 * 10 ** 64", "too large"),
        ("1e308 * 10", "not a real number"),
        ("'a' * 100000", "longer than"),
        ("sizes * 100000", "longer than"),
        ("range(10 ** 9)", "longer than"),
        ("range(1, 5, 0)", "arg 3 must not be zero"),
        ("int('x')", "invalid literal"),
        ("1 + " * 200 + "1", "longer than 500"),
        ("9" * 400, "too large"),
        ("-" * 400 + "1", ""),
        ("(" * 200 + "1" + ")" * 200, ""),
    ],
)
def test_refused(text: str, reason: str) -> None:
    _, refusal = outcome(text)
    assert reason in refusal
    assert refusal or not reason


def test_cost_is_bounded() -> None:
    started = time.monotonic()
    for text in ("2 ** 64 ** 64", "9 ** 9 ** 9", "'a' * 9999 * 9999", "range(10 ** 18)", "[[1] * 9999] * 9999"):
        outcome(text)
    assert time.monotonic() - started < 1


ATOMS = st.sampled_from([*SCOPE, *FUNCTIONS, "0", "1", "2.5", "'x'", "[]", "None", "__class__", "os"])
SYMBOLS = st.sampled_from([*"+-*/%()[],.<>=:!&|^~@", "**", "//", " if ", " else ", " in ", " not ", " and ", " "])


@settings(max_examples=2000, deadline=None)
@given(st.one_of(st.text(max_size=20), st.lists(st.one_of(ATOMS, SYMBOLS), max_size=14).map("".join)))
def test_nothing_but_an_expression_error(text: str) -> None:
    value, refusal = outcome(text)
    assert refusal or value is None or isinstance(value, bool | int | float | str | list)


# ------------------------------------------------------------------------------------------------- in documents


def substituted(text: str) -> tuple[object, list[str]]:
    report = Report()
    node = parse(Source("spec.yaml", f"value: {text}"))
    assert isinstance(node, Mapping)
    return to_plain(Substituter(report).node(node.entries["value"], SCOPE)), [d.code for d in report]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$a", 3),
        ("$(a + 1)", 4),
        ("$sizes", [2, 4, 8]),
        ('"$a"', 3),
        ("conv_$a", "conv_3"),
        ("$(a)x$(a)", "3x3"),
        ("conv_$(a + 1)_$name", "conv_4_conv"),
        ("$$a", "$a"),
        ("cost_$$", "cost_$"),
        ('"\\0$$\\0_$a"', "\0$\0_3"),
        ("[$a, {k: $b}]", [3, {"k": 2.5}]),
        ("plain", "plain"),
        ("'100$'", "100$"),
    ],
)
def test_substitution(text: str, value: object) -> None:
    assert substituted(text) == (value, [])


def test_substitution_reports() -> None:
    assert substituted("$missing") == (None, ["NN110"])
    assert substituted("[$missing, $(1 / 0), $a]") == ([None, None, 3], ["NN110", "NN111"])


def variables(text: str) -> tuple[dict[str, object], list[str]]:
    report = Report()
    return resolve_vars(parse(Source("spec.yaml", text)), report), [d.code for d in report]


def test_variables_may_use_others_in_any_order() -> None:
    assert variables("{c: $(a + b), a: 1, b: $(a * 2), d: [$a, $b]}") == ({"c": 3, "a": 1, "b": 2, "d": [1, 2]}, [])


def test_a_ring_is_said_once() -> None:
    assert variables("{a: $b, b: $c, c: $a, d: $(a + 1)}")[1] == ["NN111"]
    assert variables("{a: $(a + 1)}")[1] == ["NN111"]


def test_a_fault_is_said_once() -> None:
    assert variables("{a: $(1 / 0), b: $(a + 1), c: $b}")[1] == ["NN111"]
    assert variables("{a: $missing, b: $(a + 1)}")[1] == ["NN110"]


def test_a_long_chain_is_refused() -> None:
    text = "{" + ", ".join(f"v{i}: $(v{i + 1} + 1)" for i in range(3000)) + ", v3000: 0}"
    assert set(variables(text)[1]) == {"NN111"}
    short = "{" + ", ".join(f"v{i}: $(v{i + 1} + 1)" for i in range(40)) + ", v40: 0}"
    assert variables(short)[0]["v0"] == 40


def test_values_keep_their_place() -> None:
    node = parse(Source("spec.yaml", "a: $(2 * 3)"))
    assert isinstance(node, Mapping)
    value = Substituter(Report()).node(node.entries["a"], {}, ("repeat: d = 2",))
    assert isinstance(value, Scalar)
    assert value.value == 6
    assert value.span == Span.between(
        value.span.source, line=1, column=4, end_line=1, end_column=12, trail=("repeat: d = 2",)
    )
