"""Where the axes and values that a diagnostic speaks of are declared or made: second places to look at.

Messages put names in backquotes and list a value's axes as `(time 10, feature 5)`: that tells which are meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from nnspec.diagnostics import Diagnostic, Related, Span
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Value

_QUOTED = re.compile(r"`([A-Za-z_][\w\-/.]*)`")
MAX_SHOWN = 4


@dataclass
class Declarations:
    """The places of inputs, axes and nodes, filled in as the graph grows.

    Attributes:
        places: the span of each input (`x`), axis of an input (`x.time`) and node.
        inputs: the names of the inputs.
        reads: the values that are spoken of now.
    """

    places: dict[str, Span] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    reads: tuple[Value, ...] = ()

    def refine(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with the places of what it names, where it is about what a layer reads."""
        if diagnostic.code[:3] not in ("NN3", "NN4") or not self.reads:
            return diagnostic
        said = f"{diagnostic.message} {diagnostic.label}"
        words = set(_QUOTED.findall(said))
        found = [self._value(value) for value in self.reads if value.node in words]
        for value in self.reads:
            is_listed = ax.describe(value.axes) in said
            for axis in value.axes:
                if is_listed or axis.name in words or any(atom.name in words for atom in axis.atoms):
                    found += self._axis(axis)
        known = {(related.span.line, related.span.column) for related in diagnostic.related}
        new = [
            r for r in _once(found) if (r.span.line, r.span.column) not in known and not r.span.is_at(diagnostic.span)
        ]
        return replace(diagnostic, related=(*diagnostic.related, *new[:MAX_SHOWN])) if new else diagnostic

    def _value(self, value: Value) -> Related | None:
        span = self.places.get(value.node)
        verb = "declared" if value.node in self.inputs else "made"
        return Related(span, f"`{value.node}` is {verb} here") if span is not None else None

    def _axis(self, axis: Axis) -> list[Related | None]:
        """An axis leads to its atoms: their key begins with the input or node that made them."""
        result: list[Related | None] = []
        for atom in axis.atoms:
            declared = self.places.get(atom.key)
            span = declared or self.places.get(atom.key.rpartition(".")[0])
            if declared is not None:
                what = f"`{atom.name}` is declared here"
            elif atom.origin is not None:  # something slid along it
                what = f"`{atom.name}` is {atom.whole} long from here on"
            else:
                what = f"`{atom.name}` is made here"
            result.append(Related(span, what) if span is not None else None)
        return result


def _once(found: Iterable[Related | None]) -> list[Related]:
    seen: dict[tuple[int, int], Related] = {}
    for related in found:
        if related is not None:
            seen.setdefault((related.span.line, related.span.column), related)
    return list(seen.values())
