"""Arithmetic as layers: joins of two values, and scaling or shifting a value by a number."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.formulas import RULES as FORMULAS
from nnspec.importers.keras.operations.formulas import align_axes
from nnspec.importers.keras.operations.operation import Operation, Rule


def _join(op: Operation) -> Read | None:
    """Two values, or a value and a number."""
    if len(op.reads) == 2 and len(op.operands) == 2:
        reads, repeated = align_axes(op, op.reads)
        return op.add(op.kind, {"broadcast": repeated} if repeated else {}, reads)
    return _scale(op)


def _scale(op: Operation) -> Read | None:
    """A value scaled and shifted by a number."""
    if len(op.reads) == len(op.numbers) == 1 and len(op.operands) == 2:
        (number,) = op.numbers
        is_first = isinstance(op.operands[0], Read)
        match op.kind:
            case "Add":
                return op.add("Rescaling", {"scale": 1.0, "offset": number}, op.reads)
            case "Subtract" if is_first:
                return op.add("Rescaling", {"scale": 1.0, "offset": -number}, op.reads)
            case "Subtract":
                return op.add("Rescaling", {"scale": -1.0, "offset": number}, op.reads)
            case "Multiply":
                return op.add("Rescaling", {"scale": number}, op.reads)
            case "Divide" | "TrueDivide" if is_first and number:
                return op.add("Rescaling", {"scale": 1.0 / number}, op.reads)
    return FORMULAS[op.kind](op)  # type: ignore[return-value]


def _negate(op: Operation) -> Read:
    return op.add("Rescaling", {"scale": -1.0}, [op.read])


def _square(op: Operation) -> Read:
    return op.add("Multiply", {}, [op.read] * 2)


def _power(op: Operation) -> Read | None:
    is_first = isinstance(op.operands[0], Read)
    if len(op.reads) == 1 and op.numbers in ([2.0], [3.0]) and is_first:
        return op.add("Multiply", {}, [op.reads[0]] * int(op.numbers[0]))
    return FORMULAS[op.kind](op)  # type: ignore[return-value]


def _exponential(op: Operation) -> Read:
    return op.add("Activation", {"activation": "exponential"}, [op.read])


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Maximum", "Minimum"), _join),
    **dict.fromkeys(("Divide", "TrueDivide"), _scale),
    "Negative": _negate,
    "Square": _square,
    "Power": _power,
    "Exp": _exponential,
}
