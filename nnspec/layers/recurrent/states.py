"""The states of recurrent layers: their names and axes."""

from __future__ import annotations

from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class StateSpec:
    """What a step hands to the next: its name, and its axes without batch."""

    name: str
    axes: Axes

    def port(self, node: Node) -> str:
        """What it is called in the deployed graph where the node is stateful."""
        return f"{node.name}_{self.name}"
