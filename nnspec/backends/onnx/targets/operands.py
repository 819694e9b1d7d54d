"""What a rule for the shapes of a node's outputs sees of it.

A shape is a tuple with None for sizes that are open; None in place of it, where the number of dimensions is open too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import SupportsInt

import numpy as np

from nnspec.backends.onnx.builder import OnnxNode

Dim = int | None
Shape = tuple[Dim, ...] | None


@dataclass(frozen=True)
class Operands:
    """A node, the shapes of what it reads and the constants among them."""

    node: OnnxNode
    shapes: Sequence[Shape]
    constants: Mapping[str, np.ndarray]

    def shape(self, place: int = 0) -> Shape:
        return self.shapes[place] if place < len(self.shapes) else None

    def has(self, place: int) -> bool:
        return place < len(self.node.inputs) and self.node.inputs[place] != ""

    def numbers(self, place: int) -> list[int] | None:
        """What a constant operand holds; None where it is none."""
        array = self.constants.get(self.node.inputs[place]) if self.has(place) else None
        return None if array is None else [int(number) for number in np.ravel(array)]

    def number(self, name: str, default: int = 0) -> int:
        """An attribute."""
        found = self.node.attributes.get(name)
        return int(found) if isinstance(found, SupportsInt) else default

    def integers(self, name: str) -> list[int] | None:
        """An attribute that is a list; None where it is left out."""
        found = self.node.attributes.get(name)
        return None if found is None else [int(number) for number in np.asarray(found).ravel()]

    def word(self, name: str) -> str:
        return str(self.node.attributes.get(name, ""))


Rule = Callable[[Operands], Sequence[Shape]]
