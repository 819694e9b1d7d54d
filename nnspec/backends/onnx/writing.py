"""Writes nodes and constants under the name of the current layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.onnx.builder import Body, GraphBuilder

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass
class NodeWriter:
    """Writes to a graph.

    Attributes:
        stem: what the names of nodes and constants begin with.
    """

    graph: GraphBuilder
    stem: str = ""
    _made: dict[tuple[str, str], str] = field(default_factory=dict, kw_only=True)

    def node(self, op: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: object) -> str:
        """Appends a node; the name of its first output."""
        return self.graph.add(op, inputs, stem=self.stem, outputs=outputs, attributes=attributes, domain=domain)[0]

    def nodes(self, op: str, *inputs: str, outputs: int, domain: str = "", **attributes: object) -> list[str]:
        return self.graph.add(op, inputs, stem=self.stem, outputs=outputs, attributes=attributes, domain=domain)

    def once(self, what: str, tensor: str, make: Callable[[], str]) -> str:
        """The result of `make`, which is called the first time that this is wanted of a tensor."""
        key = what, tensor
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @contextmanager
    def body(self) -> Iterator[Body]:
        """What is written inside becomes the body of a Scan."""
        made = dict(self._made)
        with self.graph.body() as body:
            yield body
        self._made = made  # what was made inside cannot be read outside

    def constant(self, array: ArrayLike, hint: str) -> str:
        return self.graph.constant(array, f"{self.stem}/{hint}")

    def scalar(self, value: float, dtype: str = "float32") -> str:
        return self.graph.constant(np.asarray(value, dtype), f"{self.stem}/{value:g}")
