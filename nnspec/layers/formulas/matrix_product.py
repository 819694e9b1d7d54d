"""`@` in a formula: axes have names here, so that a product of matrices is an `einsum` which says them.

`a @ x` means what it does in NumPy: the last axis of `a` and the last but one of `x` are summed over, whatever they are
called. A formula would join them by their names; so the names are put right first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from nnspec.diagnostics import Applicability, Edit, Fix
from nnspec.document import Mapping as MappingNode
from nnspec.document import Scalar
from nnspec.ir.axes import Size
from nnspec.layers.kit.call import Call
from nnspec.layers.kit.edits import list_prefix
from nnspec.lazy import dataclass

_CHAIN = re.compile(r"\s*[A-Za-z_]\w*(?:\s*@\s*[A-Za-z_]\w*)+\s*", re.ASCII)
_KEPT = frozenset({"expression", "values", "weights", "from", "name"})  # what the layers in its place say too


@dataclass(frozen=True)
class Operand:
    """A factor of the product: the name by which layers read it, and its axes."""

    name: str
    axes: tuple[tuple[str, Size], ...]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.axes]


def refuse_matrix_product(call: Call, names: Sequence[str], arg: str) -> None:
    """NN368 for a formula with `@`, with the layers that compute it.

    Raises:
        Fault: where there is one.
    """
    text = str(call.args["expression"])
    if "@" not in text:
        return
    operands = _operands(call, names) if _CHAIN.fullmatch(text) else None
    message = f"the formula `{text[:60]}` multiplies matrices: formulas join values by the names of their axes"
    advice = "multiply with `einsum`, which sums over the axes that `axes` leaves out: `nnspec explain einsum`"
    fixes, notes = [Fix(advice)], list[str]()
    if operands is not None:
        clash = next((why for why in _mismatches(operands)), None)
        if clash is not None:
            notes = [clash]
        else:
            fixes = [_fix(call, operands)]
    call.fail("NN368", message, arg, notes=notes, fixes=fixes, about=[value.node for value in call.inputs])


def _operands(call: Call, names: Sequence[str]) -> list[Operand] | None:
    """The factors from left to right; None where a name is unknown, or has no axes."""
    values = {
        name: Operand(
            value.node if value.port == "output" else f"{value.node}.{value.port}",
            tuple((axis.name, axis.size) for axis in value.axes),
        )
        for name, value in zip(names, call.inputs, strict=True)
    }
    weights: Mapping[str, Mapping[str, Mapping[str, int | None]]] = call.args["weights"] or {}
    known = {name: size for value in values.values() for name, size in value.axes}
    for name, body in weights.items():
        sizes = {axis: known.get(axis) if size is None else size for axis, size in body["axes"].items()}
        if None in sizes.values():
            return None
        values.setdefault(name, Operand(name, tuple((axis, size) for axis, size in sizes.items() if size is not None)))
    factors = [values.get(part.strip()) for part in str(call.args["expression"]).split("@")]
    found = [factor for factor in factors if factor is not None]
    return found if len(found) == len(factors) and all(one.axes for one in found) else None


def _mismatches(operands: Sequence[Operand]) -> Iterator[str]:
    """Why NumPy would not multiply them either, or meets axes in front whose names differ."""
    left = operands[0]
    for right in operands[1:]:
        (mine, size), (theirs, other) = left.axes[-1], right.axes[max(0, len(right.axes) - 2)]
        if size != other:
            yield (
                f"`@` sums over the last axis of its left side, `{mine}` of size {size}, and the last but one of its "
                f"right side, `{theirs}` of size {other}: their sizes differ"
            )
            return
        one, two = left.names[:-2], right.names[:-2]
        shorter = min(len(one), len(two))
        if one[len(one) - shorter :] != two[len(two) - shorter :]:
            yield f"the axes before the matrices differ: ({', '.join(one)}) and ({', '.join(two)})"
            return
        left = _product("", left, right)[0]


def _product(name: str, left: Operand, right: Operand) -> tuple[Operand, dict[str, str]]:
    """The product of two, and how the right one's axes must be called for it."""
    summed, front = left.axes[-1][0], max(left.axes[:-2], right.axes[:-2], key=len)
    place = max(0, len(right.axes) - 2)
    called = {right.axes[place][0]: summed}
    taken = {*left.names, *right.names}
    rows, columns = left.axes[-2:-1], right.axes[-1:] if len(right.axes) > 1 else ()
    made = []
    for axis, size in columns:
        own = axis if axis not in left.names else next(n for i in range(2, 99) if (n := f"{axis}_{i}") not in taken)
        called[axis] = own
        made.append((own, size))
    return Operand(name, (*front, *rows, *made)), {old: new for old, new in called.items() if old != new}


def _fix(call: Call, operands: Sequence[Operand]) -> Fix:
    """The items that compute the product: weights as values, axes renamed where they meet, a product for each `@`."""
    taken = {*call.makers, *(value.node for value in call.inputs)}

    def fresh(name: str) -> str:
        found = next(n for i in range(1, 99) if (n := name if i == 1 else f"{name}_{i}") not in taken)
        taken.add(found)
        return found

    items: list[str] = []
    bodies = call.node("weights")
    is_certain = True
    read = call.input.node
    placed: dict[str, str] = {}
    for name in call.args["weights"] or {}:
        body = bodies.get(name) if isinstance(bodies, MappingNode) else None
        placed[name] = fresh(name)
        if body is None or not body.span.text.startswith("{") or body.span.line != body.span.end_line:
            is_certain = False
            continue
        items.append(f"weight: {body.span.text[:-1]}, from: {read}, name: {placed[name]}}}")
    left = operands[0]
    left = replace(left, name=placed.get(left.name, left.name))
    own = call.item_body.get("name") if call.item_body is not None else None
    for i, right in enumerate(operands[1:], 2):
        right = replace(right, name=placed.get(right.name, right.name))
        made, called = _product("", left, right)
        if called:
            renamed = fresh(f"{right.name.replace(chr(46), chr(95))}_by_{left.axes[-1][0]}")
            pairs = ", ".join(f"{old}: {new}" for old, new in called.items())
            items.append(f"rename: {{{pairs}, from: {right.name}, name: {renamed}}}")
            right = replace(right, name=renamed)
        name, said = "", ""
        if i < len(operands):
            name = fresh("product")
            said = f", name: {name}"
        elif isinstance(own, Scalar):
            said = f", name: {own.value}"
        items.append(f"einsum: {{from: [{left.name}, {right.name}], axes: [{', '.join(made.names)}]{said}}}")
        left = replace(made, name=name)
    advice = "write the product by the names of its axes"
    spelled_out = f"{advice}: " + ", then ".join(f"`{item}`" for item in items)
    body, before = call.item_body, list_prefix(call.item_span)
    is_read = re.search(rf"\bfrom:[^\n#]*\b{re.escape(call.name)}\b", call.item_span.source.text) is not None
    if body is None or before is None or call.stripped or call.item_span.trail or not is_certain:
        return Fix(spelled_out)
    if set(body.entries) - _KEPT or (own is None and is_read):
        return Fix(spelled_out)
    end = body.span
    whole = call.item_span.moved(end_line=end.end_line, end_column=end.end_column)
    return Fix(advice, (Edit(whole, f"\n{before}".join(items)),), Applicability.MACHINE)
