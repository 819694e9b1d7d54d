"""Calibrated levels in the deployed graph: the nodes compute what `nnspec.data.prepare.levels` does in NumPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nnspec.backends.onnx.lowering import Lowering
from nnspec.backends.onnx.view import View
from nnspec.data.prepare.levels import Levels
from nnspec.ir.levels import middle


def move_levels(lowering: Lowering, view: View, levels: Levels) -> View:
    """The levels moved by their offsets; none crosses one that is nearer the median."""
    if levels.offset is None:
        return view
    own = [i + 1 for i, size in enumerate(levels.offset.shape) if size > 1]
    ready = lowering.separable(view, own)
    squeezed = levels.offset.reshape([size for size in levels.offset.shape if size > 1])
    moved = lowering.elementwise("Add", ready, lowering.along(ready, squeezed, own, "offset"))
    count, m = len(levels.values), middle(levels.values)
    if count == 1:
        return moved
    alone, place = lowering.with_axis_alone(moved, levels.axis)

    def cut(index: int) -> str:
        bounds = [lowering.constant(np.asarray([i], np.int64), "bound") for i in (index, index + 1, place)]
        return lowering.node("Slice", alone.tensor, *bounds)

    parts = [cut(index) for index in range(count)]
    for index in range(m - 1, -1, -1):
        parts[index] = lowering.node("Min", parts[index], parts[index + 1])
    for index in range(m + 1, count):
        parts[index] = lowering.node("Max", parts[index], parts[index - 1])
    return replace(alone, tensor=lowering.node("Concat", *parts, axis=place))
