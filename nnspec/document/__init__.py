"""YAML text to nodes that know their place.

Only the safe core of YAML 1.2 is read: no tags, no code. PyYAML's C scanner gives the events; the tree is built
here so that depth, size and aliases are bounded while reading, not after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from nnspec.diagnostics import Diagnostic, Fix, Related, Report, Source, Span, SpecError

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 64
MAX_NODES = 200_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    value: Any  # str, int, float, bool or None
    span: Span
    is_plain: bool = True

    @property
    def size(self) -> int:
        return 1


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    items: tuple[Node, ...]
    span: Span
    size: int = 1

    def __iter__(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """`entries` keeps the source order; `keys` holds each key's own node."""

    entries: dict[str, Node]
    keys: dict[str, Scalar]
    span: Span
    size: int = 1

    def get(self, key: str) -> Node | None:
        return self.entries.get(key)

    def key_span(self, key: str) -> Span:
        return self.keys[key].span if key in self.keys else self.span


Node = Scalar | Sequence | Mapping


def to_plain(node: Node) -> Any:
    """The node as dicts, lists and scalars."""
    if isinstance(node, Mapping):
        return {key: to_plain(value) for key, value in node.entries.items()}
    if isinstance(node, Sequence):
        return [to_plain(item) for item in node.items]
    return node.value


def locate(root: Node, path: tuple[str | int, ...]) -> Node:
    """The node at a path of keys and indices; the last one that exists where the path goes further."""
    node = root
    for step in path:
        child: Node | None = None
        if isinstance(node, Mapping) and isinstance(step, str):
            child = node.get(step)
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            child = node.items[step]
        if child is None:
            break
        node = child
    return node


def format_path(path: tuple[str | int, ...]) -> str:
    """`("model", 3, "Reshape")` as `model[3].Reshape`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else (f".{step}" if text else step)
    return text


# ---------------------------------------------------------------------------------------------------- reading


def read_source(path: str | Path) -> Source:
    """Reads a spec's text.

    Raises:
        SpecError: NN101 where the file cannot be read, NN102 where it is not UTF-8, NN106 where it is too large.
    """
    name = str(path)
    here = Span(Source(name, ""))
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise SpecError.single("NN101", f"cannot read `{name}`: {reason.lower()}", here) from None
    except ValueError:
        raise SpecError.single("NN101", f"cannot read {name!r}: not a file name", here) from None
    if len(data) > MAX_BYTES:
        raise SpecError.single("NN106", f"`{name}` is larger than {MAX_BYTES // 2**20} MiB", here)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        span = Source(name, data.decode("utf-8", "replace")).character(
            len(data[: error.start].decode("utf-8", "replace"))
        )
        if b"\0" in data[:4096]:
            message = f"`{name}` is no text: it looks like a binary file"
            raise SpecError.single("NN102", message, here, fixes=[Fix("name the YAML spec")]) from None
        message = f"`{name}` is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise SpecError.single("NN102", message, span, fixes=[Fix("save the file as UTF-8")]) from None
    return Source(name, text)


_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(inf|Inf|INF)")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


def resolve_scalar(text: str) -> Any:
    """A plain scalar's value by YAML 1.2's core schema: `1e-3` is a number and `no` is a word."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789" or len(text) > 400:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _INFINITY.fullmatch(text):
        return float("-inf") if text[0] == "-" else float("inf")
    return text


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
        return Span(self.source, start.line + 1, start.column + 1, end.line + 1, end.column + 1)

    def fail(self, code: str, message: str, event: Any, *fixes: Fix) -> SpecError:
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
                    raise self.fail("NN107", f"alias `*{event.anchor}` has no anchor before it", event)
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
                raise self.fail("NN107", "a spec is one YAML document, but a second one starts here", event)
            if node is None:
                continue
            if stack:
                stack[-1].children.append(node)
            else:
                root = node
        if root is None:
            root = Scalar(None, Span(self.source))
        return root

    def count(self, size: int, event: Any) -> None:
        self.total += size
        if self.total > MAX_NODES:
            message = f"the document holds more than {MAX_NODES} values once its aliases are expanded"
            raise self.fail("NN106", message, event)

    def refuse_tag(self, event: Any) -> None:
        if event.tag and event.tag not in ("!", "tag:yaml.org,2002:str"):
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise self.fail("NN107", f"YAML tag `{shown}` is not allowed: a spec holds plain values only", event)

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
            span = Span(self.source, span.line, span.column, last.end_line, last.end_column)
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
                self.report.add(Diagnostic("NN107", "a key must be a plain word", key.span))
                continue
            name = key.value if isinstance(key.value, str) else str(key.value).lower()
            if name == "<<" and key.is_plain:
                sources = value.items if isinstance(value, Sequence) else (value,)
                if all(isinstance(item, Mapping) for item in sources):
                    merged += [item for item in sources if isinstance(item, Mapping)]
                else:
                    self.report.add(Diagnostic("NN107", "`<<` merges mappings only", value.span))
            elif name in entries:
                first = keys[name].span
                message = f"key `{name}` stands twice in one mapping (first on line {first.line})"
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


def parse(source: Source) -> Node:
    """The document's tree.

    Raises:
        SpecError: NN103 to NN107, all duplicate keys at once.
    """
    composer = _Composer(source)
    try:
        root = composer.compose()
    except yaml.MarkedYAMLError as error:
        raise SpecError([_syntax_error(source, error)]) from None
    except UnicodeEncodeError as error:
        message = f"character U+{ord(source.text[error.start]):04X} is half of a pair and stands for nothing"
        raise SpecError.single("NN103", message, Span(source)) from None
    except yaml.reader.ReaderError as error:
        raise SpecError([_bad_character(source, error)]) from None
    composer.report.raise_errors()
    return root


def _syntax_error(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    if "nesting" in (error.problem or ""):  # libyaml has a bound of its own, and reads ahead
        place = Span(source) if mark is None else source.character(source.offset(mark.line + 1, mark.column + 1))
        return Diagnostic("NN106", f"the document is nested more than {MAX_DEPTH} levels deep", place)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if not source.text[
        source.offset(line, column) :
    ].strip():  # the file ends: said at the last thing that stands there
        end = source.character(max(0, len(source.text.rstrip()) - 1))
        line, column = end.line, end.end_column
    text = source.line(line)
    lead = text[: len(text) - len(text.lstrip())]
    if "\t" in lead or (error.problem and "\\t" in error.problem) or text[column - 1 : column] == "\t":
        column = text.index("\t") + 1 if "\t" in text else column
        span = Span(source, line, column, line, column + 1)
        fix = Fix("indent with spaces, two for each level")
        return Diagnostic("NN104", "a tab stands where YAML wants spaces", span, fixes=(fix,))
    problem = (error.problem or "it cannot be read").replace("did not find expected", "expected")
    begun = _BEGUN.get(error.context or "")
    context = f" ({error.context})" if error.context and begun is None else ""
    fixes: tuple[Fix, ...] = ()
    related: tuple[Related, ...] = ()
    if problem in _PROBLEMS:
        problem, advice = _PROBLEMS[problem]
        fixes = (Fix(advice),)
    if begun is not None and error.context_mark is not None:
        start = error.context_mark
        context = f" in the {begun} that begins on line {start.line + 1}"
        there = Span(source, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
        related = (Related(there, f"the {begun} begins here"),)
    here = Span(source, line, column, line, column + 1)
    return Diagnostic("NN103", f"not valid YAML: {problem}{context}", here, related=related, fixes=fixes)


_BEGUN = {
    "while parsing a flow mapping": "mapping",
    "while parsing a flow sequence": "list",
    "while parsing a block mapping": "mapping",
    "while parsing a block collection": "list",
    "while scanning a quoted scalar": "quoted text",
}
_PROBLEMS = {
    "mapping values are not allowed in this context": (
        "a second `: ` stands in one value",
        "put the text in quotes, or the inner mapping in braces",
    ),
    "expected ',' or '}'": ("expected `,` or `}`", "close the mapping with `}`"),
    "expected ',' or ']'": ("expected `,` or `]`", "close the list with `]`"),
    "found unexpected end of stream": ("the file ends", "close what was opened"),
    "found character that cannot start any token": (
        "a value cannot begin with this character",
        "put the text in quotes",
    ),
    "expected key": ("expected a key", "let the keys of one mapping begin in the same column"),
    "expected '-' indicator": ("expected `- `", "let the items of one list begin in the same column"),
}


def _bad_character(source: Source, error: yaml.reader.ReaderError) -> Diagnostic:
    """libyaml counts bytes, so the place is found by looking for the character."""
    character = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    span = source.character(max(0, source.text.find(chr(character))))
    fixes = (Fix("leave the character out; in double quotes YAML writes it as an escape"),)
    return Diagnostic("NN103", f"character U+{character:04X} is not allowed in YAML", span, fixes=fixes)
