"""What the expansion of a document makes: layer items in order, each with what it reads; and where it is at."""

from __future__ import annotations

from typing import Any

from nnspec.diagnostics import Span, Step
from nnspec.document import Mapping
from nnspec.expansion.naming import Names, Reference
from nnspec.expansion.substitute import Scope
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Item:
    """A layer as written once or produced by an expansion.

    Attributes:
        name: the full name, such as `residual_2/conv2d_1`, unique in the graph.
        kind: the layer's key; for a shared layer, the kind of what it shares.
        kind_span: the key's own place.
        body: the arguments with variables replaced; None where the layer was written as a bare word.
        reads: None for a reference that could not be resolved.
        shared: the name under `layers:` where the weights are shared.
        path: where in the document.
        is_frozen: whether the use of a block, or the repeat, that it is in says `trainable: false`.
    """

    name: str
    kind: str
    kind_span: Span
    body: Mapping | None
    span: Span
    reads: tuple[Reference | None, ...]
    path: tuple[str | int, ...]
    shared: str | None = None
    is_frozen: bool = False


@dataclass(frozen=True, eq=False)
class Expanded:
    """The document after expansion.

    Attributes:
        root: every section with variables replaced, except `model`, `blocks` and `layers`.
        items: the model in order.
        values: the variables.
    """

    root: Mapping
    items: tuple[Item, ...]
    values: dict[str, Any]
    final: Reference | None
    known: dict[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpansionContext:
    """Where in the expansion an item stands.

    Attributes:
        scope: the variables there.
        names: the names that can be read.
        trail: the expansions that led there, for messages.
        path: where in the document.
        suffix: what rounds of repeats add to names.
        depth: how many blocks it is inside of.
        is_frozen: whether one of them, or of the repeats, says `trainable: false`.
    """

    scope: Scope
    names: Names
    trail: tuple[Step, ...] = ()
    path: tuple[str | int, ...] = ()
    suffix: str = ""
    depth: int = 0
    is_frozen: bool = False

    def item(self, index: int) -> ExpansionContext:
        """The place of an item of the model that stands here."""
        return ExpansionContext(
            scope=self.scope,
            names=self.names,
            trail=self.trail,
            path=(*self.path, index),
            suffix=self.suffix,
            depth=self.depth,
            is_frozen=self.is_frozen,
        )
