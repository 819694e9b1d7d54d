"""Edits of a model's list: items inserted before another, or replacing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from nnspec.diagnostics import Applicability, Edit, Fix, Span
from nnspec.document import Mapping, Node, Scalar


def list_prefix(span: Span) -> str | None:
    """What stands before an item of a block list, up to and with its dash; None where the list is in flow style."""
    before = span.source.line(span.line)[: span.column - 1]
    return before if before.strip() == "-" else None


def insert_items(span: Span, message: str, items: Sequence[str], applicability: Applicability) -> Fix:
    """Writes `items` as list items before the one at `span`; without edits where the list is in flow style."""
    before = list_prefix(span)
    if before is None:
        return Fix(message)
    text = "".join(f"{item}\n{before}" for item in items)
    return Fix(message, (Edit(span.start, text),), applicability)


def insert_before(
    span: Span, body: Mapping | None, message: str, items: Sequence[str], applicability: Applicability
) -> Fix:
    """Items between the one at `span` and what it reads; where `from` names that, the first item takes it over."""
    source = body.get("from") if body is not None else None
    if source is None:
        return insert_items(span, message, items, applicability)
    name = fresh_name(source)
    if name is None or list_prefix(span) is None:
        return Fix(message)
    first, last = [with_keys(items[0], {"from": source}), *items[1:]], len(items) - 1
    first[last] = with_keys(first[last], {"name": name})
    inserted = insert_items(span, message, first, applicability)
    return replace(inserted, edits=(*inserted.edits, Edit(source.span, name)))


def fresh_name(source: Node) -> str | None:
    """A name for what is made of the one thing that `from` names."""
    if not isinstance(source, Scalar) or not isinstance(source.value, str):
        return None
    return f"{source.value.replace('.', '_')}_permuted"


def with_keys(item: str, keys: dict[str, Node | str]) -> str:
    """An item in flow style with further keys in its body: `permute: [a, b]` becomes `permute: {order: [a, b], …}`."""
    kind, _, body = item.partition(": ")
    if body.startswith("["):
        body = f"{{order: {body}}}"
    more = "".join(f", {key}: {value if isinstance(value, str) else _text(value)}" for key, value in keys.items())
    return f"{kind}: {body[:-1]}{more}}}"


def add_key(body: Mapping | None, key: str, value: str, behind: str | None = None) -> tuple[Edit, ...]:
    """An edit that writes a further key into a body, in its style: in front of a value that goes over several lines.

    Args:
        behind: the key that it is to stand behind; default the last.
    """
    if body is None or not body.entries or key in body.entries:
        return ()
    alone = body.only_value
    if alone is not None and _is_line(body.span):
        return (Edit(body.span, f"{{{alone}: {body.span.text}, {key}: {value}}}"),)
    if alone is not None:  # a block list, which can be indented as far as its key
        line = "\n" + " " * (body.span.column - 1)
        is_list = body.span.text.startswith("-")
        return (Edit(body.span.start, f"{key}: {value}{line}{alone}:{line}"),) if is_list else ()
    last = behind if behind in body.entries else next(reversed(body.entries))
    span, is_flow = body.entries[last].span, body.span.text.startswith("{")
    line = "\n" + " " * (body.key_span(last).column - 1)
    if not _is_line(span):
        return () if is_flow else (Edit(body.key_span(last).start, f"{key}: {value}{line}"),)
    between = ", " if is_flow else line
    end = span.moved(line=span.end_line, column=span.end_column)
    return (Edit(end, f"{between}{key}: {value}"),)


def under_axis(body: Node | None, axis: str, parts: Iterable[str]) -> tuple[str, tuple[Edit, ...]]:
    """What a body says of an axis by `axis: time, start: 2`, said under the name of the axis: `time: {start: 2}`.

    Args:
        parts: the keys that belong to the axis.
    """
    if not isinstance(body, Mapping):
        return "", ()
    own = [key for key in parts if key in body.entries]
    if not own or not all(_is_line(body.entries[key].span) for key in body.entries):
        return "", ()
    said = f"{axis}: {{{', '.join(f'{key}: {body.entries[key].span.text}' for key in own)}}}"
    rest = [f"{key}: {node.span.text}" for key, node in body.entries.items() if key not in ("axis", *own)]
    is_flow = body.span.text.startswith("{") and _is_line(body.span)
    return said, (Edit(body.span, f"{{{', '.join([*rest, said])}}}"),) if is_flow else ()


def _is_line(span: Span) -> bool:
    return span.line == span.end_line


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, Scalar) else ""


def replace_item(span: Span, body: Mapping | None, items: Sequence[str]) -> Edit | None:
    """An edit that puts `items` in the place of the item at `span`; its `from` goes to the first, its name to the last.

    None where the list is in flow style, or where the item says more that the new ones could not keep.
    """
    before = list_prefix(span)
    if before is None or body is None or "when" in body.entries:
        return None
    source, name = body.get("from"), body.get("name")
    kept = list(items)
    if source is not None:
        if not isinstance(source, Scalar):
            return None
        kept[0] = with_keys(kept[0], {"from": source})
    if isinstance(name, Scalar):
        kept[-1] = with_keys(kept[-1], {"name": name})
    end = body.span
    return Edit(span.moved(end_line=end.end_line, end_column=end.end_column), f"\n{before}".join(kept))
