"""The outline of a spec: its sections, and one line for each layer with its output axes."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from nnspec.diagnostics import Span
from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.lsp.network import axes_out, nodes_by_place
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey

MAX_SYMBOLS = 5000


def outline(survey: Survey, positions: Positions) -> list[lsp.DocumentSymbol]:
    root = survey.root
    if not isinstance(root, Mapping):
        return []
    builder = _Outline(survey, positions)
    return [builder.entry(root, name) for name in root.entries]


class _Outline:
    def __init__(self, survey: Survey, positions: Positions) -> None:
        self.positions = positions
        self.nodes = nodes_by_place(survey)
        self.count = 0

    def entry(self, parent: Mapping, name: str) -> lsp.DocumentSymbol:
        """A key of a mapping with what stands under it."""
        body = parent.entries[name]
        children: list[lsp.DocumentSymbol] = []
        if name == "model":
            children = list(self.items(body))
        elif isinstance(body, Mapping) and name in ("inputs", "outputs", "blocks", "layers", "vars", "repeat"):
            children = [self.entry(body, inner) for inner in body.entries]
        elif isinstance(body, Mapping) and "model" in body.entries:
            children = [self.entry(body, "model")]
        return self.symbol(name, parent.key_span(name), body.span, lsp.SymbolKind.Namespace, children=children)

    def items(self, model: Node) -> Iterator[lsp.DocumentSymbol]:
        for item in model.items if isinstance(model, Sequence) else ():
            self.count += 1
            if self.count > MAX_SYMBOLS:
                return
            made = self.nodes.get((item.span.line, item.span.column), [])
            detail = axes_out(made[0]) if made else ""
            if isinstance(item, Scalar):
                yield self.symbol(str(item.value), item.span, item.span, lsp.SymbolKind.Function, detail)
            elif isinstance(item, Mapping) and item.entries:
                kind, body = next(iter(item.entries.items()))
                name = body.get("name") if isinstance(body, Mapping) else None
                label = f"{kind} {name.value}" if isinstance(name, Scalar) else kind
                inner = body.get("model") if isinstance(body, Mapping) else None
                children = list(self.items(inner)) if inner is not None else []
                yield self.symbol(label, item.key_span(kind), body.span, lsp.SymbolKind.Function, detail, children)

    def symbol(
        self,
        name: str,
        key: Span,
        body: Span,
        kind: lsp.SymbolKind,
        detail: str = "",
        children: list[lsp.DocumentSymbol] | None = None,
    ) -> lsp.DocumentSymbol:
        here = self.positions.range(key)
        end = max(here.end, self.positions.range(body).end)
        whole = lsp.Range(here.start, end)
        return lsp.DocumentSymbol(name or "?", kind, whole, here, detail, children=children or [])
