"""Rows that something was done to, each row something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Inputs = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Variant:
    """Raw inputs to compare on.

    Attributes:
        name: what was done to them.
        inputs: by name; all have as many rows.
        rows: what was done to each row.
    """

    name: str
    inputs: dict[str, np.ndarray]
    rows: tuple[str, ...]

    def described(self, row: int) -> str:
        """What was done to a row, in words."""
        if self.name.startswith("padding"):
            return f"a row with {self.name}: {self.rows[row]}"
        return f"a row of {self.name}: {self.rows[row]}"

    def cut(self, rows: Sequence[int]) -> Variant:
        """Some of the rows."""
        kept = {name: array[list(rows)] for name, array in self.inputs.items()}
        return Variant(self.name, kept, tuple(self.rows[row] for row in rows))


def repeat_rows(array: np.ndarray, count: int) -> np.ndarray:
    """The rows of an array over and over until there are so many."""
    return np.take(array, np.arange(count) % len(array), axis=0)
