"""An output that reconstructs an input, as the `data` section says it."""

from __future__ import annotations

from nnspec.diagnostics import Span
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """An output that learns what the network reads of an input, and whose data need not be said again."""

    name: str
    input: str
    span: Span

    @property
    def where(self) -> str:
        return f"data.outputs.{self.name}.of"
