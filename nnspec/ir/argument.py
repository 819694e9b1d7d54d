"""What the graph knows of the arguments that layers declare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Argument(Protocol):
    """An argument that a layer declares (`nnspec.layers.kit.args.Arg`)."""

    @property
    def schema(self) -> Mapping[str, object]: ...
    @property
    def description(self) -> str: ...
    @property
    def default(self) -> object: ...
    @property
    def family(self) -> str | None: ...
