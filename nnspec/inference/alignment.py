"""Checks that joined branches are aligned: the same position of each depends on the same input positions."""

from __future__ import annotations

from nnspec.diagnostics import Fix
from nnspec.ir.graph import Field, Value
from nnspec.ir.receptive_field import followed
from nnspec.layers.kit.base import Call


def warn_of_misalignment(call: Call, end_to_end: int | None = None) -> None:
    """Says where branches move at different strides or in opposite directions (NN318), or are shifted (NN330).

    Args:
        end_to_end: the axis along which they are put one behind the other: no position of one meets one of another.
    """
    if len(call.inputs) < 2:
        return
    first: dict[str, tuple[Value, Field]] = {}
    for value in call.inputs:
        there = followed([axis for i, axis in enumerate(value.axes) if i != end_to_end])
        for name, field in value.fields.items():
            if there.get(name, 1) == 1:
                continue
            other = first.setdefault(name, (value, field))
            if other[1].stride != field.stride:
                _warn_of_strides(call, name, other[1], field)
            elif other[1] != field and not (other[1].size == field.size == 1):
                _warn_of_shift(call, name, other, (value, field))


def _warn_of_strides(call: Call, axis: str, one: Field, other: Field) -> None:
    if one.stride == -other.stride:
        call.warn(
            "NN318",
            f"the branches joined by `{call.kind}` run along `{axis}` in opposite directions: one starts at the "
            f"first position, the other at the last",
            notes=["with `go_backwards`, a recurrent layer outputs its steps from last to first"],
            fixes=[Fix("use `Bidirectional`, which reverses the backward steps again")],
            about=[axis],
        )
        return
    call.warn(
        "NN318",
        f"the branches that `{call.kind}` joins are not aligned along `{axis}`: "
        f"their strides are {one.stride} and {other.stride} input positions",
        fixes=[Fix("use the same strides in both branches")],
        about=[axis],
    )


def _warn_of_shift(call: Call, axis: str, one: tuple[Value, Field], other: tuple[Value, Field]) -> None:
    """Branches that share no position at any step are shifted, whichever of them a step stands for."""
    early, late = sorted((one, other), key=lambda pair: pair[1].ahead if pair[1].ahead is not None else 0)
    ahead, behind = early[1].ahead, late[1].behind
    if ahead is None or behind is None or late[1].ahead is None or ahead >= -behind:
        return
    call.warn(
        "NN330",
        f"the branches that `{call.kind}` joins are shifted along `{axis}`: where `{early[0].node}` sees "
        f"{_range(early[1])}, `{late[0].node}` sees {_range(late[1])}",
        notes=["relative to the input position with the same index; the two never see a common position"],
        fixes=[Fix("crop or pad both branches at the same end")],
        about=[axis, early[0].node, late[0].node],
    )


def _range(field: Field) -> str:
    """`positions -3 to 0`."""
    assert field.behind is not None
    assert field.ahead is not None
    low, high = -field.behind, field.ahead
    return f"position {_signed(low)}" if low == high else f"positions {_signed(low)} to {_signed(high)}"


def _signed(number: object) -> str:
    return f"+{number}" if not str(number).startswith(("-", "0")) or str(number).startswith("0.") else str(number)
