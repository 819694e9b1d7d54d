"""The first or last position of an axis, selected by a node."""

from __future__ import annotations

from nnspec.ir.graph import Node


def selected_end(node: Node, place: int) -> str | None:
    """`first` or `last` where a node gives that position of an axis alone, with the axis or without it."""
    axis, position = node.inputs[0].axes[place], node.layer.picked_position(node, place)
    if position is None:
        left = next((other for other in node.outputs[0].axes if other.name == axis.name), None)
        window = node.windows.get(place)
        if window is None or window.span != 1 or left is None or left.size != 1 or window.ahead is None:
            return None
        position = int(window.ahead)
    if position == 0:
        return "first"
    is_last = position == -1 or (isinstance(axis.size, int) and position == axis.size - 1)
    return "last" if is_last else None
