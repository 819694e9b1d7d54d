"""Lowers a graph without its weights: numbers stand in for them, and large constants are not kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.onnx.builder import GraphBuilder
from nnspec.ir.graph import Graph

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

LARGE = 1024  # numbers; constants whose values shape a graph, such as axes and sizes, are far smaller


class _Shapes(dict[str, np.ndarray]):
    """Keeps small arrays, and of large ones the shape."""

    def __setitem__(self, name: str, array: np.ndarray) -> None:
        super().__setitem__(name, array if array.size <= LARGE else stand_in(array.shape, array.dtype))


@dataclass(kw_only=True)
class SketchBuilder(GraphBuilder):
    """A builder of a graph whose nodes are wanted, and whose weights are not there."""

    constants: dict[str, np.ndarray] = field(default_factory=_Shapes)

    def constant(self, array: ArrayLike, stem: str) -> str:
        if np.size(array) <= LARGE:
            return super().constant(array, stem)
        name = self.unique(stem)  # which others have the same content, nodes do not depend on
        self.constants[name] = np.asarray(array)
        return name

    def own_constant(self, array: np.ndarray, stem: str) -> str:
        name = self.unique(stem)
        self.constants[name] = array
        return name


def stand_in(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> np.ndarray:
    """An array that takes the memory of its last axis alone; its numbers differ from each other, from 0 and from 1."""
    if dtype.kind not in "fiu" or not math.prod(shape):
        return np.zeros(shape, dtype)
    last = shape[-1] if shape else 1
    row = (np.linspace(0.25, 0.75, last) if dtype.kind == "f" else np.arange(2, last + 2)).astype(dtype)
    return np.broadcast_to(row if shape else row[0], shape)


def stand_in_weights(graph: Graph) -> Mapping[str, Mapping[str, np.ndarray]]:
    """By owner and weight, as trained weights are."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for node in graph.nodes:
        own = found.setdefault(node.owner, {})
        for weight in node.weights:
            own[weight.name] = stand_in(tuple(int(str(size)) for size in weight.shape), np.dtype(np.float32))
    return found
