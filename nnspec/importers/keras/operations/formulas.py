"""Elementwise functions as formulas: those without a layer, and operations with constants."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import Constant, ImportFault, Numbers
from nnspec.importers.keras.operations.constants import axes_of, bias_axes, scalar
from nnspec.importers.keras.operations.operation import Operand, Operation, Rule, rename_axes
from nnspec.importers.keras.operations.reductions import reduce_axes

_LN2, _LN10 = math.log(2.0), math.log(10.0)
_GELU = "0.5 * {0} * (1.0 + tanh(0.7978845608028654 * ({0} + 0.044715 * {0} * {0} * {0})))"
# Keras' class -> the formula of its operands.
TEMPLATES: Mapping[str, str] = {
    "Absolute": "abs({0})",
    "Abs": "abs({0})",
    "Arccos": "acos({0})",
    "Arccosh": "acosh({0})",
    "Arcsin": "asin({0})",
    "Arcsinh": "asinh({0})",
    "Arctan": "atan({0})",
    "Arctanh": "atanh({0})",
    "Cbrt": "sign({0}) * abs({0}) ** 0.3333333333333333",
    "Ceil": "ceil({0})",
    "Cos": "cos({0})",
    "Cosh": "cosh({0})",
    "Deg2rad": f"{math.pi / 180!r} * {{0}}",
    "Erf": "erf({0})",
    "Erfc": "1.0 - erf({0})",
    "Exp": "exp({0})",
    "Exp2": f"exp({_LN2!r} * {{0}})",
    "Expm1": "expm1({0})",
    "Fabs": "abs({0})",
    "Floor": "floor({0})",
    "Log": "log({0})",
    "Log10": f"log({{0}}) / {_LN10!r}",
    "Log1p": "log1p({0})",
    "Log2": f"log({{0}}) / {_LN2!r}",
    "Negative": "-{0}",
    "Positive": "{0}",
    "OnesLike": "where({0} == {0}, 1.0, 1.0)",
    "Rad2deg": f"{180 / math.pi!r} * {{0}}",
    "Reciprocal": "1.0 / {0}",
    "Rsqrt": "1.0 / sqrt({0})",
    "Sign": "sign({0})",
    "Sin": "sin({0})",
    "Sinh": "sinh({0})",
    "Sqrt": "sqrt({0})",
    "Square": "{0} * {0}",
    "Tan": "tan({0})",
    "Trunc": "sign({0}) * floor(abs({0}))",
    "ZerosLike": "where({0} == {0}, 0.0, 0.0)",
    "Add": "{0} + {1}",
    "Subtract": "{0} - {1}",
    "Multiply": "{0} * {1}",
    "Divide": "{0} / {1}",
    "TrueDivide": "{0} / {1}",
    "DivideNoNan": "where({1} == 0, 0.0, {0} / where({1} == 0, 1.0, {1}))",
    "FloorDivide": "floor({0} / {1})",
    "Mod": "{0} - floor({0} / {1}) * {1}",
    "Power": "{0} ** {1}",
    "Maximum": "max({0}, {1})",
    "Minimum": "min({0}, {1})",
    "Hypot": "sqrt({0} * {0} + {1} * {1})",
    "Logaddexp": "max({0}, {1}) + log1p(exp(-abs({0} - {1})))",
    "Greater": "{0} > {1}",
    "GreaterEqual": "{0} >= {1}",
    "Less": "{0} < {1}",
    "LessEqual": "{0} <= {1}",
    "Equal": "{0} == {1}",
    "NotEqual": "{0} != {1}",
    "LogicalAnd": "({0} != 0) * ({1} != 0)",
    "LogicalOr": "max({0} != 0, {1} != 0)",
    "LogicalXor": "({0} != 0) != ({1} != 0)",
    "LogicalNot": "{0} == 0",
    "Isfinite": "{0} - {0} == 0",
    "Isnan": "{0} != {0}",
    "Where": "where({0}, {1}, {2})",
}


def add_formula(op: Operation, template: str, operands: Sequence[Operand]) -> Read:
    """The formula of operands, of which at least one is a value that is read.

    Args:
        template: with `{0}`, `{1}`, … for the operands.
    """
    reads: list[Read] = []
    for operand in operands:
        if isinstance(operand, Read) and not any(is_same(operand, read) for read in reads):
            reads.append(operand)
    ready, _ = align_axes(op, reads, always=True)
    axes = op.axes(ready[0])
    for read in ready[1:]:
        axes = tuple(one if one.size != 1 else other for one, other in zip(axes, op.axes(read), strict=True))
    weights: dict[str, object] = {}
    words = []
    for operand in operands:
        if isinstance(operand, Constant) and scalar(operand) is None:
            name = free_name("table", list(weights))
            met = bias_axes(operand, axes) if template == TEMPLATES["Add"] and operand is operands[-1] else None
            weights[name] = op.tables.body(operand, met or axes_of(op, operand, axes), op.call.name)
            words.append(name)
        elif isinstance(operand, Read):
            place = next(i for i, read in enumerate(reads) if is_same(operand, read))
            words.append("x" if len(reads) == 1 else f"x{place + 1}")
        else:
            words.append(_number(op, operand))
    body: dict[str, object] = {"expression": template.format(*words)}
    return op.add("formula", {**body, "weights": weights} if weights else body, ready)


def is_same(left: Read, right: Read) -> bool:
    return left.item is right.item and left.value.node == right.value.node and left.value.port == right.value.port


def _number(op: Operation, operand: object) -> str:
    """A number as a formula has it; one below 0 in brackets, for `-2 ** x` is another one."""
    if isinstance(operand, Constant):
        value = scalar(operand)
    else:
        value = float(operand) if isinstance(operand, int | float) else None
    if value is None or not math.isfinite(value):
        raise ImportFault(f"{op.description} computes with {value}, which a formula cannot contain")
    text = repr(value)
    return f"({text})" if value < 0 else text


def align_axes(op: Operation, reads: Sequence[Read], *, always: bool = False) -> tuple[list[Read], list[str]]:
    """Values whose axes meet place by place, those of size 1 as often as it takes; and the axes along which they do.

    Where one is repeated, both get one name for the axis of each place, which no other place has.

    Args:
        always: they get them in any case.

    Raises:
        ImportFault: where they have not the same number of axes, so that the batch of one meets an axis of another.
    """
    rows = [op.axes(read) for read in reads]
    if len({len(row) for row in rows}) > 1:
        counts = " and ".join(str(1 + len(row)) for row in rows)
        raise ImportFault(
            f"{op.description} reads values of {counts} axes, batch included: the batch of one meets an axis of the "
            f"other",
            help="give both the same axes in the model, by `keras.ops.expand_dims`",
        )
    names: list[str] = []
    repeated: list[str] = []
    for place in zip(*rows, strict=True):
        longest = next((axis for axis in place if axis.size != 1), place[0])
        names.append(free_name(longest.name if longest.name not in names else f"other_{longest.name}", names))
        if any(axis.size == 1 for axis in place) and longest.size != 1:
            repeated.append(names[-1])
    if not repeated and not always:
        return list(reads), []
    changes = [{axis.name: name for axis, name in zip(row, names, strict=True) if axis.name != name} for row in rows]
    return [rename_axes(op, read, change) for read, change in zip(reads, changes, strict=True)], repeated


def _by_template(template: str) -> Rule:
    count = 1 + max(int(part[0]) for part in template.split("{")[1:])

    def rule(op: Operation) -> Read | None:
        operands = op.operands
        return add_formula(op, template, operands) if len(operands) == count and op.reads else None

    return rule


def _clip(op: Operation) -> Read:
    low, high = op.config.get("x_min"), op.config.get("x_max")
    if low == 0 and high is not None:
        return op.add("ReLU", {"max_value": float(high)}, [op.read])
    return add_formula(op, "clip({0}, {1}, {2})", [op.read, low, high])


def _limit_below(op: Operation) -> Read:
    """What is above a number, and another number in the place of the rest."""
    limit, rest = float(op.config["threshold"]), float(op.config["default_value"])
    return add_formula(op, "where({0} > {1}, {0}, {2})", [op.read, limit, rest])


def _gate(op: Operation) -> Read | None:
    """The first half of an axis times the sigmoid of the other."""
    read = op.read
    place = op.place(op.config.get("axis", -1), len(op.axes(read)))
    size = op.sizes(read)[place]
    if size is None:
        return None
    name = op.name(read, place)
    first, other = (op.add("slice", {name: part}, [read]) for part in ({"stop": size // 2}, {"start": size // 2}))
    return add_formula(op, "{0} * sigmoid({1})", [first, other])


def _triangle(op: Operation) -> Read | None:
    """The last two axes with zeros above or below a diagonal."""
    rows, columns = op.sizes(op.read)[-2:]
    if rows is None or columns is None:
        return None
    shift, is_lower = int(op.config.get("k") or 0), op.kind == "Tril"
    kept: Numbers = [
        [float(j - i <= shift if is_lower else j - i >= shift) for j in range(columns)] for i in range(rows)
    ]
    return add_formula(op, "where({0} != 0, {1}, 0.0)", [Constant(kept, "float32"), op.read])


def _round(op: Operation) -> Read:
    scale = 10.0 ** int(op.config.get("decimals") or 0)
    return add_formula(op, "round({0})" if scale == 1 else f"round({{0}} * {scale!r}) / {scale!r}", [op.read])


def _gelu(op: Operation) -> Read:
    if op.config.get("approximate", True):
        return add_formula(op, _GELU, [op.read])
    return op.add("Activation", {"activation": "gelu"}, [op.read])


def _any_or_all(op: Operation) -> Read:
    """Whether one flag is set along axes, or each: the largest or the smallest of 1 and 0."""
    flags = add_formula(op, "{0} != 0", [op.read])
    places = op.places(op.config.get("axis"), len(op.axes(flags)))
    by = "max" if op.kind == "Any" else "min"
    return reduce_axes(op, flags, by, places, keepdims=bool(op.config.get("keepdims")))


def add_formula_along(op: Operation, function: str, place: int) -> Read:
    """A function of a formula that goes along one axis."""
    read, name = op.read, op.name(op.read, place)
    value = free_name("x", [axis.name for axis in read.value.axes])
    body = {"expression": f"{function}({value}, {name})"}
    return op.add("formula", {**body, "values": [value]} if value != "x" else body, [read])


def _position(op: Operation) -> Read:
    """Where the largest or smallest is, as a float."""
    place = op.place(op.config.get("axis"), len(op.axes(op.read)))
    made = add_formula_along(op, op.kind.lower(), place)
    return op.inserted(made, place) if op.config.get("keepdims") else made


def _accumulate(op: Operation) -> Read | None:
    if op.config.get("dtype") not in (None, "float32") or op.read.value.dtype != "float32":
        return None
    return add_formula_along(op, "cumsum", op.place(op.config.get("axis"), len(op.axes(op.read))))


def _one_hot(op: Operation) -> Read | None:
    """Each class compared with the id, along a new last axis."""
    count = int(op.config["num_classes"])
    rank = len(op.axes(op.read))
    if op.config.get("axis") not in (-1, rank + 1) or op.config.get("sparse"):
        return None
    wide = op.inserted(op.read, rank, "class")
    return add_formula(op, "{0} == {1}", [wide, Constant([float(number) for number in range(count)], "float32")])


RULES: Mapping[str, Rule] = {
    **{kind: _by_template(template) for kind, template in TEMPLATES.items()},
    "Clip": _clip,
    "Threshold": _limit_below,
    "Glu": _gate,
    **dict.fromkeys(("Tril", "Triu"), _triangle),
    "Round": _round,
    "Gelu": _gelu,
    "Argmax": _position,
    "Argmin": _position,
    "Cumsum": _accumulate,
    "OneHot": _one_hot,
    "Any": _any_or_all,
    "All": _any_or_all,
}
