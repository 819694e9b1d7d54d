"""Windows that slide and keep one number each, as one ONNX node or two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nnspec import axes as ax
from nnspec.axes import Axes
from nnspec.layers.windows import pads, spatial_positions

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
    both = [
        pads(ax.static(before[place].size), span, stride, windows.padding)
        for place, span, stride in zip(places, windows.pool, windows.strides, strict=True)
    ]
    lead = 1 if rank == 1 else 0  # 1-D windows slide as 1×k, as the convolutions around them do
    spatial = [view.axes[1 + place] for place in places]
    channel = view.axes[1 + channel_place]
    units: list[Group] = [()] * lead
    ready = lowering.arrange(view, (view.axes[0], channel, *units, *spatial))
    tensor = ready.tensor
    for part in _apart(windows.pool, windows.strides, both):
        tensor = _slide(lowering, windows.op, tensor, lead, *part)
    made = [
        old if after[place].size == before[place].size else lowering.factor(after[place].name, after[place].size)
        for old, place in zip(spatial, places, strict=True)
    ]
    axes = list(view.axes)
    for place, group in zip(places, made, strict=True):
        axes[1 + place] = group
    dims = (view.axes[0], channel, *units, *made)
    return replace(ready, tensor=tensor, dims=dims, axes=tuple(axes), mask=None)


def _slide(
    lowering: Lowering, op: str, tensor: str, lead: int, pool: Sequence[int], strides: Sequence[int], both: Pads
) -> str:
    """One node; pads that depend on an unknown size are left to it."""
    attributes: dict[str, Any] = {"kernel_shape": [1] * lead + list(pool), "strides": [1] * lead + list(strides)}
    known = [pair for pair in both if pair is not None]
    if len(known) < len(both):
        attributes["auto_pad"] = "SAME_UPPER"
    elif any(start or end for start, end in known):
        unit = [0] * lead
        attributes["pads"] = [*unit, *(start for start, _ in known), *unit, *(end for _, end in known)]
    return lowering.node(op, tensor, **attributes)


def _apart(pool: Sequence[int], strides: Sequence[int], both: Pads) -> list[tuple[Sequence[int], Sequence[int], Pads]]:
    """The windows of one node, or of two where one has no rule for all axes.

    ONNX Runtime finds pads by itself only where windows leave no gaps. Where another axis has gaps, it is pooled by a
    node of its own, which changes neither maxima nor means.
    """
    gaps = [span < stride for span, stride in zip(pool, strides, strict=True)]
    unknown = [pair is None for pair in both]
    if any(gap and is_unknown for gap, is_unknown in zip(gaps, unknown, strict=True)):
        raise NotImplementedError("windows with gaps between them over an unknown length")
    if not (any(unknown) and any(gaps)):
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
