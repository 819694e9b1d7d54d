"""A sliding kernel as one ONNX node: its memory layout, and the view of its output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.borders import border_of
from nnspec.ir.graph import Node
from nnspec.layers.kit.sliding_windows import spatial_positions
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Kernel:
    """What slides, in ONNX's order of axes: two of channels, then the spatial ones.

    Attributes:
        outputs: which of the weights' axes counts filters.
        hint: what the weights are called in the graph.
    """

    weights: np.ndarray
    bias: np.ndarray | None
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    outputs: int = 0
    hint: str = "kernel"


def write_kernel(lowering: Lowering, node: Node, view: View, op: str, kernel: Kernel, **attributes: object) -> View:
    """`node`'s input after one `op`, channels first. A 1-D kernel slides as 1×k, which is faster.

    `attributes` speak of the op's axes: of two where the kernel has one.
    """
    from nnspec.backends.onnx.lowering import Affine

    places, channel_place = spatial_positions(len(kernel.strides), node.args["data_format"])
    spatial = [view.axes[1 + place] for place in places]
    unit: list[Group] = [()] if len(places) == 1 else []
    lead = [1] * len(unit)
    ready = lowering.arrange(view, (view.axes[0], view.axes[1 + channel_place], *unit, *spatial))
    weights = kernel.weights[:, :, None] if unit else kernel.weights
    weight = lowering.graph.own_constant(weights, f"{lowering.stem}/{kernel.hint}")
    bias = None if kernel.bias is None else lowering.graph.own_constant(kernel.bias, f"{lowering.stem}/bias")
    attributes = {
        "kernel_shape": list(weights.shape[2:]),
        "strides": [*lead, *kernel.strides],
        "dilations": [*lead, *kernel.dilation],
        **attributes,
    }
    source = ready.tensor
    pads = attributes.get("pads")
    if op == "Conv" and isinstance(pads, list):
        source, attributes["pads"] = _without_zeros(lowering, source, pads)
    operands = [source, weight, *([bias] if bias else [])]
    (tensor,) = lowering.graph.add(op, operands, stem=lowering.stem, attributes=attributes)
    before, after = node.inputs[0].axes, node.outputs[0].axes
    made = lowering.factor(after[channel_place].name, int(weights.shape[kernel.outputs]))
    new_spatial = [
        old if after[place].size == before[place].size else lowering.factor(after[place].name, after[place].size)
        for old, place in zip(spatial, places, strict=True)
    ]
    axes = list(view.axes)
    axes[1 + channel_place] = made
    for place, group in zip(places, new_spatial, strict=True):
        axes[1 + place] = group
    lowering.affine[tensor] = Affine(
        weight,
        bias,
        lowering.graph.nodes[-1],
        lambda w, f: w * f.reshape([-1 if i == kernel.outputs else 1 for i in range(w.ndim)]),
        np.asarray,
    )
    dims = (view.axes[0], made, *unit, *new_spatial)
    return replace(ready, tensor=tensor, dims=dims, axes=tuple(axes), mask=None)


def _without_zeros(lowering: Lowering, tensor: str, pads: list[int]) -> tuple[str, list[int]]:
    """What zeros were added to along the axes that a kernel slides along, for the Conv to add them itself.

    Args:
        pads: of the Conv, before and after each of these axes.
    """
    found = border_of(lowering.graph, tensor)
    if found is None:
        return tensor, pads
    return found.without(lowering), [own + more for own, more in zip(pads, (*found.before, *found.after), strict=True)]
