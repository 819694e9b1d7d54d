"""Sums, differences, products and quotients of values, and of a value and a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.operations.operation import Operation, Rule, renamed


def _joined(op: Operation) -> Read | None:
    """Two values, or a value and a number."""
    if len(op.reads) == 2 and len(op.operands) == 2:
        reads, repeated = aligned(op, op.reads)
        return op.add(op.kind, {"broadcast": repeated} if repeated else {}, reads)
    return _scaled(op)


def aligned(op: Operation, reads: Sequence[Read]) -> tuple[list[Read], list[str]]:
    """Values whose axes meet place by place, those of size 1 as often as it takes; and the axes along which they do.

    Where one is repeated, both get one name for the axis of each place, which no other place has.

    Raises:
        ImportFault: where they have not the same number of axes, so that the batch of one meets an axis of another.
    """
    rows = [op.axes(read) for read in reads]
    if len({len(row) for row in rows}) > 1:
        counts = " and ".join(str(1 + len(row)) for row in rows)
        raise ImportFault(
            f"{op.said} reads values of {counts} axes, batch included: the batch of one meets an axis of the other",
            help="give both the same axes in the model, by `keras.ops.expand_dims`",
        )
    names: list[str] = []
    repeated: list[str] = []
    for place in zip(*rows, strict=True):
        longest = next((axis for axis in place if axis.size != 1), place[0])
        names.append(free_name(longest.name if longest.name not in names else f"other_{longest.name}", names))
        if any(axis.size == 1 for axis in place) and longest.size != 1:
            repeated.append(names[-1])
    if not repeated:
        return list(reads), []
    changes = [{axis.name: name for axis, name in zip(row, names, strict=True) if axis.name != name} for row in rows]
    return [renamed(op, read, change) for read, change in zip(reads, changes, strict=True)], repeated


def _scaled(op: Operation) -> Read | None:
    """A value scaled and shifted by a number."""
    if len(op.reads) != 1 or len(op.numbers) != 1 or len(op.operands) != 2:
        return None
    (number,) = op.numbers
    is_first = isinstance(op.operands[0], Read)
    match op.kind:
        case "Add":
            return op.add("Rescaling", {"scale": 1.0, "offset": number}, op.reads)
        case "Subtract":
            body = {"scale": 1.0, "offset": -number} if is_first else {"scale": -1.0, "offset": number}
            return op.add("Rescaling", body, op.reads)
        case "Multiply":
            return op.add("Rescaling", {"scale": number}, op.reads)
        case "Divide" | "TrueDivide" if is_first and number:
            return op.add("Rescaling", {"scale": 1.0 / number}, op.reads)
        case "Divide" | "TrueDivide":
            raise ImportFault(f"the model divides {number} by a value (`{op.call.name}`), which no layer expresses")
    return None


def _negated(op: Operation) -> Read:
    return op.add("Rescaling", {"scale": -1.0}, [op.read])


def _squared(op: Operation) -> Read:
    return op.add("Multiply", {}, [op.read] * 2)


def _power(op: Operation) -> Read | None:
    is_first = isinstance(op.operands[0], Read)
    if len(op.reads) == 1 and op.numbers in ([2.0], [3.0]) and is_first:
        return op.add("Multiply", {}, [op.reads[0]] * int(op.numbers[0]))
    return None


def _cast(op: Operation) -> Read | None:
    """Nothing where the value has the dtype already."""
    return op.read if str(op.config.get("dtype")) == op.read.value.dtype else None


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Maximum", "Minimum"), _joined),
    **dict.fromkeys(("Divide", "TrueDivide"), _scaled),
    "Negative": _negated,
    "Square": _squared,
    "Power": _power,
    "Cast": _cast,
}
