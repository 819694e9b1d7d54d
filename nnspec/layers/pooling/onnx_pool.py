"""Sliding pooling windows as few ONNX nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.borders import border_of, is_never_negative
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes
from nnspec.layers.kit.sliding_windows import pads, spatial_positions
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Group, View

Pads = Sequence[tuple[int, int] | None]


@dataclass(frozen=True, slots=True)
class Windows:
    """What slides, a number for each spatial axis: `op` is MaxPool or AveragePool."""

    op: str
    pool: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    data_format: str | None


def write_windows(lowering: Lowering, view: View, windows: Windows, before: Axes, after: Axes) -> View:
    """The view after windows slid along it, channels first; its axes are `before`, and `after` those that are made."""
    rank = len(windows.pool)
    places, channel_place = spatial_positions(rank, windows.data_format)
    sizes = [ax.known_size(before[place].size) for place in places]
    strides, both = list(windows.strides), _pads_of(windows, sizes, windows.strides)
    late = [i for i in range(rank) if both[i] is None and windows.pool[i] < strides[i]]
    for i in late:  # every window, of which some are taken afterwards
        strides[i] = 1
    both = _pads_of(windows, sizes, strides)
    lead = 1 if rank == 1 else 0  # 1-D windows slide as 1×k, as the convolutions around them do
    spatial = [view.axes[1 + place] for place in places]
    channel = view.axes[1 + channel_place]
    units: list[Group] = [()] * lead
    ready = lowering.arrange(view, (view.axes[0], channel, *units, *spatial))
    tensor, both, counts_zeros = _with_zeros_inside(lowering, windows, ready.tensor, both)
    for part in _split_in_two(windows.pool, strides, both):
        tensor = _slide(lowering, windows.op, tensor, lead, *part, counts_zeros=counts_zeros)
    for i in late:
        tensor = _take_strided(lowering, tensor, 2 + lead + i, spatial[i], windows.pool[i], windows.strides[i])
    made = [
        old if after[place].size == before[place].size else lowering.factor(after[place].name, after[place].size)
        for old, place in zip(spatial, places, strict=True)
    ]
    axes = list(view.axes)
    for place, group in zip(places, made, strict=True):
        axes[1 + place] = group
    dims = (view.axes[0], channel, *units, *made)
    return replace(ready, tensor=tensor, dims=dims, axes=tuple(axes), mask=None)


def _pads_of(windows: Windows, sizes: Sequence[int | None], strides: Sequence[int]) -> Pads:
    return [pads(*each, windows.padding) for each in zip(sizes, windows.pool, strides, strict=True)]


def _with_zeros_inside(lowering: Lowering, windows: Windows, tensor: str, both: Pads) -> tuple[str, Pads, bool]:
    """What zeros were put around, for the windows to add them where that is the same, and whether means count them.

    A largest value knows no zeros around it, which is the same where nothing is negative and no window has them alone.
    """
    found = border_of(lowering.graph, tensor)
    if found is None or len(found.before) != len(both) or any(pair != (0, 0) for pair in both):
        return tensor, both, False
    pairs = tuple(zip(found.before, found.after, strict=True))
    is_mean = windows.op == "AveragePool"
    if any(max(pair) >= span for pair, span in zip(pairs, windows.pool, strict=True)):
        return tensor, both, False
    if not is_mean and not is_never_negative(lowering.graph, found.source):
        return tensor, both, False
    return found.without(lowering), pairs, is_mean


def _take_strided(lowering: Lowering, tensor: str, dim: int, length: Group, span: int, stride: int) -> str:
    """Of windows at every position, padded by (span - 1) // 2 before, those that `padding: same` has at this stride.

    TensorFlow puts (span - rest) // 2 zeros before, where the last window has `rest` positions of its own: the first
    window depends on what the length leaves over, which is looked up in a table.
    """
    rests = [left or stride for left in range(stride)]
    first = np.asarray([(span - 1) // 2 - max(span - rest, 0) // 2 for rest in rests], np.int64)
    left = lowering.node("Mod", lowering.run_time_size(length), lowering.constant(np.asarray([stride]), "stride"))
    start = lowering.node("Gather", lowering.constant(first, "first"), left)
    end, axis, step = (lowering.constant(np.asarray([n], np.int64), "slice") for n in (2**63 - 1, dim, stride))
    return lowering.node("Slice", tensor, start, end, axis, step)


def _slide(
    lowering: Lowering,
    op: str,
    tensor: str,
    lead: int,
    pool: Sequence[int],
    strides: Sequence[int],
    both: Pads,
    *,
    counts_zeros: bool = False,
) -> str:
    """One node; pads that depend on an unknown size are left to it."""
    attributes: dict[str, object] = {"kernel_shape": [1] * lead + list(pool), "strides": [1] * lead + list(strides)}
    known = [pair for pair in both if pair is not None]
    if len(known) < len(both):
        attributes["auto_pad"] = "SAME_UPPER"
    elif any(start or end for start, end in known):
        unit = [0] * lead
        attributes["pads"] = [*unit, *(start for start, _ in known), *unit, *(end for _, end in known)]
        if counts_zeros:
            attributes["count_include_pad"] = 1
    return lowering.graph.add(op, [tensor], stem=lowering.stem, attributes=attributes)[0]


def _split_in_two(
    pool: Sequence[int], strides: Sequence[int], both: Pads
) -> list[tuple[Sequence[int], Sequence[int], Pads]]:
    """The windows of one node, or of two where one has no rule for all axes.

    ONNX Runtime finds pads by itself only where windows leave no gaps. Where another axis has gaps, it is pooled by a
    node of its own, which changes neither maxima nor means.
    """
    unknown = [pair is None for pair in both]
    has_gaps = any(span < stride for span, stride in zip(pool, strides, strict=True))
    if not (any(unknown) and has_gaps):
        return [(pool, strides, both)]
    parts: list[tuple[Sequence[int], Sequence[int], Pads]] = []
    for wanted in (True, False):
        mine = [is_unknown == wanted for is_unknown in unknown]
        parts.append(
            (
                [span if own else 1 for span, own in zip(pool, mine, strict=True)],
                [stride if own else 1 for stride, own in zip(strides, mine, strict=True)],
                [pair if own else (0, 0) for pair, own in zip(both, mine, strict=True)],
            )
        )
    return parts
