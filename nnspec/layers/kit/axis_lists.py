"""Lists of axes in arguments: positions of names or Keras' indices, and whether they name every axis once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nnspec.diagnostics import Edit, Fix
from nnspec.diagnostics.lists import quoted
from nnspec.document import Sequence as SequenceNode
from nnspec.ir import axes as ax
from nnspec.layers.kit.axis_names import near_axes
from nnspec.layers.kit.base import Call, Fault


def require_permutation(call: Call, order: Sequence[int], arg: str) -> None:
    if sorted(order) != list(range(len(call.axes))):
        missing = [axis.name for i, axis in enumerate(call.axes) if i not in order]
        twice = sorted({call.axes[i].name for i in order if list(order).count(i) > 1})
        parts = [f"lacks {quoted(missing)}"] if missing else []
        parts += [f"names {quoted(twice)} twice"] if twice else []
        call.fail(
            "NN316",
            f"`{call.kind}` must list every axis of {ax.describe(call.axes)} once, but it {' and '.join(parts)}",
            arg,
            about=[*call.axes],
        )


def positions(call: Call, values: Sequence[int | str], arg: str) -> list[int]:
    """The positions of several axes; a fault points at the one that does not exist.

    Raises:
        Fault: NN306.
    """
    node = call.node(arg)
    result = []
    for i, value in enumerate(values):
        try:
            result.append(call.axis_index(value, arg))
        except Fault as fault:
            item = node.items[i] if isinstance(node, SequenceNode) and i < len(node.items) else None
            if item is None:
                raise
            close = near_axes(value, call.axes) if isinstance(value, str) else []
            fixes = tuple(Fix(f"use `{c}`", (Edit(item.span, c),)) for c in close)
            raise Fault(replace(fault.diagnostic, span=item.span, fixes=fixes)) from None
    return result
