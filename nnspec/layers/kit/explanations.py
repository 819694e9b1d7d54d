"""Sentences of `nnspec show --why` that several layers share: windows, kernels and axis operations."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.diagnostics.lists import joined as joined_words
from nnspec.diagnostics.lists import quoted
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Node
from nnspec.layers.kit.sliding_windows import pads


def with_count(number: object, word: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def kernel_extent(kernel: Sequence[int]) -> str:
    """`5×5 positions`."""
    return "×".join(str(n) for n in kernel) + (" position" if set(kernel) == {1} else " positions")


def divisors(number: int) -> str:
    """`1, 2, 3 and 6` of 6."""
    return joined_words(str(i) for i in range(1, number + 1) if number % i == 0)


def with_size(axis: Axis) -> str:
    """`time` (10)."""
    return f"`{axis.name}` ({axis.size})"


def size_change(before: Axis, after: Axis) -> str:
    """How a length changes: from 10 to 8, or stays."""
    if before.size == after.size:
        return f"`{after.name}` keeps its {with_count(after.size, 'position')}"
    return f"`{after.name}` goes from {before.size} to {with_count(after.size, 'position')}"


def kernel_sentence(node: Node, places: Sequence[int], kernel: Sequence[int], channel: Axis, groups: int = 1) -> str:
    """What a kernel looks at."""
    axes = node.inputs[0].axes
    looks = joined_words(
        f"{with_count(k, 'position')} of `{axes[place].name}`" for place, k in zip(places, kernel, strict=True)
    )
    channels = (
        f"all {channel.size} of `{channel.name}`" if groups == 1 else f"one of {groups} groups of `{channel.name}`"
    )
    return f"Each kernel reads {looks} at once, and {channels}."


def stride_sentence(node: Node, places: Sequence[int], strides: Sequence[int]) -> str:
    axes, made = node.inputs[0].axes, node.outputs[0].axes
    if set(strides) == {1}:
        return "Neighbouring windows are 1 position apart: no position is skipped."
    moves = joined_words(
        f"{with_count(s, 'position')} along `{axes[place].name}`" for place, s in zip(places, strides, strict=True)
    )
    lengths = joined_words(size_change(axes[place], made[place]) for place in places)
    return f"Neighbouring windows are {moves} apart: {lengths}."


def dilation_sentence(node: Node, places: Sequence[int], kernel: Sequence[int], dilation: Sequence[int]) -> str:
    if set(dilation) == {1}:
        return "The taps of a kernel are adjacent."
    axes = node.inputs[0].axes
    spans = joined_words(
        f"{with_count(k, 'tap')}, {with_count(d, 'position')} apart, span {with_count(1 + (k - 1) * d, 'position')} of "
        f"`{axes[place].name}`"
        for place, k, d in zip(places, kernel, dilation, strict=True)
    )
    return f"The taps of a kernel are spaced: {spans}."


def padding_sentence(
    node: Node, places: Sequence[int], spans: Sequence[int], strides: Sequence[int], padding: str, what: str = "zero"
) -> str:
    """What was put before and after, and what that did to the length."""
    axes, made = node.inputs[0].axes, node.outputs[0].axes
    parts = []
    for place, span, stride in zip(places, spans, strides, strict=True):
        both = pads(ax.known_size(axes[place].size), span, stride, padding)
        length = size_change(axes[place], made[place])
        if both is None:
            parts.append(f"{what}s at both ends of `{axes[place].name}`, as many as its length needs: {length}")
        elif not any(both):
            parts.append(f"no padding at the ends of `{axes[place].name}`: {length}")
        else:
            ends = f"{with_count(both[0], what)} before and {both[1] or 'none'} after"
            parts.append(f"{ends} the positions of `{axes[place].name}`: {length}")
    end = " So a position depends only on itself and earlier ones." if padding == "causal" else ""
    text = "; ".join(dict.fromkeys(parts))
    return f"{text[:1].upper()}{text[1:]}.{end}"


def kernel_weights(shape: Sequence[int]) -> str:
    """`64 kernels of 5×5×32`."""
    return f"{with_count(shape[-1], 'kernel')} of {'×'.join(str(n) for n in shape[:-1])}"


def moves_sentence(node: Node) -> str:
    """Where each output axis stood, for what reorders."""
    before = ax.names(node.inputs[0].axes)
    parts = [
        f"`{axis.name}` is axis {i + 1} (it was {before.index(axis.name) + 1})"
        for i, axis in enumerate(node.outputs[0].axes)
    ]
    return f"Values move with their axes: {joined_words(parts)}."


def contents_sentence(node: Node) -> str:
    """What each output axis holds, for what moves brackets and never values."""
    before = {axis.name: axis for axis in node.inputs[0].axes}
    parts = []
    for axis in node.outputs[0].axes:
        if axis.name in before and before[axis.name].atoms == axis.atoms:
            continue
        inside = [str(atom) for atom in axis.atoms]
        held = joined_words(inside) + (", the first one slowest" if len(inside) > 1 else "")
        parts.append(f"{with_size(axis)} contains {held}" if inside else f"{with_size(axis)} is new, of size 1")
    gone = [name for name, axis in before.items() if axis.size == 1 and ax.index_of(node.outputs[0].axes, name) is None]
    if gone:
        parts.append(f"{quoted(gone)} of size 1 {'is' if len(gone) == 1 else 'are'} removed")
    return f"Values keep their order in memory: {joined_words(parts)}." if parts else "No axis changes."


def joining_sentence(node: Node, verb: str) -> str:
    """Which inputs meet, position by position."""
    names = quoted(dict.fromkeys(value.node for value in node.inputs))
    if len({ax.describe(value.axes) for value in node.inputs}) == 1:
        return f"{verb} {names} position by position; each has {ax.describe(node.inputs[0].axes)}."
    each = joined_words(f"`{value.node}` has {ax.describe(value.axes)}" for value in node.inputs)
    sizes = {tuple(axis.size for axis in value.axes) for value in node.inputs}
    repeated = "; an input is repeated along axes that it lacks or has with size 1" if len(sizes) > 1 else ""
    return f"{verb} {names} position by position; {each}{repeated}."
