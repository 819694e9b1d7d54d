"""`repeat`, `block` and `share` written out: a document becomes a flat list of layer items with names resolved.

Every item knows what it reads by identity, so the graph needs no scopes. What cannot be resolved is reported once, and
the item reads None in its place, which later phases pass over in silence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nnspec.diagnostics import Diagnostic, Edit, Fix, Related, Report, Span, SpecError, did_you_mean, nearest
from nnspec.document import Mapping, Node, Scalar, Sequence, to_plain
from nnspec.substitute import Scope, Substituter, resolve_vars

MAX_ITEMS = 100_000
MAX_BLOCK_DEPTH = 16
_STRUCTURE = ("repeat", "block", "share")
_BLOCK_KEYS = ("use", "name", "from", "when")


@dataclass(frozen=True, slots=True)
class Reference:
    """What an item reads: an input or another item by its key, and for several outputs which one."""

    key: str
    port: str | None
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
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
    """

    name: str
    kind: str
    kind_span: Span
    body: Mapping | None
    span: Span
    reads: tuple[Reference | None, ...]
    path: tuple[str | int, ...]
    shared: str | None = None


@dataclass
class Names:
    """The names that a sub-model can see: its own and, at the top, the inputs; `later` are those that it will make."""

    prefix: str = ""
    known: dict[str, str | None] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)


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


def expand(root: Mapping, report: Report) -> Expanded:
    """Writes the model out; faults go to `report`."""
    values = resolve_vars(root.get("vars"), report)
    substituter = Substituter(report)
    kept: dict[str, Node] = {}
    for key, node in root.entries.items():
        if key in ("model", "blocks", "layers", "vars", "description", "name"):
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
            expander.places[name] = inputs.key_span(name)
        if len(inputs.entries) == 1:
            only = next(iter(inputs.entries))
            current = Reference(only, None, inputs.key_span(only))
    if isinstance(model, Sequence):
        names.later = expander.explicit_names(model)
        current = expander.model(model, values, names, current, (), ("model",))
    return Expanded(document, tuple(expander.items), values, current, names.known)


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])")


def snake_case(kind: str) -> str:
    """`MaxPooling1D` as `max_pooling1d`."""
    return _CAMEL.sub("_", kind).lower()


class _Expander:
    def __init__(self, root: Mapping, report: Report, substituter: Substituter) -> None:
        self.report = report
        self.substituter = substituter
        self.items: list[Item] = []
        self.numbers: Counter[str] = Counter()
        self.places: dict[str, Span] = {}
        blocks, layers = root.get("blocks"), root.get("layers")
        self.blocks = blocks if isinstance(blocks, Mapping) else None
        self.layers = layers if isinstance(layers, Mapping) else None
        self.used_blocks: list[str] = []
        self.made: set[str] = set()  # the full names that can be read; blocks have one too, but are no node
        self.own_name: set[tuple[int, int]] = set()  # the place of the name of the item that is being read
        self.chosen = self.chosen_names(root)

    def chosen_names(self, root: Mapping) -> frozenset[str]:
        """Every name that the document gives to a node: what is numbered keeps clear of them."""
        models = [root.get("model")]
        blocks = self.blocks.entries.values() if self.blocks else ()
        models += [block.get("model") for block in blocks if isinstance(block, Mapping)]
        inputs = root.get("inputs")
        found = set(inputs.entries) if isinstance(inputs, Mapping) else set()
        for model in models:
            found |= set(self.explicit_names(model) if isinstance(model, Sequence) else ())
        return frozenset(found)

    def explicit_names(self, model: Sequence) -> dict[str, Span]:
        """The names that a list of items gives, those inside its repeats too."""
        result: dict[str, Span] = {}
        for item in model.items:
            if not isinstance(item, Mapping) or len(item.entries) != 1:
                continue
            kind, body = next(iter(item.entries.items()))
            if not isinstance(body, Mapping):
                continue
            name, inner = body.get("name"), body.get("model")
            if isinstance(name, Scalar) and isinstance(name.value, str):
                result.setdefault(name.value, name.span)
            if kind == "repeat" and isinstance(inner, Sequence):
                for label, span in self.explicit_names(inner).items():
                    result.setdefault(label, span)
        return result

    def error(self, code: str, message: str, span: Span, *fixes: Fix) -> None:
        self.report.add(Diagnostic(code, message, span, fixes=fixes))

    # ------------------------------------------------------------------------------------------- names

    def claim(self, name: str, span: Span) -> str:
        """A full name for an explicit one. A second claim is an error."""
        if name in self.places:
            first = self.places[name]
            self.report.add(
                Diagnostic(
                    "NN402",
                    f"the name `{name}` is taken (line {first.line})",
                    span,
                    related=(Related(first, "the first one"),),
                    fixes=(Fix("give one of them another name"),),
                )
            )
            return self.number(name)
        self.places[name] = span
        return name

    def number(self, stem: str) -> str:
        """`stem_1`, `stem_2`, …: the next that is free."""
        if stem.rpartition("/")[2] in self.chosen:  # whose rounds in a repeat are numbered in the same way
            stem += "_layer"
        while True:
            self.numbers[stem] += 1
            name = f"{stem}_{self.numbers[stem]}"
            if name not in self.places and name.rpartition("/")[2] not in self.chosen:
                return name

    def look_up(self, node: Node, names: Names) -> Reference | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None  # the schema speaks of it
        text = node.value
        local, _, port = text.partition(".")
        if local in names.known:
            key = names.known[local]
            return None if key is None else Reference(key, port or None, node.span)
        if text in self.made:  # a full name, such as residual_2/conv2d_1
            return Reference(text, None, node.span)
        if local in names.later:
            self.report.add(self.forward(local, node.span, names.later[local]))
            return None
        rest = f".{port}" if port else ""
        fixes = [Fix(f"read `{close}`", (Edit(node.span, close + rest),)) for close in nearest(local, names.known)]
        known = ", ".join(f"`{n}`" for n in list(names.known)[:8])
        self.report.add(
            Diagnostic(
                "NN401",
                f"nothing above is named `{local}`{did_you_mean(local, names.known)}",
                node.span,
                notes=(f"names that can be read here: {known}",) if known else (),
                fixes=tuple(fixes),
            )
        )
        return None

    def forward(self, name: str, here: Span, there: Span) -> Diagnostic:
        """NN403: what is read stands at the same place, or further below."""
        fixes = [Fix("a network has no loops: state is kept by recurrent layers (`LSTM`, `GRU`, `SimpleRNN`)")]
        if (there.line, there.column) in self.own_name:
            message = f"`{name}` reads itself"
        else:
            message = f"`{name}` stands further below (line {there.line}); a layer reads what stands above it"
            fixes.insert(0, Fix(f"move `{name}` up, before what reads it"))
        return Diagnostic(
            "NN403", message, here, related=(Related(there, f"`{name}` is made here"),), fixes=tuple(fixes)
        )

    def read(
        self, node: Node | None, names: Names, current: Reference | None, span: Span
    ) -> tuple[Reference | None, ...]:
        if node is None:
            if current is None and not self.items and len(names.known) > 1:
                known = ", ".join(f"`{n}`" for n in names.known)
                fix = Fix(f"add `from:` with one of {known}")
                self.error("NN404", "the first layer must say which input it reads", span, fix)
            return (current,)
        return tuple(self.look_up(n, names) for n in (node.items if isinstance(node, Sequence) else (node,)))

    # ------------------------------------------------------------------------------------------- models

    def model(
        self,
        model: Sequence,
        scope: Scope,
        names: Names,
        current: Reference | None,
        trail: tuple[str, ...],
        path: tuple[str | int, ...],
        suffix: str = "",
        depth: int = 0,
    ) -> Reference | None:
        """Writes out a list of items; returns what the last one makes."""
        for index, item in enumerate(model.items):
            here = (*path, index)
            if isinstance(item, Scalar) and isinstance(item.value, str):
                if item.value in _STRUCTURE:
                    self.error("NN203", f"`{item.value}` needs a body", item.span)
                    continue
                span = item.span.within(trail)
                current = self.layer(item.value, span, None, span, names, current, here, suffix)
                continue
            if not isinstance(item, Mapping) or len(item.entries) != 1:
                current = None  # the schema speaks of it
                continue
            kind, body = next(iter(item.entries.items()))
            key_span = item.key_span(kind).within(trail)
            if isinstance(body, Mapping) and "when" in body.entries and not self.is_wanted(body, scope, trail):
                continue
            if kind == "repeat":
                current = self.repeat(body, scope, names, current, trail, here, suffix, depth)
            elif kind == "block":
                current = self.block(body, scope, names, current, trail, here, suffix, depth)
            elif kind == "share":
                current = self.share(body, scope, names, current, trail, here, key_span, suffix)
            else:
                ready = self.substituter.node(body, scope, trail)
                current = self.layer(kind, key_span, ready, item.span.within(trail), names, current, here, suffix)
            if len(self.items) > MAX_ITEMS:
                message = f"the model has more than {MAX_ITEMS} layers once written out"
                raise SpecError.single("NN117", message, key_span)
        return current

    def is_wanted(self, body: Mapping, scope: Scope, trail: tuple[str, ...]) -> bool:
        return bool(to_plain(self.substituter.node(body.entries["when"], scope, trail)))

    def layer(
        self,
        kind: str,
        kind_span: Span,
        body: Node | None,
        span: Span,
        names: Names,
        current: Reference | None,
        path: tuple[str | int, ...],
        suffix: str,
        shared: str | None = None,
    ) -> Reference:
        mapping = body if isinstance(body, Mapping) else None
        if body is not None and mapping is None and not (isinstance(body, Scalar) and body.value is None):
            mapping = Mapping({"": body}, {"": Scalar("", kind_span)}, body.span, body.size)  # a verb's short form
        name_node = mapping.get("name") if mapping else None
        self.own_name = {(name_node.span.line, name_node.span.column)} if name_node else set()
        reads = self.read(mapping.get("from") if mapping else None, names, current, span)
        local = name_node.value if isinstance(name_node, Scalar) and isinstance(name_node.value, str) else None
        if local is None:
            full = self.number(names.prefix + (shared or snake_case(kind)))
            self.places[full] = kind_span
        else:
            full = self.claim(names.prefix + local + suffix, name_node.span if name_node else span)
            names.known[local] = full
            names.known[local + suffix] = full
        if local is None:
            names.known.setdefault(full.removeprefix(names.prefix), full)
        self.made.add(full)
        self.items.append(Item(full, kind, kind_span, mapping, span, reads, path, shared))
        return Reference(full, None, kind_span)

    # ------------------------------------------------------------------------------------------- expansions

    def repeat(
        self,
        body: Node,
        scope: Scope,
        names: Names,
        current: Reference | None,
        trail: tuple[str, ...],
        path: tuple[str | int, ...],
        suffix: str,
        depth: int,
    ) -> Reference | None:
        if not isinstance(body, Mapping) or not isinstance(body.get("model"), Sequence):
            return None
        model = body.entries["model"]
        assert isinstance(model, Sequence)
        rounds = self.rounds(body, scope, trail)
        for number, values in enumerate(rounds or (), start=1):
            said = ", ".join(f"{k} = {v}" for k, v in values.items()) or f"round {number}"
            current = self.model(
                model,
                {**scope, **values},
                names,
                current,
                (*trail, f"repeat: {said}"),
                (*path, "repeat", "model"),
                f"{suffix}_{number}",
                depth,
            )
        return current if rounds is not None else None

    def rounds(self, body: Mapping, scope: Scope, trail: tuple[str, ...]) -> list[dict[str, Any]] | None:
        loop = body.get("for")
        times = body.get("times")
        if (loop is None) == (times is None):
            message = "needs `for` or `times`" if loop is None else "takes either `for` or `times`, not both"
            fix = Fix("`for: {units: [8, 16]}` runs a variable over values; `times: 3` only repeats")
            self.error("NN113", f"`repeat` {message}", body.span, fix)
            return None
        if times is not None:
            count = to_plain(self.substituter.node(times, scope, trail))
            if count is None:
                return None
            if not isinstance(count, int) or not 0 <= count <= MAX_ITEMS:
                self.error("NN113", f"`times` must be a count up to {MAX_ITEMS}, but it is `{count}`", times.span)
                return None
            return [{}] * count
        if not isinstance(loop, Mapping):
            return None
        columns: dict[str, list[Any]] = {}
        for name, node in loop.entries.items():
            values = to_plain(self.substituter.node(node, scope, trail))
            if values is None:
                return None
            if not isinstance(values, list):
                fix = Fix(f"write a list: `{name}: [{values}]`, or `$(range({values}))` for 0, 1, 2, …")
                self.error("NN113", f"`{name}` of `for` must run over a list, but it is `{values}`", node.span, fix)
                return None
            columns[name] = values
        lengths = {name: len(values) for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"`{n}` has {k}" for n, k in lengths.items())
            self.error("NN113", f"the lists of `for` run in step, so they need one length: {said}", loop.span)
            return None
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def block(
        self,
        body: Node,
        scope: Scope,
        names: Names,
        current: Reference | None,
        trail: tuple[str, ...],
        path: tuple[str | int, ...],
        suffix: str,
        depth: int,
    ) -> Reference | None:
        ready = self.substituter.node(body, scope, trail)
        if isinstance(ready, Scalar) and isinstance(ready.value, str):
            key = Scalar("use", ready.span)
            ready = Mapping({"use": ready}, {"use": key}, ready.span, 2)
        if not isinstance(ready, Mapping) or not isinstance(use := ready.get("use"), Scalar):
            return None
        definition = self.definition(self.blocks, "block", use)
        if not isinstance(definition, Mapping) or not isinstance(inner := definition.get("model"), Sequence):
            return None
        kind = str(use.value)
        if kind in self.used_blocks or depth >= MAX_BLOCK_DEPTH:
            ring = " -> ".join([*self.used_blocks, kind])
            message = f"block `{kind}` uses itself: {ring}"
            if kind not in self.used_blocks:
                message = f"blocks use each other more than {MAX_BLOCK_DEPTH} deep: {ring}"
            self.error("NN115", message, use.span, Fix("what is written several times is a `repeat`"))
            return None
        given = self.arguments(kind, definition, ready)
        if given is None:
            return None
        name_node = ready.get("name")
        if isinstance(name_node, Scalar) and isinstance(name_node.value, str):
            full = self.claim(names.prefix + name_node.value + suffix, name_node.span)
            local = name_node.value
        else:
            full = self.number(names.prefix + kind)
            self.places[full] = use.span
            local = full.removeprefix(names.prefix)
        self.own_name = {(name_node.span.line, name_node.span.column)} if name_node else set()
        reads = self.read(ready.get("from"), names, current, use.span)
        inside = Names(f"{full}/", later=self.explicit_names(inner))
        declared = definition.get("inputs")
        labels = [str(to_plain(n)) for n in declared.items] if isinstance(declared, Sequence) else ["input"]
        if len(reads) != len(labels):
            wanted = f"{len(labels)} value{'s' if len(labels) != 1 else ''} ({join_names(labels)})"
            fix = Fix(f"name what it reads: `from: [{', '.join(['NAME'] * len(labels))}]`")
            self.error("NN404", f"block `{kind}` reads {wanted}, but it is given {len(reads)}", use.span, fix)
            return None
        for label, reference in zip(labels, reads, strict=True):
            inside.known[label] = reference.key if reference else None
        first = reads[0] if len(reads) == 1 else None
        own_scope = {**scope, **given}
        said = f"block {kind}" + (f" ({', '.join(f'{k} = {v}' for k, v in given.items())})" if given else "")
        self.used_blocks.append(kind)
        result = self.model(inner, own_scope, inside, first, (*trail, said), ("blocks", kind, "model"), "", depth + 1)
        self.used_blocks.pop()
        for known in {local, local + suffix}:
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

    def arguments(self, kind: str, definition: Mapping, use: Mapping) -> dict[str, Any] | None:
        node = definition.get("parameters")
        declared: dict[str, Any] = to_plain(node) if isinstance(node, Mapping) else {}
        given = {k: to_plain(v) for k, v in use.entries.items() if k not in _BLOCK_KEYS}
        fine = True
        meant: set[str] = set()
        for key in given:
            if key not in declared:
                close = [name for name in nearest(key, declared) if name not in given]
                meant.update(close)
                message = f"block `{kind}` has no parameter `{key}`{did_you_mean(key, declared)}"
                span = use.key_span(key)
                self.error("NN116", message, span, *(Fix(f"use `{c}`", (Edit(span, c),)) for c in close))
                fine = False
        for key, default in declared.items():
            if key not in given and default is None:
                if key not in meant:
                    fix = Fix(f"give it: `{{use: {kind}, {key}: …}}`, or a default under `blocks:`")
                    self.error("NN116", f"block `{kind}` needs its parameter `{key}`", use.span, fix)
                fine = False
        return {**declared, **given} if fine else None

    def share(
        self,
        body: Node,
        scope: Scope,
        names: Names,
        current: Reference | None,
        trail: tuple[str, ...],
        path: tuple[str | int, ...],
        key_span: Span,
        suffix: str,
    ) -> Reference | None:
        ready = self.substituter.node(body, scope, trail)
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
            inner = self.substituter.node(inner, scope, (*trail, f"shared layer {use.value}"))
        else:
            return None
        merged: dict[str, Node] = dict(inner.entries) if isinstance(inner, Mapping) else {}
        keys = dict(inner.keys) if isinstance(inner, Mapping) else {}
        if isinstance(ready, Mapping):
            for key in ("name", "from"):
                if key in ready.entries:
                    merged[key], keys[key] = ready.entries[key], ready.keys[key]
        mapping = Mapping(merged, keys, use.span, 1 + sum(v.size for v in merged.values()))
        return self.layer(kind, use.span, mapping, use.span, names, current, path, suffix, shared=str(use.value))


def join_names(items: Iterable[str]) -> str:
    """`a`, `b` and `c`, each in backquotes."""
    quoted = [f"`{item}`" for item in items]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
