"""Checks that the dtype of an input can represent a column's numbers."""

from __future__ import annotations

import re

from nnspec.data.sources.base import ColumnFacts, SourcePlan
from nnspec.diagnostics import Fix

_FLOAT32_END = 2.0**128 - 2.0**103  # what is at or above rounds to infinity
_INTEGER = r"(u?)int(\d+)"


def unfit_number(column: ColumnFacts, dtype: str, source: SourcePlan) -> tuple[str, str] | None:
    """The code and reason of a number that `dtype` cannot hold: NN504 for an infinite one, else NN506."""

    def located(row: int) -> str:
        return source.source.locate(source, row)

    if column.infinite:
        count = len(column.infinite)
        rows = "1 row" if count == 1 else f"{count} rows"
        return "NN504", f"is infinite in {rows}, first in {located(column.infinite[0])}"
    if column.lowest is None or column.highest is None:
        return None
    low, high = _range(dtype)
    for value, row in (column.lowest, column.highest):
        if not low <= value <= high:
            return "NN506", f"has {value:g} in {located(row)}, which {dtype} cannot represent"
    if column.fraction is not None and not dtype.startswith(("float", "bfloat")):
        value, row = column.fraction
        return "NN506", f"has {value:g} in {located(row)}, which {dtype} cannot represent"
    return None


INFINITE_FIXES = (
    Fix("correct the numbers, or leave the cells empty and say by `missing` what fills them"),
    Fix("a query makes a quotient missing where its divisor is 0: `a / nullif(b, 0)`"),
)


def _range(dtype: str) -> tuple[float, float]:
    """The lowest and highest number that a type holds."""
    if dtype == "bool":
        return 0, 1
    integer = re.fullmatch(_INTEGER, dtype)
    if integer is not None:
        bits = int(integer[2])
        return (0, 2**bits - 1) if integer[1] else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    largest = {"float16": 65519.0, "float64": float("inf")}.get(dtype, _FLOAT32_END * (1 - 2**-53))
    return -largest, largest
