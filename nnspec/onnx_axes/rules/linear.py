"""Sums of products: matrix products, and what `Einsum` says of itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from nnspec.ir.axes import Axis, multiply
from nnspec.onnx_axes.call import Call, Rule
from nnspec.onnx_axes.faults import Confusion, Meeting
from nnspec.onnx_axes.rules.elementwise import broadcast_axes
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor, are_merged_otherwise, conflict, is_nameless, join, root_of


def matmul(call: Call) -> Sequence[Tensor]:
    left, right = call[0], call[1] if call.node.op != "QLinearMatMul" else call[3]
    if left.axes is None or right.axes is None or not left.axes or not right.axes:
        return [UNKNOWN]
    rows, columns = left.axes[:-1], right.axes[-1:] if len(right.axes) > 1 else ()
    _meet(call, left, left.axes[-1], right, right.axes[-2] if len(right.axes) > 1 else right.axes[-1])
    batch = broadcast_axes(
        call,
        [
            Tensor(axes=rows[:-1], is_constant=left.is_constant),
            Tensor(axes=right.axes[:-2], is_constant=right.is_constant),
        ],
    )
    made = [*_outer(call, left, rows[-1:], "row"), *_outer(call, right, columns, "unit")]
    return [call.tensor([*(batch or ()), *made])]


def gemm(call: Call) -> Sequence[Tensor]:
    left, right = call[0], call[1]
    if left.axes is None or right.axes is None or len(left.axes) != 2 or len(right.axes) != 2:
        return [UNKNOWN]
    row, inner = left.axes[::-1] if call.integer("transA", 0) else left.axes
    other, column = right.axes[::-1] if call.integer("transB", 0) else right.axes
    _meet(call, left, inner, right, other)
    return [call.tensor([*_outer(call, left, (row,), "row"), *_outer(call, right, (column,), "unit")])]


def _outer(call: Call, operand: Tensor, axes: Sequence[Axis], name: str) -> list[Axis]:
    """An axis of a product that comes from one operand: of weights, it is learned."""
    is_weight = operand.is_constant and not call.is_constant
    return [call.units(axis.size, name) if is_weight else axis for axis in axes]


def _meet(call: Call, left: Tensor, inner: Axis, right: Tensor, other: Axis) -> None:
    """Reports where products are summed over two axes that are not one.

    A matrix of nameless axes that is multiplied by itself is squared, as paths of two steps in a graph are counted.
    """
    is_square = left is right and is_nameless(inner) and is_nameless(other)
    if left.is_constant or right.is_constant or is_square:
        return
    different = conflict([inner, other])
    if different is None and (_are_crossed(left, inner, right, other) or are_merged_otherwise(inner, other)):
        different = inner, other
    if different is not None:
        call.report(Confusion(how=Meeting.SUM, first=different[0], second=different[1]))


def _are_crossed(left: Tensor, inner: Axis, right: Tensor, other: Axis) -> bool:
    """Whether each operand has, beside the axis that is summed over, that of the other one: a transpose is missing.

    Not of units alone, such as a square matrix that a network makes and multiplies by itself.
    """
    is_data = any(atom.origin is not None for axis in (inner, other) for atom in axis.atoms)
    if not is_data or inner.atoms == other.atoms or (root_of(inner) == root_of(other) and root_of(inner) is not None):
        return False
    return _has_another(left, inner, other) and _has_another(right, other, inner)


def _has_another(operand: Tensor, own: Axis, wanted: Axis) -> bool:
    return any(axis is not own and axis.atoms == wanted.atoms for axis in operand.axes or ())


def einsum(call: Call) -> Sequence[Tensor]:
    """`Einsum`: letters that stand for one axis meet."""
    terms, right = _read_equation(call.text("equation"))
    if len(terms) != len(call.operands):
        return [UNKNOWN]
    meeting: dict[str, list[tuple[Axis, bool]]] = {}
    for term, operand in zip(terms, call.operands, strict=True):
        letters = None if operand.axes is None else _spell_out(term, len(operand.axes))
        if operand.axes is None or letters is None:
            return [UNKNOWN]
        for letter, axis in zip(letters, operand.axes, strict=True):
            meeting.setdefault(letter, []).append((axis, operand.is_constant))
    dots = sorted((letter for letter in meeting if letter.startswith(_DOTS)), key=_place, reverse=True)
    wanted = [letter for part in right for letter in (dots if part == _DOTS else [part])]
    found: dict[str, Axis] = {}
    for letter, given in meeting.items():
        axis, different = join(given)
        if different is not None:
            how = Meeting.ELEMENTWISE if letter in wanted else Meeting.SUM
            call.report(Confusion(how=how, first=different[0], second=different[1]))
        is_weight = all(constant for _, constant in given) and not call.is_constant
        found[letter] = call.units(axis.size, f"unit {letter}") if is_weight else axis
    if any(letter not in found for letter in wanted):
        return [UNKNOWN]
    return [call.tensor([found[letter] for letter in wanted])]


_DOTS = "..."


def _read_equation(equation: str) -> tuple[list[list[str]], list[str]]:
    """The letters of each term and of the result, an ellipsis as one.

    Where no result is written, it has the ellipsis and then each letter that comes once, in their order.
    """
    left, arrow, right = re.sub(r"\s", "", equation).partition("->")
    terms = [re.findall(r"\.\.\.|\w", term) for term in left.split(",")]
    if arrow:
        return terms, re.findall(r"\.\.\.|\w", right)
    count = Counter(letter for term in terms for letter in term)
    once = sorted(letter for letter, times in count.items() if times == 1 and letter != _DOTS)
    return terms, [*([_DOTS] if _DOTS in count else []), *once]


def _spell_out(term: Sequence[str], rank: int) -> list[str] | None:
    """A letter for each axis, those of an ellipsis counted from its end; None where there are others than so many."""
    if _DOTS not in term:
        return list(term) if len(term) == rank else None
    at, open_axes = term.index(_DOTS), rank - len(term) + 1
    dots = [f"{_DOTS}{i}" for i in reversed(range(open_axes))]
    return [*term[:at], *dots, *term[at + 1 :]] if open_axes >= 0 else None


def _place(letter: str) -> int:
    return int(letter.removeprefix(_DOTS))


def attend(call: Call) -> Sequence[Tensor]:
    """`Attention`: places of the queries, features of the values; heads are an axis, or lie in the last one."""
    count, query, value = len(call.node.outputs), call[0].axes, call[2].axes
    if query is None or value is None or len(query) != len(value) or len(query) not in (3, 4):
        return [UNKNOWN] * count
    groups, rest = divmod(call.integer("q_num_heads", 1), max(call.integer("kv_num_heads", 1), 1))
    last = value[-1] if len(query) == 4 or (groups, rest) == (1, 0) else call.units(multiply((value[-1].size, groups)))
    return [call.tensor([*query[:-1], last]), *[UNKNOWN] * (count - 1)]


RULES: dict[str, Rule] = {
    "Attention": attend,
    "Einsum": einsum,
    "Gemm": gemm,
    "MatMul": matmul,
    "MatMulInteger": matmul,
    "QLinearMatMul": matmul,
    "com.microsoft.FusedMatMul": lambda call: [UNKNOWN],
}
