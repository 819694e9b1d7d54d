"""Names of nodes: assigned, numbered and resolved. An unknown name is reported once, with suggestions."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import field

from nnspec.diagnostics import Diagnostic, Edit, Fix, Related, Report, Span
from nnspec.diagnostics.suggest import nearest, suggestion
from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.lazy import dataclass

MAX_SUGGESTIONS = 100  # of a spec's unknown names; a search for each of thousands takes seconds


@dataclass(frozen=True, slots=True)
class Reference:
    """What an item reads: an input or another item by its key, and for several outputs which one."""

    key: str
    port: str | None
    span: Span


@dataclass
class Names:
    """The names that a sub-model can see: its own and, at the top, the inputs; `later` are those that it will make."""

    prefix: str = ""
    known: dict[str, str | None] = field(default_factory=dict)
    later: dict[str, Span] = field(default_factory=dict)


_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z])|(?<=\dD)(?=[A-Z])")


def snake_case(kind: str) -> str:
    """`MaxPooling1D` as `max_pooling1d`, `Conv1DTranspose` as `conv1d_transpose`."""
    return _CAMEL.sub("_", kind).lower()


def chosen_names(root: Mapping) -> frozenset[str]:
    """Every name that the document gives to a node: what is numbered keeps clear of them."""
    models = [root.get("model")]
    blocks = root.get("blocks")
    for block in blocks.entries.values() if isinstance(blocks, Mapping) else ():
        models += [block.get("model")] if isinstance(block, Mapping) else []
    inputs = root.get("inputs")
    found = set(inputs.entries) if isinstance(inputs, Mapping) else set()
    for model in models:
        found |= set(explicit_names(model) if isinstance(model, Sequence) else ())
    return frozenset(found)


def explicit_names(model: Sequence) -> dict[str, Span]:
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
            for label, span in explicit_names(inner).items():
                result.setdefault(label, span)
    return result


class NameTable:
    """Every name of the graph, and what can be read where.

    Attributes:
        spans: where each full name is given.
        readable: the full names that can be read; blocks have a name too, but are no node.
        own_name: the place of the name of the item that is being read, to tell reading oneself from reading ahead.
    """

    def __init__(self, root: Mapping, report: Report) -> None:
        self.report = report
        self.numbers: Counter[str] = Counter()
        self.spans: dict[str, Span] = {}
        self.readable: set[str] = set()
        self.own_name: tuple[int, int] | None = None
        self.unknown = 0
        self.chosen = chosen_names(root)

    def enter(self, name: Node | None) -> None:
        """Begins with an item that is given this name, if any."""
        self.own_name = (name.span.line, name.span.column) if name is not None else None

    def claim(self, name: str, span: Span) -> str:
        """A full name for an explicit one. A second claim is an error."""
        if name in self.spans:
            first = self.spans[name]
            self.report.add(
                Diagnostic(
                    "NN402",
                    f"the name `{name}` is already used (line {first.line})",
                    span,
                    related=(Related(first, "first used here"),),
                    fixes=(Fix("rename one of them"),),
                )
            )
            return self.number(name)
        self.spans[name] = span
        return name

    def number(self, stem: str) -> str:
        """`stem_1`, `stem_2`, …: the next that is free."""
        if stem.rpartition("/")[2] in self.chosen:  # whose rounds in a repeat are numbered in the same way
            stem += "_layer"
        while True:
            self.numbers[stem] += 1
            name = f"{stem}_{self.numbers[stem]}"
            if name not in self.spans and name.rpartition("/")[2] not in self.chosen:
                return name

    def look_up(self, node: Node, names: Names) -> Reference | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return None  # the schema speaks of it
        text = node.value
        local, _, port = text.partition(".")
        if local in names.known:
            key = names.known[local]
            return None if key is None else Reference(key, port or None, node.span)
        if text in self.readable:  # a full name, such as residual_2/conv2d_1
            return Reference(text, None, node.span)
        if local in names.later:
            self.report.add(self.forward(local, node.span, names.later[local]))
            return None
        rest = f".{port}" if port else ""
        self.unknown += 1
        meant = nearest(local, names.known) if self.unknown <= MAX_SUGGESTIONS else []
        fixes = [Fix(f"read `{close}`", (Edit(node.span, close + rest),)) for close in meant]
        known = ", ".join(f"`{n}`" for n in list(names.known)[:8])
        self.report.add(
            Diagnostic(
                "NN401",
                f"no input or earlier layer is named `{local}`{suggestion(meant)}",
                node.span,
                notes=(f"available names: {known}",) if known else (),
                fixes=tuple(fixes),
            )
        )
        return None

    def forward(self, name: str, here: Span, there: Span) -> Diagnostic:
        """NN403: the item that is read is the same one, or further below."""
        fixes = [Fix("a network has no loops; to keep state, use a recurrent layer (`LSTM`, `GRU`, `SimpleRNN`)")]
        if (there.line, there.column) == self.own_name:
            message = f"`{name}` reads itself"
        else:
            message = f"`{name}` comes later (line {there.line}), but a layer can only read what is above it"
            fixes.insert(0, Fix(f"move `{name}` above the layer that reads it"))
        return Diagnostic("NN403", message, here, related=(Related(there, "defined here", name),), fixes=tuple(fixes))

    def read(
        self, node: Node | None, names: Names, current: Reference | None, span: Span
    ) -> tuple[Reference | None, ...]:
        if node is None:
            if current is None and not self.readable and len(names.known) > 1:
                known = ", ".join(f"`{n}`" for n in names.known)
                fix = Fix(f"add `from:` with one of {known}")
                self.report.add(
                    Diagnostic("NN404", "the first layer must name the input that it reads", span, fixes=(fix,))
                )
            return (current,)
        return tuple(self.look_up(n, names) for n in (node.items if isinstance(node, Sequence) else (node,)))
