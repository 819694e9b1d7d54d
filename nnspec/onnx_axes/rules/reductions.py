"""Operators that make one number of all along some axes."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.ir.axes import multiply
from nnspec.onnx_axes.call import Call, Rule, position_of, positions_of
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor

NAMES = ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare")


def reduce(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    given = call.ints(1, "axes")
    if given is None and call.has(1):
        return [UNKNOWN]
    if not given and call.integer("noop_with_empty_axes", 0):
        return [call.tensor(axes)]
    gone = positions_of(given, len(axes)) if given else list(range(len(axes)))
    if gone is None:
        return [UNKNOWN]
    numbers = call[0].numbers
    product = None
    if call.node.op == "ReduceProd" and numbers is not None and all(number is not None for number in numbers):
        known = [number for number in numbers if number is not None]
        product = (0 if 0 in known else multiply(known),)
    if call.integer("keepdims", 1):
        return [call.tensor([call.new(1, i) if i in gone else axis for i, axis in enumerate(axes)], product)]
    return [call.tensor([axis for i, axis in enumerate(axes) if i not in gone], product)]


def reduce_one(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    position = None if axes is None else position_of(call.integer("axis", 0), len(axes))
    if axes is None or position is None:
        return [UNKNOWN]
    kept = [call.new(1, position)] if call.integer("keepdims", 1) else []
    return [call.tensor([*axes[:position], *kept, *axes[position + 1 :]])]


RULES: dict[str, Rule] = {
    **{f"Reduce{name}": reduce for name in NAMES},
    "ArgMax": reduce_one,
    "ArgMin": reduce_one,
}
