"""Parses `columns` as a mapping from column to encoding, and what is done where a column has no value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Required, TypedDict

from nnspec.data.section.column_plan import SCALES, SEPARATOR, TRANSFORMS, ColumnPlan, MissingRule
from nnspec.data.section.plan import ScalePlan
from nnspec.data.sources.label_keys import label_key
from nnspec.diagnostics import Span
from nnspec.document import Mapping, Node, Sequence, to_plain
from nnspec.runtime.rules.dates import is_format

Fault = Callable[..., None]  # a code, a message, its place, the path in the document, and fixes
CATEGORICAL = ("one_hot", "multi_hot", "index", "date", "boolean")
OTHERS = "*"  # the columns that `missing` does not name


def read_encodings(node: Node | None, where: str, fault: Fault) -> tuple[ColumnPlan, ...]:
    """The columns of a mapping, in its order; none where `columns` is a list."""
    if not isinstance(node, Mapping):
        return ()
    found = (
        read_encoding(name, body, node.key_span(name), f"{where}.{name}", fault) for name, body in node.entries.items()
    )
    return tuple(column for column in found if column is not None)


def read_encoding(name: str, node: Node, key: Span, where: str, fault: Fault) -> ColumnPlan | None:
    """One column; None after a fault."""
    body = to_plain(node)
    if isinstance(body, str):
        if body in ("one_hot", "multi_hot", "index", "boolean"):
            return ColumnPlan(name=name, kind=body, span=key)
        transform, scale = body if body in TRANSFORMS else None, body if body in SCALES else None
        return ColumnPlan(name=name, kind="number", span=key, transform=transform, scale=scale)
    assert isinstance(body, dict)
    kinds = [word for word in CATEGORICAL if word in body]
    others = [word for word in body if word not in kinds[:1]]
    if kinds and others:
        message = f"column `{name}` has `{kinds[0]}` and `{others[0]}`, which cannot be combined: keep one of them"
        fault("NN208", message, node.key_span(others[0]) if isinstance(node, Mapping) else node.span, where)
        return None
    if not kinds:
        return ColumnPlan(name=name, kind="number", span=key, transform=body.get("transform"), scale=body.get("scale"))
    if kinds[0] == "date":
        return _read_date(name, body["date"], key, node, where, fault)
    if kinds[0] == "boolean":
        no, yes = (label_key(word).strip() for word in body["boolean"])
        return ColumnPlan(name=name, kind="boolean", span=key, truths=(no, yes))
    own = body[kinds[0]]
    given, separator = (own.get("categories"), own.get("separator", SEPARATOR)) if isinstance(own, dict) else (own, "|")
    if given is None:
        return ColumnPlan(name=name, kind=kinds[0], span=key, separator=separator)
    listed = tuple(label_key(value) for value in given)
    doubles = [value for place, value in enumerate(listed) if value in listed[:place]]
    if doubles:
        items = node.entries[kinds[0]] if isinstance(node, Mapping) else node
        items = items.entries["categories"] if isinstance(items, Mapping) else items
        place = items.items[len(listed) - 1 - listed[::-1].index(doubles[0])] if isinstance(items, Sequence) else items
        message = f"the categories of column `{name}` list `{doubles[0]}` twice"
        fault("NN208", message, place.span, f"{where}.{kinds[0]}")
        return None
    return ColumnPlan(name=name, kind=kinds[0], span=key, categories=listed, separator=separator)


class DateBody(TypedDict, total=False):
    """The mapping form of `date`."""

    parts: Required[list[str]]
    cyclic: bool
    format: str
    scale: str


def _read_date(
    name: str, body: list[str] | DateBody, key: Span, node: Node, where: str, fault: Fault
) -> ColumnPlan | None:
    """A column of dates: a list of parts, or a mapping with options."""
    options: DateBody = {"parts": body} if isinstance(body, list) else body
    form, scale = options.get("format"), options.get("scale")
    if form is not None and not is_format(form):
        own = node.entries["date"] if isinstance(node, Mapping) else node
        span = own.entries["format"].span if isinstance(own, Mapping) else own.span
        message = (
            f"`{form}` is not a date format: it has no `%Y` or similar, or a directive that strptime does not know"
        )
        fault(
            "NN554", message, span, f"{where}.date.format", "`%d.%m.%Y` reads `31.12.2024`; without `format`, ISO 8601"
        )
        return None
    return ColumnPlan(
        name=name,
        kind="date",
        span=key,
        scale=None if scale == "none" else scale,
        parts=tuple(options["parts"]),
        is_cyclic=bool(options.get("cyclic")),
        form=form,
    )


def read_target_encoding(
    output: str, columns: tuple[ColumnPlan, ...], where: str, fault: Fault
) -> tuple[str | None, ScalePlan | None]:
    """The function and the scale of an output's columns, which are the same for all: both are undone in the file."""
    first = columns[0]
    for column in columns:
        if column.is_text or column.is_date:
            what = f"column `{column.name}` is a target of output `{output}`"
            message = f"{what}, and words of targets are labels: `{column.kind}` does not apply"
            fix = f"write `columns: [{column.name}]`"
            if column.kind == "multi_hot":
                message = f"{what}, and a target of several labels is a column of 0 and 1 for each"
                fix = "make them by `query`, as in " + _labels_query(column)
            fault("NN550", message, column.span, f"{where}.{column.name}", fix)
        elif (column.transform, column.scale) != (first.transform, first.scale):
            message = f"columns `{first.name}` and `{column.name}` of output `{output}` have different encodings"
            fault("NN550", message, column.span, f"{where}.{column.name}", "make an output for each")
    scale = ScalePlan(first.scale, None, first.span) if first.scale is not None else None
    return first.transform, scale


def _labels_query(column: ColumnPlan) -> str:
    """A query that makes a column of 0 and 1 for a label of delimited words."""
    name = column.name if column.name.isidentifier() else '"' + column.name.replace('"', '""') + '"'
    mark = column.separator.replace("'", "''")
    words = f"string_split(coalesce({name}, ''), '{mark}')"
    return f"`SELECT *, list_contains({words}, 'LABEL')::INT AS is_LABEL FROM source`"


def read_missing(node: Node | None) -> dict[str, MissingRule]:
    """What is done about gaps, by column; under `*` for all others. Empty where the section says nothing."""
    if not isinstance(node, Mapping):
        return {} if node is None else {OTHERS: _rule(node)}
    return {name: _rule(body) for name, body in node.entries.items()}


def _rule(node: Node) -> MissingRule:
    body = to_plain(node)
    if isinstance(body, dict) and "indicator" in body:
        return MissingRule(policy="indicator", fill=str(body["indicator"]), span=node.span)
    if isinstance(body, dict):
        return MissingRule(policy="constant", value=body["constant"], span=node.span)
    return MissingRule(policy=str(body), span=node.span)
