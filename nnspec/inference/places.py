"""Finds where the axes and values of a diagnostic are declared or created, as related spans."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace

from nnspec.diagnostics import AxisRef, Diagnostic, NodeRef, Related, Span
from nnspec.ir.axes import Axis
from nnspec.ir.graph import Value
from nnspec.lazy import dataclass

MAX_SHOWN = 4


@dataclass
class Declarations:
    """The spans of inputs, axes and nodes, filled in while the graph is built.

    Attributes:
        places: the span of each input (`x`), axis of an input (`x.time`) and node.
        inputs: the names of the inputs.
        reads: the values that are spoken of now.
    """

    places: dict[str, Span] = field(default_factory=dict)
    inputs: set[str] = field(default_factory=set)
    reads: tuple[Value, ...] = ()

    def refine(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic with related spans of the axes and values that it names."""
        if not diagnostic.about:
            return diagnostic
        nodes = {ref.name for ref in diagnostic.about if isinstance(ref, NodeRef)}
        axes = {(ref.node, ref.name) for ref in diagnostic.about if isinstance(ref, AxisRef)}
        found = [self._value(value) for value in self.reads if value.node in nodes]
        for value in self.reads:
            for axis in value.axes:
                names = {axis.name, *(atom.name for atom in axis.atoms)}
                if any((node, name) in axes for name in names for node in ("", value.node)):
                    found += self._axis(axis)
        known = {(related.span.line, related.span.column) for related in diagnostic.related}
        new = [
            r
            for r in _drop_repeats(found)
            if (r.span.line, r.span.column) not in known and not r.span.is_at(diagnostic.span)
        ]
        return replace(diagnostic, related=(*diagnostic.related, *new[:MAX_SHOWN])) if new else diagnostic

    def _value(self, value: Value) -> Related | None:
        span = self.places.get(value.node)
        verb = "declared" if value.node in self.inputs else "made"
        return Related(span, f"{verb} here", value.node) if span is not None else None

    def _axis(self, axis: Axis) -> list[Related | None]:
        """An axis leads to its atoms: their key begins with the input or node that made them."""
        result: list[Related | None] = []
        for atom in axis.atoms:
            declared = self.places.get(atom.key)
            span = declared or self.places.get(atom.key.rpartition(".")[0])
            if declared is not None:
                what = "declared here"
            elif atom.origin is not None:  # something slid along it
                what = f"{atom.original_size} long from here on"
            else:
                what = "created here"
            result.append(Related(span, what, atom.name) if span is not None else None)
        return result


def _drop_repeats(found: Iterable[Related | None]) -> list[Related]:
    seen: dict[tuple[int, int], Related] = {}
    for related in found:
        if related is not None:
            seen.setdefault((related.span.line, related.span.column), related)
    return list(seen.values())
