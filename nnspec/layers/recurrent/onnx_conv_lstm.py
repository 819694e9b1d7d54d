"""Convolutional LSTMs in ONNX: the input is convolved for all steps at once; a Conv and the gates make each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.ir import axes as ax
from nnspec.ir.graph import Args
from nnspec.layers.kit import args as a
from nnspec.layers.kit.sliding_windows import pads, spatial_positions
from nnspec.layers.recurrent.cell_types import States, SteppedCell
from nnspec.layers.recurrent.onnx_steps import binary, lstm_states, split
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View


def conv_lstm(
    rank: int,
    args: Args,
    weights: Mapping[str, np.ndarray],
    sizes: Sequence[ax.Size],
    *,
    is_backwards: bool,
) -> SteppedCell:
    """One direction. Images have the dimensions (batch, filter, …), those of one spatial axis as images of one row.

    Args:
        sizes: of the input's axes, the steps first.
    """
    filters = args["filters"]
    gate, act = args["recurrent_activation"], args["activation"]
    places, channel = spatial_positions(rank, args["data_format"])
    kernel, recurrent = weights["kernel"], weights["recurrent_kernel"]
    strides, dilation = (a.as_tuple(args[name], rank) for name in ("strides", "dilation_rate"))
    around, slid = [], []
    for position, k, s, d in zip(places, kernel.shape, strides, dilation, strict=False):
        size, span = ax.known_size(sizes[1 + position]), 1 + (k - 1) * d
        both = pads(size, span, s, args["padding"])
        assert size is not None, "spatial sizes are known"
        assert both is not None
        around.append(both)
        slid.append((size + sum(both) - span) // s + 1)
    same = [((k - 1) // 2, k // 2) for k in recurrent.shape[:rank]]

    def project(lowering: Lowering, view: View) -> View:
        batch, step = view.axes[0], view.axes[1]
        spatial = [view.axes[2 + place] for place in places]
        images = (*step, *batch), view.axes[2 + channel], *_rows(rank), *spatial
        ready = lowering.arrange(view, images)
        tensor = _conv(lowering, ready.tensor, kernel, weights.get("bias"), strides, dilation, around)
        columns = lowering.factor("unit", 4 * filters)
        made = [lowering.factor("position", size) for size in slid]
        axes = list(view.axes)
        axes[2 + channel] = columns
        for place, group in zip(places, made, strict=True):
            axes[2 + place] = group
        dims = ((*step, *batch), columns, *_rows(rank), *made)
        result = replace(ready, tensor=tensor, dims=dims, axes=tuple(axes), mask=None)
        return lowering.arrange(result, (step, batch, *dims[1:]))

    def advance(lowering: Lowering, x: View, states: States) -> list[View]:
        total = x
        if states:
            carried = _conv(lowering, states[0].tensor, recurrent, None, (1,) * rank, (1,) * rank, same)
            total = binary(lowering, "Add", x, replace(x, tensor=carried))
        return lstm_states(lowering, split(lowering, total, filters, 4), states, gate, act)

    def shapes(lowering: Lowering, row: View) -> list[View]:
        own = lowering.factor("unit", filters)
        dims = (row.dims[0], own, *row.dims[2:])
        axes = tuple(own if i == 1 + channel else axis for i, axis in enumerate(row.axes))
        return [replace(row, dims=dims, axes=axes)] * 2

    def state_dims(state: View) -> tuple[Group, ...]:
        spatial = [state.axes[1 + i] for i in places]
        return (state.axes[0], state.axes[1 + channel], *_rows(rank), *spatial)

    return SteppedCell(
        project=project, advance=advance, shapes=shapes, state_dims=state_dims, count=2, is_backwards=is_backwards
    )


def _rows(rank: int) -> tuple[Group, ...]:
    """ONNX Runtime's fast kernels take images: those of one axis get one row."""
    return ((),) if rank == 1 else ()


def _conv(
    lowering: Lowering,
    tensor: str,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    strides: Sequence[int],
    dilation: Sequence[int],
    around: Sequence[tuple[int, int]],
) -> str:
    """A Conv of (batch, channel, …) with Keras' kernel (…, in, out)."""
    weights = np.moveaxis(kernel, (-1, -2), (0, 1))
    lead = 1 if weights.ndim == 3 else 0
    if lead:
        weights = weights[:, :, None]
    operands = [lowering.constant(weights, "kernel")]
    if bias is not None:
        operands.append(lowering.constant(bias, "bias"))
    return lowering.node(
        "Conv",
        tensor,
        *operands,
        kernel_shape=list(weights.shape[2:]),
        strides=[1] * lead + list(strides),
        dilations=[1] * lead + list(dilation),
        pads=[0] * lead + [both[0] for both in around] + [0] * lead + [both[1] for both in around],
        group=1,
    )
