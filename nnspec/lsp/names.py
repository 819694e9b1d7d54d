"""Names in a spec: where each is declared and where it is used, for go-to-definition, references and renaming.

The scopes are those of the language: nodes are known in their model, the variables of a repeat and the parameters of a
block inside of it, the rest everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.diagnostics import Span
from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.expansion.expressions import FUNCTIONS
from nnspec.layers.registry import REGISTRY
from nnspec.pipeline import Survey

_VARIABLE = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Name:
    """One mention of a name.

    Attributes:
        kind: `node`, `variable`, `block` or `layer`.
        scope: what tells equal names apart: where the declaration stands, or the block whose nodes it belongs to.
        span: the name alone, without `$` or a port.
    """

    kind: str
    scope: str
    text: str
    span: Span
    is_declaration: bool = False

    def is_same(self, other: Name) -> bool:
        return (self.kind, self.scope, self.text) == (other.kind, other.scope, other.text)


def names(survey: Survey) -> list[Name]:
    """Every mention of a name in the text."""
    root = survey.root
    if not isinstance(root, Mapping):
        return []
    found = list(_Walk().document(root))
    declared = {(name.kind, name.scope, name.text) for name in found if name.is_declaration}
    made = generated_names(survey)
    for name in found:
        key = (name.kind, name.scope, name.text)
        if key not in declared and name.kind == "node" and name.scope == "" and name.text in made:
            found.append(Name("node", "", name.text, made[name.text], is_declaration=True))
            declared.add(key)
    return found


def generated_names(survey: Survey) -> dict[str, Span]:
    """The places of layers that have no name of their own but are read by the one that they are given."""
    items = survey.expanded.items if survey.expanded is not None else ()
    return {item.name: item.kind_span for item in items if not item.kind_span.trail}


class _Walk:
    """Goes through the document; `variables` says for each variable in scope where it is declared."""

    def document(self, root: Mapping) -> Iterator[Name]:
        variables: dict[str, str] = {}
        section = root.get("vars")
        if isinstance(section, Mapping):
            variables = dict.fromkeys(section.entries, "")
            for name in section.entries:
                yield Name("variable", "", name, section.key_span(name), is_declaration=True)
        inputs = root.get("inputs")
        for name in inputs.entries if isinstance(inputs, Mapping) else ():
            yield Name("node", "", name, inputs.key_span(name), is_declaration=True)  # type: ignore[union-attr]
        for key, node in root.entries.items():
            if key == "model":
                yield from self.model(node, "", variables)
            elif key == "blocks":
                yield from self.blocks(node, variables)
            elif key == "layers" and isinstance(node, Mapping):
                for name, body in node.entries.items():
                    yield Name("layer", "", name, node.key_span(name), is_declaration=True)
                    yield from self.values(body, variables)
            elif key == "outputs" and isinstance(node, Mapping):
                for body in node.entries.values():
                    yield from self.reads(body.get("from") if isinstance(body, Mapping) else None, "")
                    yield from self.values(body, variables)
            else:
                yield from self.values(node, variables)

    def blocks(self, section: Node, variables: dict[str, str]) -> Iterator[Name]:
        for block, body in section.entries.items() if isinstance(section, Mapping) else ():
            yield Name("block", "", block, section.key_span(block), is_declaration=True)  # type: ignore[union-attr]
            if not isinstance(body, Mapping):
                continue
            inner = dict(variables)
            parameters = body.get("parameters")
            if isinstance(parameters, Mapping):
                inner |= dict.fromkeys(parameters.entries, block)
                for name in parameters.entries:
                    yield Name("variable", block, name, parameters.key_span(name), is_declaration=True)
            declared = body.get("inputs")
            for item in declared.items if isinstance(declared, Sequence) else ():
                if isinstance(item, Scalar) and isinstance(item.value, str):
                    yield Name("node", block, item.value, item.span, is_declaration=True)
            yield from self.model(body.get("model"), block, inner)

    def model(self, model: Node | None, scope: str, variables: dict[str, str]) -> Iterator[Name]:
        for item in model.items if isinstance(model, Sequence) else ():
            if not isinstance(item, Mapping):
                continue
            for kind, body in item.entries.items():
                if kind == "repeat" and isinstance(body, Mapping):
                    yield from self.repeat(body, scope, variables)
                    continue
                if kind in ("block", "share"):
                    yield from self.use(kind, body, variables)
                if isinstance(body, Mapping):
                    name = body.get("name")
                    if isinstance(name, Scalar) and isinstance(name.value, str):
                        yield Name("node", scope, name.value, name.span, is_declaration=True)
                    for argument in ("from", *(REGISTRY[kind].references if kind in REGISTRY else ())):
                        yield from self.reads(body.get(argument), scope)
                yield from self.values(body, variables)

    def repeat(self, body: Mapping, scope: str, variables: dict[str, str]) -> Iterator[Name]:
        inner = dict(variables)
        loop = body.get("for")
        if isinstance(loop, Mapping):
            place = f"{body.span.line}:{body.span.column}"
            inner |= dict.fromkeys(loop.entries, place)
            for name in loop.entries:
                yield Name("variable", place, name, loop.key_span(name), is_declaration=True)
        for key, node in body.entries.items():
            if key == "model":
                yield from self.model(node, scope, inner)
            else:
                yield from self.values(node, variables)

    def use(self, kind: str, body: Node, variables: dict[str, str]) -> Iterator[Name]:
        used = body.get("use") if isinstance(body, Mapping) else body
        if isinstance(used, Scalar) and isinstance(used.value, str):
            yield Name("block" if kind == "block" else "layer", "", used.value, used.span)
            for key in body.entries if isinstance(body, Mapping) and kind == "block" else ():
                if key not in ("use", "name", "from", "when"):
                    yield Name("variable", used.value, key, body.key_span(key))  # type: ignore[union-attr]

    def reads(self, node: Node | None, scope: str) -> Iterator[Name]:
        for item in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(item, Scalar) and isinstance(item.value, str):
                local = item.value.partition(".")[0]
                yield Name("node", scope, local, _part(item, 0, len(local)))

    def values(self, node: Node, variables: dict[str, str]) -> Iterator[Name]:
        """The variables that values use."""
        if isinstance(node, Mapping):
            for child in node.entries.values():
                yield from self.values(child, variables)
        elif isinstance(node, Sequence):
            for child in node.items:
                yield from self.values(child, variables)
        elif isinstance(node.value, str) and "$" in node.value and node.span.line == node.span.end_line:
            text = node.span.text
            for found in _VARIABLE.finditer(text, text.index("$")):
                if found.group() in variables and (found.group() not in FUNCTIONS or f"{found.group()}(" not in text):
                    start = node.span.column + found.start()
                    span = node.span.moved(column=start, end_column=start + len(found.group()))
                    yield Name("variable", variables[found.group()], found.group(), span)


def _part(scalar: Scalar, start: int, end: int) -> Span:
    """A part of a scalar's text, quotes left out."""
    quote = 0 if scalar.is_plain else 1
    column = scalar.span.column + quote
    return scalar.span.moved(column=column + start, end_line=scalar.span.line, end_column=column + end)
