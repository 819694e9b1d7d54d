"""`repeat`, `block` and `share` written out: a document becomes a flat list of layer items with names resolved.

Every item knows what it reads by identity, so the graph needs no scopes. What cannot be resolved is reported once, and
the item reads None in its place, which later phases pass over in silence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from nnspec.diagnostics import (
    Diagnostic,
    Edit,
    Fix,
    Related,
    Report,
    Span,
    SpecError,
    Step,
    did_you_mean,
    nearest,
    quoted,
)
from nnspec.document import Mapping, Node, Scalar, Sequence, to_plain
from nnspec.expansion.block_arguments import arguments_of
from nnspec.expansion.frozen import declares_trainable, is_frozen_by
from nnspec.expansion.items import Expanded, ExpansionContext, Item
from nnspec.expansion.naming import Names, NameTable, Reference, explicit_names, snake_case
from nnspec.expansion.repeats import rounds_of
from nnspec.expansion.substitute import Substituter, resolve_vars
from nnspec.expansion.variable_origins import origins
from nnspec.ir.names import STRUCTURE
from nnspec.layers.registry import REGISTRY

MAX_ITEMS = 20_000
MAX_ROUNDS = 100_000  # of all repeats, also of those that write out nothing
MAX_BLOCK_DEPTH = 16


def expand(root: Mapping, report: Report) -> Expanded:
    """Writes the model out; faults go to `report`."""
    values = resolve_vars(root.get("vars"), report)
    with report.refined(origins(root.get("vars"), values)):
        return _expand_document(root, values, report)


def _expand_document(root: Mapping, values: dict[str, object], report: Report) -> Expanded:
    substituter = Substituter(report)
    kept: dict[str, Node] = {}
    for key, node in root.entries.items():
        if key in ("model", "blocks", "layers", "vars", "description", "name", "search"):
            kept[key] = node
        else:
            kept[key] = substituter.node(node, values)
    document = Mapping(kept, root.keys, root.span, root.size)
    expander = _Expander(document, report, substituter)
    model = root.get("model")
    inputs = kept.get("inputs")
    names = Names()
    current: Reference | None = None
    if isinstance(inputs, Mapping):
        for name in inputs.entries:
            names.known[name] = name
            expander.table.spans[name] = inputs.key_span(name)
        if len(inputs.entries) == 1:
            only = next(iter(inputs.entries))
            current = Reference(only, None, inputs.key_span(only))
    if isinstance(model, Sequence):
        names.later = explicit_names(model)
        current = expander.model(model, ExpansionContext(scope=values, names=names, path=("model",)), current)
    return Expanded(document, tuple(expander.items), values, current, names.known)


class _Expander:
    def __init__(self, root: Mapping, report: Report, substituter: Substituter) -> None:
        self.report = report
        self.substituter = substituter
        self.table = NameTable(root, report)
        self.items: list[Item] = []
        blocks, layers = root.get("blocks"), root.get("layers")
        self.blocks = blocks if isinstance(blocks, Mapping) else None
        self.layers = layers if isinstance(layers, Mapping) else None
        self.used_blocks: list[str] = []
        self.rounds_made = 0

    def error(self, code: str, message: str, span: Span, *fixes: Fix, related: tuple[Related, ...] = ()) -> None:
        self.report.add(Diagnostic(code, message, span, related=related, fixes=fixes))

    def defined(self, block: str) -> tuple[Related, ...]:
        """Where a block is defined."""
        assert self.blocks is not None
        return (Related(self.blocks.key_span(block), f"block `{block}` is defined here"),)

    # ------------------------------------------------------------------------------------------- models

    def model(self, model: Sequence, place: ExpansionContext, current: Reference | None) -> Reference | None:
        """Writes out a list of items; returns what the last one makes."""
        for index, item in enumerate(model.items):
            here = place.item(index)
            if isinstance(item, Scalar) and isinstance(item.value, str):
                if item.value in STRUCTURE:
                    self.error("NN203", f"`{item.value}` needs a body", item.span)
                    continue
                span = item.span.within(place.trail)
                current = self.layer(item.value, span, None, span, here, current)
                continue
            if not isinstance(item, Mapping) or len(item.entries) != 1:
                current = None  # the schema speaks of it
                continue
            kind, body = next(iter(item.entries.items()))
            key_span = item.key_span(kind).within(place.trail)
            if isinstance(body, Mapping) and "when" in body.entries and not self.is_wanted(body, place):
                continue
            if kind == "repeat":
                current = self.repeat(body, here, current)
            elif kind == "block":
                current = self.block(body, here, current)
            elif kind == "share":
                current = self.share(body, here, current)
            else:
                ready = self.substituted(body, place)
                current = self.layer(kind, key_span, ready, item.span.within(place.trail), here, current)
            if len(self.items) > MAX_ITEMS:
                self.refuse(f"the model has more than {MAX_ITEMS} layers after expansion", key_span)
        return current

    def refuse(self, message: str, span: Span) -> NoReturn:
        """Ends the expansion."""
        raise SpecError([*self.report, Diagnostic("NN117", message, span, fixes=(Fix("use fewer repeats"),))])

    def substituted(self, node: Node, place: ExpansionContext) -> Node:
        return self.substituter.node(node, place.scope, place.trail)

    def is_wanted(self, body: Mapping, place: ExpansionContext) -> bool:
        condition = self.substituted(body.entries["when"], place)
        value = to_plain(condition)
        if isinstance(value, str):
            self.error("NN202", f"`when` must be true or false, but it is the string `{value}`", condition.span)
        return bool(value)

    def layer(
        self,
        kind: str,
        kind_span: Span,
        body: Node | None,
        span: Span,
        place: ExpansionContext,
        current: Reference | None,
        shared: str | None = None,
    ) -> Reference:
        names = place.names
        mapping = body if isinstance(body, Mapping) else None
        if body is not None and mapping is None and not (isinstance(body, Scalar) and body.value is None):
            mapping = Mapping({"": body}, {"": Scalar("", kind_span)}, body.span, body.size)  # a verb's short form
        name_node = mapping.get("name") if mapping else None
        self.table.enter(name_node)
        reads = self.table.read(mapping.get("from") if mapping else None, names, current, span)
        reads += self.referenced(kind, mapping, names)
        local = name_node.value if isinstance(name_node, Scalar) and isinstance(name_node.value, str) else None
        if local is None:
            full = self.table.number(names.prefix + (shared or snake_case(kind)))
            self.table.spans[full] = kind_span
        else:
            full = self.table.claim(names.prefix + local + place.suffix, name_node.span if name_node else span)
            names.known[local] = full
            names.known[local + place.suffix] = full
        if local is None:
            names.known.setdefault(full.removeprefix(names.prefix), full)
        self.table.readable.add(full)
        self.items.append(
            Item(
                name=full,
                kind=kind,
                kind_span=kind_span,
                body=mapping,
                span=span,
                reads=reads,
                path=place.path,
                shared=shared,
                is_frozen=place.is_frozen,
            )
        )
        return Reference(full, None, kind_span)

    def referenced(self, kind: str, body: Mapping | None, names: Names) -> tuple[Reference | None, ...]:
        """What arguments of the layer name, such as an attention mask."""
        if body is None or kind not in REGISTRY:
            return ()
        known = REGISTRY[kind].references
        return tuple(self.table.look_up(body.entries[key], names) for key in known if key in body.entries)

    # ------------------------------------------------------------------------------------------- expansions

    def repeat(self, body: Node, place: ExpansionContext, current: Reference | None) -> Reference | None:
        if not isinstance(body, Mapping) or not isinstance(body.get("model"), Sequence):
            return None
        model = body.entries["model"]
        assert isinstance(model, Sequence)
        is_frozen = place.is_frozen or is_frozen_by(body, lambda node: self.substituted(node, place))
        rounds = rounds_of(body, lambda node: self.substituted(node, place), self.report, MAX_ROUNDS)
        for number, values in enumerate(rounds or (), start=1):
            self.rounds_made += 1
            if self.rounds_made > MAX_ROUNDS:
                self.refuse(
                    (f"the repeats have more than {MAX_ROUNDS} iterations in total"), body.span.within(place.trail)
                )
            inside = replace(
                place,
                scope={**place.scope, **values},
                trail=(*place.trail, Step("repeat", None, values, (number, len(rounds or ())))),
                path=(*place.path, "repeat", "model"),
                suffix=f"{place.suffix}_{number}",
                is_frozen=is_frozen,
            )
            current = self.model(model, inside, current)
        return current if rounds is not None else None

    def block(self, body: Node, place: ExpansionContext, current: Reference | None) -> Reference | None:
        ready = self.substituted(body, place)
        if isinstance(ready, Scalar) and isinstance(ready.value, str):
            key = Scalar("use", ready.span)
            ready = Mapping({"use": ready}, {"use": key}, ready.span, 2)
        if not isinstance(ready, Mapping) or not isinstance(use := ready.get("use"), Scalar):
            return None
        definition = self.definition(self.blocks, "block", use)
        if not isinstance(definition, Mapping) or not isinstance(inner := definition.get("model"), Sequence):
            return None
        kind = str(use.value)
        if kind in self.used_blocks or place.depth >= MAX_BLOCK_DEPTH:
            ring = " -> ".join([*self.used_blocks, kind])
            message = f"block `{kind}` uses itself: {ring}"
            if kind not in self.used_blocks:
                message = f"blocks are nested more than {MAX_BLOCK_DEPTH} levels deep: {ring}"
            fix = Fix("to write layers several times, use `repeat`")
            self.error("NN115", message, use.span, fix, related=self.defined(kind))
            return None
        given = arguments_of(kind, definition, ready, self.defined(kind), self.report)
        if given is None:
            return None
        names, name_node = place.names, ready.get("name")
        if isinstance(name_node, Scalar) and isinstance(name_node.value, str):
            full = self.table.claim(names.prefix + name_node.value + place.suffix, name_node.span)
            local = name_node.value
        else:
            full = self.table.number(names.prefix + kind)
            self.table.spans[full] = use.span
            local = full.removeprefix(names.prefix)
        self.table.enter(name_node)
        reads = self.table.read(ready.get("from"), names, current, use.span)
        inside = Names(f"{full}/", later=explicit_names(inner))
        declared = definition.get("inputs")
        labels = [str(to_plain(n)) for n in declared.items] if isinstance(declared, Sequence) else ["input"]
        if len(reads) != len(labels):
            wanted = f"{len(labels)} input{'s' if len(labels) != 1 else ''} ({quoted(labels)})"
            fix = Fix(f"name its inputs: `from: [{', '.join(['NAME'] * len(labels))}]`")
            message = f"block `{kind}` takes {wanted}, but it gets {len(reads)}"
            self.error("NN404", message, use.span, fix, related=self.defined(kind))
            return None
        for label, reference in zip(labels, reads, strict=True):
            inside.known[label] = reference.key if reference else None
        first = reads[0] if len(reads) == 1 else None
        self.used_blocks.append(kind)
        path = ("blocks", kind, "model")
        step = Step(f"block {kind}", ready.span, given)
        own = ExpansionContext(
            scope={**place.scope, **given},
            names=inside,
            trail=(*place.trail, step),
            path=path,
            depth=place.depth + 1,
            is_frozen=place.is_frozen or (not declares_trainable(definition) and is_frozen_by(ready)),
        )
        result = self.model(inner, own, first)
        self.used_blocks.pop()
        for known in {local, local + place.suffix}:
            names.known[known] = result.key if result else None
        return result

    def definition(self, section: Mapping | None, what: str, use: Scalar) -> Node | None:
        known = section.entries if section else {}
        name = str(use.value)
        if name in known:
            return known[name]
        plural = "blocks" if what == "block" else "layers"
        fixes = [Fix(f"use `{c}`", (Edit(use.span, c),)) for c in nearest(name, known)]
        self.error("NN114", f"no {what} `{name}` under `{plural}:`{did_you_mean(name, known)}", use.span, *fixes)
        return None

    def share(self, body: Node, place: ExpansionContext, current: Reference | None) -> Reference | None:
        ready = self.substituted(body, place)
        use = ready.get("use") if isinstance(ready, Mapping) else ready
        if not isinstance(use, Scalar) or not isinstance(use.value, str):
            return None
        definition = self.definition(self.layers, "shared layer", use)
        if definition is None:
            return None
        if isinstance(definition, Scalar) and isinstance(definition.value, str):
            kind, inner = definition.value, None
        elif isinstance(definition, Mapping) and len(definition.entries) == 1:
            kind, inner = next(iter(definition.entries.items()))
            step = Step(f"shared layer {use.value}", use.span)
            inner = self.substituter.node(inner, place.scope, (*place.trail, step))
        else:
            return None
        merged: dict[str, Node] = dict(inner.entries) if isinstance(inner, Mapping) else {}
        keys = dict(inner.keys) if isinstance(inner, Mapping) else {}
        if isinstance(ready, Mapping):
            for key, node in ready.entries.items():  # names, and arguments that a layer takes at each use
                if key not in ("use", "when"):
                    merged[key], keys[key] = node, ready.keys[key]
        mapping = Mapping(merged, keys, use.span, 1 + sum(v.size for v in merged.values()))
        return self.layer(kind, use.span, mapping, use.span, place, current, shared=str(use.value))
