"""Casts between dtypes: of integers to wider ones, of flags, and of floats whose bounds are known."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.operations.formulas import add_formula
from nnspec.importers.keras.operations.operation import Operation, Rule

_BITS = {"uint8": 8, "int8": 7, "uint16": 16, "int16": 15, "uint32": 32, "int32": 31, "int64": 63}
_NUMBER = r"\(?(-?[0-9.e+-]+?)\)?"
_CLIP = re.compile(rf"clip\(x, {_NUMBER}, {_NUMBER}\)")
_WHOLE = ("round(x)", "floor(x)", "ceil(x)", "sign(x) * floor(abs(x))")
_TRUNCATED = "sign({0}) * floor(abs({0}))"
Bounds = tuple[float, float]


def _range(dtype: str) -> Bounds:
    """The least and the largest integer of a dtype, and 0 and 1 of flags."""
    if dtype == "bool":
        return 0.0, 1.0
    return (0.0 if dtype.startswith("u") else -(2.0 ** _BITS[dtype])), 2.0 ** _BITS[dtype] - 1


def bounds_of(read: Read) -> Bounds | None:
    """Between which numbers a value lies, as far as the layers that made it say so; None where they do not."""
    dtype, item = read.value.dtype, read.item
    if item is not None and (count := item.node.layer.index_count(item.node)) is not None:
        return 0.0, count - 1.0
    if dtype == "bool" or dtype in _BITS:
        return _range(dtype)
    if item is None:
        return None
    body = item.body
    if body.get("activation") in ("sigmoid", "softmax") and item.kind in ("Activation", "Dense", "Conv2D"):
        return 0.0, 1.0
    if item.kind == "ReLU" and isinstance(most := body.get("max_value"), int | float) and len(body) == 1:
        return 0.0, float(most)
    if item.kind == "Rescaling":
        inner, scale, shift = bounds_of(item.reads[0]), body.get("scale"), body.get("offset", 0.0)
        if inner is None or not isinstance(scale, int | float) or not isinstance(shift, int | float):
            return None
        ends = sorted(end * scale + shift for end in inner)
        return ends[0], ends[1]
    expression = str(body.get("expression", "")) if item.kind == "formula" else ""
    if clipped := _CLIP.fullmatch(expression):
        return float(clipped[1]), float(clipped[2])
    return bounds_of(item.reads[0]) if expression in _WHOLE else None


def _cast(op: Operation) -> Read | None:
    """Nothing where the value has the dtype already, or a wider one does: a formula makes floats, 1 and 0 for flags."""
    wanted, given = str(op.config.get("dtype")), op.read.value.dtype
    if wanted == given:
        return op.read
    if given == "string" or (wanted not in _BITS and wanted not in ("bool", "float32")):
        return None
    if wanted == "bool":
        return add_formula(op, "{0} != 0", [op.read])
    if wanted == "float32" or given == "bool":
        return add_formula(op, "{0} + 0", [op.read]) if given in (*_BITS, "bool") else None
    is_whole = given in _BITS
    bounds = bounds_of(op.read)
    fits = bounds is not None and _range(wanted)[0] <= bounds[0] and bounds[1] <= _range(wanted)[1]
    if is_whole and fits:
        return op.read
    if fits or (wanted in ("int32", "int64") and not is_whole):
        return add_formula(op, _TRUNCATED, [op.read])
    low, high = (int(end) for end in _range(wanted))
    raise ImportFault(
        f"{op.description} makes {wanted} of {given} that may be outside {low} … {high}, where the result depends on "
        f"the "
        "processor",
        help=f"limit it in the model, `keras.ops.clip(x, {low}, {high})`, before the cast",
    )


def _convert(op: Operation) -> Read | None:
    """What is a tensor already, which Keras' attention makes one of its mask nevertheless."""
    return op.read if op.config.get("dtype") is None else _cast(op)


RULES: Mapping[str, Rule] = {"Cast": _cast, "ConvertToTensor": _convert}
