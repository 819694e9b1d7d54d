"""Output sizes of sliding windows: shared by convolutions and pooling."""

from __future__ import annotations

from nnspec.diagnostics import Fix
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Window
from nnspec.layers.kit.base import Call


def spatial_positions(rank: int, data_format: str | None) -> tuple[tuple[int, ...], int]:
    """Positions (batch left out) of the spatial axes and of the channel axis."""
    if data_format == "channels_first":
        return tuple(range(1, rank + 1)), 0
    return tuple(range(rank)), rank


def slid_size(call: Call, axis: Axis, span: int, stride: int, padding: str, arg: str) -> Size:
    """How many positions a window of `span` positions takes along an axis.

    Raises:
        Fault: NN312 where it does not fit even once.
    """
    size = axis.size
    if padding in ("same", "causal"):
        if isinstance(size, int):
            return -(-size // stride)
        return size if stride == 1 else ax.derived(f"ceil({size}/{stride})")
    if isinstance(size, int):
        if size < span:
            left = "there is only 1" if size == 1 else f"there are only {size}"
            call.fail(
                "NN312",
                f"`{call.kind}` has a window of {span} positions of `{axis.name}`, but {left}",
                arg,
                fixes=[Fix("use a smaller window, or keep the length with `padding: same`")],
                about=[axis.name],
            )
        return (size - span) // stride + 1
    if span == 1 and stride == 1:
        return size
    inner = f"{size} - {span - 1}" if span > 1 else f"{size}"
    return ax.derived(f"({inner})" if stride == 1 else f"ceil(({inner})/{stride})")


def window_over(size: Size, span: int, stride: int, padding: str, dilation: int = 1) -> Window:
    """How a window of `span` positions sees an axis of this size: what lies ahead depends on the padding."""
    both = pads(ax.known_size(size), span, stride, padding)
    if both is not None:
        return Window(span, stride, span - 1 - both[0], dilation=dilation)
    earliest, latest = (span - 1) // 2, max(span - stride, 0) // 2  # zeros before, by what the length leaves over
    return Window(span, stride, span - 1 - latest, earliest - latest, dilation)


def pads(size: int | None, span: int, stride: int, padding: str) -> tuple[int, int] | None:
    """Zeros before and after, as Keras on TensorFlow pads; None where they depend on an unknown size."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    if stride == 1:
        total = span - 1
    elif size is None:
        if span > 2 or span >= stride:
            return None
        return 0, span - 1  # never over the beginning, and over the end by no more than this
    else:
        total = max((-(-size // stride) - 1) * stride + span - size, 0)
    return total // 2, total - total // 2


def live_taps(size: int | None, taps: int, dilation: int, padding: str, stride: int = 1) -> tuple[int, int]:
    """Which taps of a kernel ever see data: first and one past the last. The others only ever see padding.

    A kernel that sees nothing but padding keeps all its taps.
    """
    alive = seeing_taps(size, taps, dilation, padding, stride)
    return (alive[0], alive[-1] + 1) if alive else (0, taps)


def seeing_taps(size: int | None, taps: int, dilation: int, padding: str, stride: int) -> range:
    """The taps of a kernel, from 0, that ever see data."""
    if size is None or stride != 1 or padding == "valid":
        return range(taps)
    before = (taps - 1) * dilation if padding == "causal" else ((taps - 1) * dilation) // 2
    first, end = (before - size) // dilation + 1, -(-(before + size) // dilation)
    return range(max(first, 0), max(min(end, taps), first, 0))
