"""Arrays as declared weights: in the spec if they are small, else in a NumPy archive next to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from nnspec.importers.keras.naming import free_name
from nnspec.importers.keras.network import Constant, Numbers
from nnspec.lazy import np

MAX_WRITTEN = 24  # longer tables would make the spec hard to read


class Tables:
    """The constants that are too long to be written into the spec.

    Attributes:
        file: the name of the NumPy archive beside the spec.
        arrays: by their names in it, each with the sizes that it has there.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.arrays: dict[str, tuple[Constant, tuple[int, ...]]] = {}

    def body(self, constant: Constant, axes: Mapping[str, int], name: str) -> dict[str, object]:
        """A declared weight of these numbers.

        Args:
            axes: the sizes of all its axes, which may be fewer than the constant has: those of size 1 are left out.
        """
        numbers = [shortest(number) for number in flatten(constant.value)]
        if len(numbers) <= MAX_WRITTEN and all(map(math.isfinite, numbers)):
            return {"axes": dict(axes), "values": nest(numbers, list(axes.values()))}
        wanted = constant, tuple(axes.values())
        known = next((old for old, other in self.arrays.items() if other == wanted), None)
        member = known or free_name(name, list(self.arrays))
        self.arrays[member] = wanted
        return {"axes": dict(axes), "file": f"{self.file}/{member}"}


def shortest(number: float) -> float:
    """The number with no more digits than float32 has."""
    return float(str(np.float32(number)))


def flatten(value: Numbers) -> list[float]:
    """The numbers of nested lists in a row."""
    return [number for inner in value for number in flatten(inner)] if isinstance(value, list | tuple) else [value]


def nest(numbers: Sequence[float], sizes: Sequence[int]) -> Numbers:
    """A row of numbers as lists within lists of these lengths."""
    if not sizes:
        return numbers[0]
    step = math.prod(sizes[1:])
    return [nest(numbers[i * step : (i + 1) * step], sizes[1:]) for i in range(sizes[0])]
