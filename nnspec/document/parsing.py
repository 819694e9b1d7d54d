"""YAML text to a tree of nodes.

Only the safe core of YAML 1.2 is read: no tags, no code. PyYAML's C scanner gives the events; the tree is built
here so that depth, size and aliases are bounded while reading, not after.
"""

from __future__ import annotations

from dataclasses import field
from typing import Any

import yaml

from nnspec.diagnostics import Diagnostic, Fix, Related, Report, Source, Span, SpecError
from nnspec.document.nodes import MAX_DEPTH, MAX_NODES, Mapping, Node, Scalar, Sequence
from nnspec.document.scalars import resolve_scalar
from nnspec.lazy import dataclass

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse(source: Source) -> Node:
    """The document's tree.

    Raises:
        SpecError: NN103 to NN107, all duplicate keys at once.
    """
    composer = _Composer(source)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        from nnspec.document.syntax import syntax_error

        raise SpecError([syntax_error(source, error)]) from None
    except UnicodeEncodeError as error:
        message = f"character U+{ord(source.text[error.start]):04X} is an unpaired surrogate, which is not a character"
        raise SpecError.single("NN103", message, Span(source)) from None
    except yaml.reader.ReaderError as error:
        from nnspec.document.syntax import bad_character

        raise SpecError([bad_character(source, error)]) from None
    composer.report.raise_errors()
    return root


@dataclass
class _Frame:
    is_mapping: bool
    start: Any
    anchor: str | None
    children: list[Node] = field(default_factory=list)


class _Composer:
    """Builds the tree from events with an explicit stack, so no nesting can exhaust Python's."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.report = Report()
        self.anchors: dict[str, Node] = {}
        self.total = 0

    def span(self, start: Any, end: Any) -> Span:
        return Span(self.source, (start.line + 1, start.column + 1, end.line + 1, end.column + 1))

    def fail(self, code: str, message: str, event: yaml.Event, *fixes: Fix) -> SpecError:
        return SpecError.single(code, message, self.span(event.start_mark, event.end_mark), fixes=fixes)

    def compose(self) -> Node:
        stack: list[_Frame] = []
        root: Node | None = None
        for event in yaml.parse(self.source.text, Loader=_Loader):
            node: Node | None = None
            if isinstance(event, yaml.ScalarEvent):
                node = self.scalar(event)
            elif isinstance(event, yaml.AliasEvent):
                if event.anchor not in self.anchors:
                    raise self.fail("NN107", f"alias `*{event.anchor}` refers to no earlier anchor", event)
                node = self.anchors[event.anchor]
                self.count(node.size, event)
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                self.refuse_tag(event)
                if len(stack) >= MAX_DEPTH:
                    raise self.fail("NN106", f"the document is nested more than {MAX_DEPTH} levels deep", event)
                stack.append(_Frame(isinstance(event, yaml.MappingStartEvent), event.start_mark, event.anchor))
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                frame = stack.pop()
                node = self.close(frame, event)
                if frame.anchor:
                    self.anchors[frame.anchor] = node
            elif isinstance(event, yaml.DocumentStartEvent) and root is not None:
                raise self.fail("NN107", "a spec must be a single YAML document, but a second one starts here", event)
            if node is None:
                continue
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
        if root is None:
            root = Scalar(None, Span(self.source))
        return root

    def count(self, size: int, event: yaml.Event) -> None:
        self.total += size
        if self.total > MAX_NODES:
            message = f"the document has more than {MAX_NODES} values after expanding its aliases"
            raise self.fail("NN106", message, event)

    def refuse_tag(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self.fail("NN107", f"YAML tag `{shown}` is not allowed: a spec contains only plain values", event)

    def scalar(self, event: yaml.ScalarEvent) -> Scalar:
        self.refuse_tag(event)
        self.count(1, event)
        plain = event.style in (None, "") and not event.tag
        value = resolve_scalar(event.value) if plain else event.value
        node = Scalar(value, self.span(event.start_mark, event.end_mark), plain)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def close(self, frame: _Frame, event: Any) -> Node:
        end = event.end_mark if event.end_mark.index > event.start_mark.index else None
        last = frame.children[-1].span if frame.children else None
        span = self.span(frame.start, event.end_mark)
        if end is None and last is not None:  # a block collection ends where its last item does, not at the next token
            span = Span(self.source, span.bounds[:2] + last.bounds[2:])
        size = 1 + sum(child.size for child in frame.children)
        self.count(1, event)
        if not frame.is_mapping:
            return Sequence(tuple(frame.children), span, size)
        return self.mapping(frame.children, span, size)

    def mapping(self, children: list[Node], span: Span, size: int) -> Mapping:
        entries: dict[str, Node] = {}
        keys: dict[str, Scalar] = {}
        merged: list[Mapping] = []
        for key, value in zip(children[::2], children[1::2], strict=True):
            if not isinstance(key, Scalar) or isinstance(key.value, float) or key.value is None:
                self.report.add(Diagnostic("NN107", "a key must be a plain scalar", key.span))
                continue
            name = key.value if isinstance(key.value, str) else str(key.value).lower()
            if name == "<<" and key.is_plain:
                sources = value.items if isinstance(value, Sequence) else (value,)
                if all(isinstance(item, Mapping) for item in sources):
                    merged += [item for item in sources if isinstance(item, Mapping)]
                else:
                    self.report.add(Diagnostic("NN107", "`<<` can only merge mappings", value.span))
            elif name in entries:
                first = keys[name].span
                message = f"duplicate key `{name}` (first on line {first.line})"
                related = (Related(first, "the first one"),)
                fixes = (Fix("keep one of the two"),)
                self.report.add(
                    Diagnostic("NN105", message, key.span, label="the second one", related=related, fixes=fixes)
                )
            else:
                entries[name], keys[name] = value, key
        for source in merged:
            for name in source.entries:
                if name not in entries:
                    entries[name], keys[name] = source.entries[name], source.keys[name]
        return Mapping(entries, keys, span, size)
