"""What each operator does to the axes of its operands, a module a family."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.onnx_axes.call import Rule
from nnspec.onnx_axes.rules import (
    bodies,
    elementwise,
    linear,
    moving,
    recurrent,
    reductions,
    selecting,
    shapes,
    windows,
)

RULES: Mapping[str, Rule] = {
    **bodies.RULES,
    **elementwise.RULES,
    **linear.RULES,
    **moving.RULES,
    **recurrent.RULES,
    **reductions.RULES,
    **selecting.RULES,
    **shapes.RULES,
    **windows.RULES,
}
