"""`--set key.path=value`: edits of the document tree before anything else looks at it."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC

from nnspec.diagnostics import Source, Span, SpecError, did_you_mean, quoted
from nnspec.diagnostics.spans import OVERRIDE
from nnspec.document import Mapping, Node, Scalar, Sequence, parse

_STEP = r"([^.\[\]]+)|\[(\d+)\]"


def apply_overrides(root: Node, overrides: MappingABC[str, object]) -> Node:
    """The document with each `path: value` applied. A text value is parsed as YAML.

    Raises:
        SpecError: NN112 where a path does not lead anywhere.
    """
    for path, value in overrides.items():
        shown = value if isinstance(value, str) else repr(value)
        source = Source(OVERRIDE, f"{path}={shown}")
        span = Span.between(source, line=1, column=1, end_line=1, end_column=len(source.text) + 1)
        steps = path_steps(path)
        if not steps:
            raise SpecError.single("NN112", f"`{path}` is not a valid path; paths look like `vars.lookback`", span)
        if steps[0] == "vars" and len(steps) == 2:
            _require_use(root, str(steps[1]), span)
        root = _replace_value(root, steps, _value_node(value, span), span, path)
    return root


def path_steps(path: str) -> list[str | int]:
    """`model[2].Dense.units` as its keys and indices; empty where it is no path."""
    return [m.group(1) or int(m.group(2)) for m in re.finditer(_STEP, path)]


def names_variable(root: Node, name: str) -> bool:
    """Whether a variable is declared, or named by an expression."""
    section = root.get("vars") if isinstance(root, Mapping) else None
    declared = section.entries if isinstance(section, Mapping) else {}
    return name in declared or bool(re.search(rf"\$(\([^\n]*\b)?{re.escape(name)}\b", root.span.source.text))


def _require_use(root: Node, name: str, span: Span) -> None:
    """A variable that no expression names would change nothing: where one is called nearly so, that one is meant.

    Raises:
        SpecError: NN112.
    """
    section = root.get("vars") if isinstance(root, Mapping) else None
    declared = section.entries if isinstance(section, Mapping) else {}
    if names_variable(root, name):
        return
    guess = did_you_mean(name, declared)
    if guess:
        known = f"declared variables: {quoted(declared)}"
        raise SpecError.single("NN112", f"the spec has no variable `{name}`{guess}", span, notes=[known])


def _value_node(value: object, span: Span) -> Node:
    if isinstance(value, str):
        try:
            return _move_spans(parse(Source(span.source.name, value)), span)
        except SpecError as error:
            first = error.diagnostics[0]
            raise SpecError.single("NN112", f"the value of `{span.source.text}`: {first.message}", span) from None
    return _built(value, span)


def _built(value: object, span: Span) -> Node:
    if isinstance(value, MappingABC):
        entries = {str(k): _built(v, span) for k, v in value.items()}
        return Mapping(entries, {k: Scalar(k, span) for k in entries}, span, 1 + sum(e.size for e in entries.values()))
    if isinstance(value, list | tuple):
        items = tuple(_built(v, span) for v in value)
        return Sequence(items, span, 1 + sum(i.size for i in items))
    if value is None or isinstance(value, bool | int | float | str):
        return Scalar(value, span)
    raise SpecError.single("NN112", f"a spec cannot contain a value of type {type(value).__name__}", span)


def _move_spans(node: Node, span: Span) -> Node:
    if isinstance(node, Mapping):
        keys = {k: Scalar(v.value, span) for k, v in node.keys.items()}
        return Mapping({k: _move_spans(v, span) for k, v in node.entries.items()}, keys, span, node.size)
    if isinstance(node, Sequence):
        return Sequence(tuple(_move_spans(item, span) for item in node.items), span, node.size)
    return Scalar(node.value, span, node.is_plain)


def _replace_value(node: Node, steps: list[str | int], value: Node, span: Span, path: str) -> Node:
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(node, Sequence):
        index = int(step) if isinstance(step, int) or step.isdigit() else -1
        if not 0 <= index < len(node.items):
            count = f"{len(node.items)} item{'s' if len(node.items) != 1 else ''}"
            message = f"`{path}`: no item `{step}`: the list has {count} (counted from 0)"
            raise SpecError.single("NN112", message, span)
        items = list(node.items)
        items[index] = _replace_value(items[index], rest, value, span, path)
        return Sequence(tuple(items), node.span, node.size)
    if isinstance(node, Scalar) and node.value == step:  # `Adam` is short for `{Adam: {}}`, which can be set inside
        inside = _replace_value(Scalar(None, span), rest, value, span, path)
        return Mapping({str(step): inside}, {str(step): node}, node.span, 1 + inside.size)
    if isinstance(node, Mapping) or (isinstance(node, Scalar) and node.value is None):
        entries = dict(node.entries) if isinstance(node, Mapping) else {}
        keys = dict(node.keys) if isinstance(node, Mapping) else {}
        key = str(step)
        if key not in entries and rest and not isinstance(rest[0], str):
            raise SpecError.single("NN112", f"`{path}`: no key `{key}`{did_you_mean(key, entries)}", span)
        child: Node = entries.get(key, Scalar(None, span))
        entries[key] = _replace_value(child, rest, value, span, path)
        keys.setdefault(key, Scalar(key, span))
        return Mapping(entries, keys, node.span, 1 + sum(e.size for e in entries.values()))
    raise SpecError.single("NN112", f"`{path}`: `{step}` cannot be set inside the value `{node.value}`", span)
