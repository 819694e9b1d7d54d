"""Operators that slide along axes, and those that resample them."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.ir.axes import Axis, Size, derived, multiply
from nnspec.onnx_axes.call import Call, Rule
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor


def convolve(call: Call) -> Sequence[Tensor]:
    weights = call[3] if call.node.op == "QLinearConv" else call[1]
    kernel = weights.axes
    axes = call.opened(len(kernel)) if call[0].axes is None and kernel is not None else call[0].axes
    if axes is None or kernel is None or len(axes) != len(kernel) or len(axes) < 3:
        return [UNKNOWN]
    groups = call.integer("group", 1)
    filters = kernel[0].size
    channel = axes[1] if groups == axes[1].size == filters else call.units(filters, "filter")
    return [call.tensor([axes[0], channel, *_slid(call, axes[2:], [axis.size for axis in kernel[2:]])])]


def pool(call: Call) -> Sequence[Tensor]:
    kernel = call.integers("kernel_shape")
    axes = call.opened(len(kernel) + 2) if call[0].axes is None and kernel else call[0].axes
    if axes is None or not kernel or len(axes) != len(kernel) + 2:
        return [UNKNOWN] * len(call.node.outputs)
    return [call.tensor([*axes[:2], *_slid(call, axes[2:], kernel)])] * len(call.node.outputs)


def _slid(call: Call, axes: Sequence[Axis], kernel: Sequence[Size]) -> list[Axis]:
    rank = len(axes)
    strides = call.integers("strides", (1,) * rank)
    dilations = call.integers("dilations", (1,) * rank)
    pads = call.integers("pads", (0,) * (2 * rank))
    same = call.text("auto_pad", "NOTSET").startswith("SAME")
    is_ceiled = bool(call.integer("ceil_mode", 0))
    found = []
    for i, axis in enumerate(axes):
        width, stride = kernel[i], strides[i]
        if not isinstance(width, int):
            found.append(call.resized(axis, None))
            continue
        lost = 0 if same else (width - 1) * dilations[i] - pads[i] - pads[i + rank]
        found.append(call.resized(axis, _steps(axis.size, lost, stride, same or is_ceiled)))
    return found


def _steps(size: Size, lost: int, stride: int, is_ceiled: bool) -> Size:
    if isinstance(size, int):
        return -(-(size - lost) // stride) if is_ceiled else (size - lost - 1) // stride + 1
    rest = size if lost == 0 else derived(f"({size} - {lost})")
    return rest if stride == 1 else derived(f"({rest})/{stride}{' up' if is_ceiled else ''}")


def transposed(call: Call) -> Sequence[Tensor]:
    axes, kernel = call[0].axes, call[1].axes
    if axes is None or kernel is None or len(axes) != len(kernel):
        return [UNKNOWN]
    rank, groups, each = len(axes) - 2, call.integer("group", 1), kernel[1].size
    strides = call.integers("strides", (1,) * rank)
    dilations = call.integers("dilations", (1,) * rank)
    pads = call.integers("pads", (0,) * (2 * rank))
    extra = call.integers("output_padding", (0,) * rank)
    same = call.text("auto_pad", "NOTSET").startswith("SAME")
    given = call.integers("output_shape")
    found = []
    for i, axis in enumerate(axes[2:]):
        size, width = axis.size, kernel[i + 2].size
        if len(given) >= rank:
            longer: Size = given[i - rank]
        elif not isinstance(size, int) or not isinstance(width, int):
            longer = call.unknown_size(axis.name)
        elif same:
            longer = size * strides[i]
        else:
            reach = (width - 1) * dilations[i] + 1
            longer = (size - 1) * strides[i] + extra[i] + reach - pads[i] - pads[i + rank]
        found.append(call.resized(axis, longer))
    filters = each * groups if isinstance(each, int) else call.unknown_size("filter")
    return [call.tensor([axes[0], call.units(filters, "filter"), *found])]


def global_pool(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    return [UNKNOWN if axes is None else call.tensor([*axes[:2], *(call.new(1, i + 2) for i in range(len(axes) - 2))])]


def resize(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    wanted = call.ints(3) or ()
    array, attribute = call.array(1 if call.node.op == "Upsample" else 2), call.node.attributes.get("scales")
    scales = [float(x) for x in (array if array is not None else attribute if isinstance(attribute, tuple) else ())]
    chosen = call.integers("axes", tuple(range(len(axes))))
    found = list(axes)
    for i, position in enumerate(chosen):
        axis = axes[position]
        size: Size | None = None
        if i < len(wanted):
            size = wanted[i]
        elif len(scales) == len(chosen):
            size = _scale_size(axis.size, scales[i])
        if size != axis.size:
            found[position] = call.resized(axis, size)
    return [call.tensor(found)]


def sample(call: Call) -> Sequence[Tensor]:
    """`GridSample`: at each place of a grid the channels of a place of a map."""
    axes, grid = call[0].axes, call[1].axes
    if axes is None or grid is None or len(axes) != len(grid) or len(axes) < 3:
        return [UNKNOWN]
    return [call.tensor([*axes[:2], *grid[1:-1]])]


def _scale_size(size: Size, scale: float) -> Size | None:
    if isinstance(size, int):
        return int(size * scale + 1e-6)
    return multiply((size, int(scale))) if scale >= 1 and scale == int(scale) else None


RULES: dict[str, Rule] = {
    "AveragePool": pool,
    "Conv": convolve,
    "ConvInteger": convolve,
    "ConvTranspose": transposed,
    "GlobalAveragePool": global_pool,
    "GlobalLpPool": global_pool,
    "GlobalMaxPool": global_pool,
    "GridSample": sample,
    "LpPool": pool,
    "MaxPool": pool,
    "QLinearConv": convolve,
    "Resize": resize,
    "Upsample": resize,
}
