"""Products with a matrix along one axis, for interpolation and window means of known sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


def map_axis(lowering: Lowering, view: View, axis: int, matrix: np.ndarray, name: str) -> View:
    """The view with `matrix` (made, size) applied along one of its axes, which is then called `name`: one MatMul.

    Nothing is transposed: what lies behind the axis in memory is read as one dimension.
    """
    ready, place = lowering.with_axis_alone(view, axis)
    behind = tuple(factor for dim in ready.dims[place + 1 :] for factor in dim)
    weights = matrix.astype(view.dtype)
    made = lowering.factor(name, int(matrix.shape[0]))
    axes = (*ready.axes[:axis], made, *ready.axes[axis + 1 :])
    dims: tuple[Group, ...]
    if behind:
        ready = lowering.arrange(ready, (*ready.dims[:place], ready.dims[place], behind))
        tensor = lowering.node("MatMul", lowering.constant(weights, "weights"), ready.tensor)
        dims = (*ready.dims[:place], made, behind)
    else:
        ready = lowering.arrange(ready, ready.dims[: place + 1])
        tensor = lowering.node("MatMul", ready.tensor, lowering.constant(weights.T, "weights"))
        dims = (*ready.dims[:place], made)
    return replace(ready, tensor=tensor, dims=dims, axes=axes, mask=None)
