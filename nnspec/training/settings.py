"""The settings of a spec's `training` section, with defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nnspec.diagnostics import Span
from nnspec.ir.graph import Args, Graph
from nnspec.training.plan import DEFAULTS


@dataclass(frozen=True)
class Settings:
    """The `training` section with defaults."""

    values: Args
    span: Span

    @classmethod
    def from_section(cls, section: Args, span: Span) -> Settings:
        return cls({**DEFAULTS, **section}, span)

    def __getitem__(self, key: str) -> Any:
        return self.values[key]


def fixed_batches(graph: Graph, settings: Settings) -> dict[str, int | None]:
    """The batch size that each input is built with: only stateful layers need one."""
    stateful = any(node.is_stateful for node in graph.nodes)
    declared = dict(graph.batches)
    return {name: declared.get(name) or (settings["batch_size"] if stateful else None) for name in graph.inputs}
