"""Replaces `$name` and `$(expression)` by their values; every new node keeps its span."""

from __future__ import annotations

import re
from collections.abc import Mapping as MappingABC
from typing import Any

from nnspec.diagnostics import Diagnostic, Edit, Fix, Report, Span, SpecError, Step, nearest
from nnspec.document import Mapping, Node, Scalar, Sequence, to_plain
from nnspec.expansion.expressions import BROKEN, BrokenVariableError, ExpressionError, evaluate

_NAME = re.compile(r"\$([A-Za-z_]\w*)")
_WHOLE = re.compile(r"\$\((.*)\)", re.DOTALL)
_INSIDE = re.compile(r"\$(\$)|\$\(([^()]*(?:\([^()]*\)[^()]*)*)\)|\$([A-Za-z_]\w*)")
_BRACES = re.compile(r"\$\{([^{}]*)\}")  # how shells and templates write it; nothing would replace it here

MAX_CHAIN = 64
MAX_VALUES = 1_000_000  # values that all replacements together may write out
MAX_TEXT = 10_000

Scope = MappingABC[str, Any]


class Substituter:
    """Replaces variables in nodes and reports what cannot be replaced; the node then becomes None."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.failed = False  # whether something could not be replaced
        self.value_count = 0

    def node(self, node: Node, scope: Scope, trail: tuple[Step, ...] = ()) -> Node:
        """The node with every variable replaced.

        Raises:
            SpecError: NN117 where all nodes together hold more values than a network can need.
        """
        result = self.replaced(node, scope, trail)
        self.value_count += result.size
        if self.value_count > MAX_VALUES:
            message = f"variables, repeats and blocks expand to more than {MAX_VALUES} values"
            raise SpecError([*self.report, Diagnostic("NN117", message, node.span.within(trail))])
        return result

    def replaced(self, node: Node, scope: Scope, trail: tuple[Step, ...]) -> Node:
        if isinstance(node, Scalar):
            return self.scalar(node, scope, trail)
        span = node.span.within(trail)
        if isinstance(node, Sequence):
            items = tuple([self.replaced(item, scope, trail) for item in node.items])
            return Sequence(items, span, 1 + sum([i.size for i in items]))
        entries = {key: self.replaced(value, scope, trail) for key, value in node.entries.items()}
        keys = {k: Scalar(v.value, v.span.within(trail)) for k, v in node.keys.items()} if trail else node.keys
        if any(key.startswith("$") for key in entries):
            names = {key: self.key(key, keys[key], scope) for key in entries}
            if len(set(names.values())) < len(names):
                self.failed = True
                self.report.add(Diagnostic("NN111", "two keys of this mapping have the same value", span))
            entries = {names[key]: value for key, value in entries.items()}
            keys = {names[key]: Scalar(names[key], place.span) for key, place in keys.items()}
        return Mapping(entries, keys, span, 1 + sum([e.size for e in entries.values()]))

    def scalar(self, node: Scalar, scope: Scope, trail: tuple[Step, ...]) -> Node:
        if not isinstance(node.value, str) or "$" not in node.value:
            return Scalar(node.value, node.span.within(trail), node.is_plain) if trail else node
        span = node.span.within(trail)
        text = node.value
        whole = _WHOLE.fullmatch(text)
        name = _NAME.fullmatch(text)
        if name or (whole and _balanced(whole.group(1))):
            expression = name.group(1) if name else whole.group(1)  # type: ignore[union-attr]
            return _as_node(self.evaluate(expression, scope, span), span)

        if len(text) > MAX_TEXT:
            return self.refused("the string with variables", span)
        if braces := _BRACES.search(text.replace("$$", "")):
            return self.braces(braces.group(), braces.group(1).strip(), span)

        def inserted(match: re.Match[str]) -> str:
            dollar, expression, name = match.groups()
            if dollar:
                return "$"
            value = self.evaluate(name if expression is None else expression, scope, span)
            return "" if value is None else str(value)

        result = _INSIDE.sub(inserted, text)
        if len(result) > MAX_TEXT:
            return self.refused("the string after substituting variables", span)
        return Scalar(result, span, node.is_plain)

    def key(self, text: str, place: Scalar, scope: Scope) -> str:
        """A key with its variable replaced, such as the name of an axis: `axes: {$axis: 3}`."""
        if not text.startswith("$"):
            return text
        value = to_plain(self.scalar(Scalar(text, place.span), scope, ()))
        if not isinstance(value, str) and not self.failed:
            self.failed = True
            self.report.add(Diagnostic("NN111", f"`{text}` must be a name here, but it is {value!r}", place.span))
        return str(value)

    def refused(self, what: str, span: Span) -> Node:
        self.failed = True
        self.report.add(Diagnostic("NN111", f"{what} is longer than {MAX_TEXT} characters", span))
        return Scalar(None, span)

    def braces(self, found: str, expression: str, span: Span) -> Node:
        """Refuses `${name}`: it would stay as it is, a text that every condition takes for true."""
        self.failed = True
        meant = f"$({expression})"
        line = span.source.line(span.line)[span.column - 1 : span.end_column - 1] if span.line == span.end_line else ""
        edits = (Edit(span, line.replace(found, meant)),) if line.count(found) == 1 else ()
        fix = Fix(f"write `{meant}`", edits)
        self.report.add(Diagnostic("NN111", f"`{found}` is not replaced by a value", span, fixes=(fix,)))
        return Scalar(None, span)

    def evaluate(self, expression: str, scope: Scope, span: Span) -> Any:
        try:
            return evaluate(expression, scope)
        except ExpressionError as error:
            self.failed = True
            if error.unknown is not None:
                fixes = [_other_name(error.unknown, close, span) for close in nearest(error.unknown, scope)]
                fixes.append(Fix(f"declare it under `vars:`, as in `vars: {{{error.unknown}: 10}}`"))
                self.report.add(Diagnostic("NN110", str(error), span, fixes=tuple(fixes)))
            else:
                self.report.add(Diagnostic("NN111", f"cannot evaluate `{expression}`: {error}", span))
            return None
        except BrokenVariableError:
            self.failed = True
            return None


def _other_name(name: str, close: str, span: Span) -> Fix:
    """A fix that replaces the variable `name`, if it occurs once in one line."""
    text = span.source.line(span.line)[span.column - 1 : span.end_column - 1] if span.line == span.end_line else ""
    edited, count = re.subn(rf"\b{re.escape(name)}\b", close, text)
    return Fix(f"use `{close}`", (Edit(span, edited),) if count == 1 else ())


def _balanced(text: str) -> bool:
    """Whether the outer parentheses of `$(…)` match, as in `$(a)` but not in `$(a)x$(b)`."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _as_node(value: Any, span: Span) -> Node:
    if isinstance(value, list):
        items = tuple(_as_node(item, span) for item in value)
        return Sequence(items, span, 1 + sum(item.size for item in items))
    return Scalar(value, span)


def resolve_vars(node: Node | None, report: Report) -> dict[str, Any]:
    """The values of the `vars` section. A variable may use others, in any order."""
    if not isinstance(node, Mapping):
        return {}
    values: dict[str, Any] = {}
    pending: list[str] = []

    def resolve(name: str) -> Any:
        if name in values:
            return values[name]
        if name in pending:
            ring = " -> ".join([*pending[pending.index(name) :], name])
            message = f"variables refer to each other in a cycle: {ring}"
            fixes = (Fix("give one of them a constant value"),)
            report.add(Diagnostic("NN111", message, node.key_span(name), fixes=fixes))
            values.update(dict.fromkeys(pending[pending.index(name) :], BROKEN))
            return BROKEN
        if len(pending) >= MAX_CHAIN:
            message = f"variables refer to each other in a chain of more than {MAX_CHAIN}"
            report.add(Diagnostic("NN111", message, node.key_span(name)))
            return values.setdefault(name, BROKEN)
        pending.append(name)
        substituter = Substituter(report)
        value = to_plain(substituter.node(node.entries[name], scope))
        values.setdefault(name, BROKEN if substituter.failed else value)
        pending.pop()
        return values[name]

    scope = _Lazy(node, resolve)
    for name in node.entries:
        resolve(name)
    return values


class _Lazy(dict[str, Any]):
    """A scope that resolves a variable when it is asked for."""

    def __init__(self, node: Mapping, resolve: Any) -> None:
        super().__init__(dict.fromkeys(node.entries))
        self.resolve = resolve

    def __getitem__(self, name: str) -> Any:
        return self.resolve(name)
