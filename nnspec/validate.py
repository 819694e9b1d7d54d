"""Validation of nodes against the schema, in words about what the user wrote.

jsonschema finds the faults; this module says them: each at its exact token, with what was probably meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError

from nnspec import schema as schemas
from nnspec.diagnostics import Diagnostic, Edit, Fix, Report, Span, did_you_mean, nearest
from nnspec.document import Mapping, Node, Scalar, Sequence, format_path, locate, to_plain
from nnspec.expand import Expanded
from nnspec.hints import hint_for
from nnspec.layers import REGISTRY

Path = tuple[str | int, ...]


@cache
def _validator(pointer: str, is_strict: bool) -> Any:
    """A validator for `#` or one definition, keeping the definitions at hand."""
    root = schemas.strict() if is_strict else schemas.published()
    if pointer == "#":  # items are dispatched by hand
        top = {k: v for k, v in root.items() if k not in ("$id",)}
        top["properties"] = {**root["properties"], "model": {"type": "array"}, "blocks": _shallow_blocks(root)}
        return jsonschema.Draft7Validator(top)
    return jsonschema.Draft7Validator({"definitions": root["definitions"], **root["definitions"][pointer]})


def _shallow_blocks(root: dict[str, Any]) -> dict[str, Any]:
    blocks = root["properties"]["blocks"]
    inner = blocks["additionalProperties"]
    properties = {**inner["properties"], "model": {"type": "array"}}
    return {**blocks, "additionalProperties": {**inner, "properties": properties}}


def validate_document(root: Node, report: Report) -> None:
    """The document as written: every section, every layer, every block, used or not."""
    if not isinstance(root, Mapping):
        kind = "empty" if isinstance(root, Scalar) and root.value is None else _kind_of(root)
        report.add(
            Diagnostic(
                "NN202",
                f"a spec is a mapping of sections, but this document is {kind}",
                root.span,
                fixes=(Fix("begin with `nnspec: 1`, then `inputs:`, `model:` and `outputs:`"),),
            )
        )
        return
    plain = {key: to_plain(value) for key, value in root.entries.items() if key not in ("model", "blocks")}
    for key in ("model", "blocks"):
        if key in root.entries:
            plain[key] = _outline(root.entries[key])
    for error in _validator("#", False).iter_errors(plain):
        _report(error, root, (), report)
    _Models(report).visit(root)


def _outline(node: Node) -> Any:
    """A model or the blocks, with the models themselves cut off: they are validated item by item."""
    if isinstance(node, Sequence):
        return []
    if isinstance(node, Mapping):
        return {
            name: {k: ([] if k == "model" and isinstance(v, Sequence) else to_plain(v)) for k, v in block.entries.items()}
            if isinstance(block, Mapping)
            else to_plain(block)
            for name, block in node.entries.items()
        }
    return to_plain(node)


class _Models:
    """Walks models as written and validates their items; the same body is validated once."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.fine: set[tuple[str, str]] = set()

    def visit(self, root: Mapping) -> None:
        self.model(root.get("model"), ("model",))
        blocks = root.get("blocks")
        if isinstance(blocks, Mapping):
            for name, block in blocks.entries.items():
                if isinstance(block, Mapping):
                    self.model(block.get("model"), ("blocks", name, "model"))

    def model(self, model: Node | None, path: Path) -> None:
        if isinstance(model, Sequence):
            for index, item in enumerate(model.items):
                self.item(item, (*path, index))

    def item(self, item: Node, path: Path) -> None:
        if isinstance(item, Mapping) and len(item.entries) == 1:
            kind, body = next(iter(item.entries.items()))
            if kind == "repeat" and isinstance(body, Mapping):
                shallow = {k: ([] if k == "model" and isinstance(v, Sequence) else to_plain(v)) for k, v in body.entries.items()}
                validate_part("item", {"repeat": shallow}, item, path, self.report, is_strict=False)
                self.model(body.get("model"), (*path, "repeat", "model"))
                return
            if kind in REGISTRY:
                plain = to_plain(body)
                key = (kind, repr(plain))
                if key not in self.fine:
                    before = len(self.report.items)
                    validate_part(f"layer_{kind}", plain, body, (*path, kind), self.report, is_strict=False, owner=item.keys[kind])
                    if len(self.report.items) == before:
                        self.fine.add(key)
                return
        validate_part("item", to_plain(item), item, path, self.report, is_strict=False)


def validate_part(
    definition: str, plain: Any, node: Node, path: Path, report: Report, *, is_strict: bool, owner: Scalar | None = None
) -> None:
    """One definition's instance: `node` gives the places, `plain` the values."""
    for error in _validator(definition, is_strict).iter_errors(plain):
        _report(error, node, path, report, owner)


def validate_section(name: str, node: Node, report: Report) -> None:
    """A section after expansion."""
    section = {"definitions": schemas.strict()["definitions"], **schemas.strict()["properties"][name]}
    for error in jsonschema.Draft7Validator(section).iter_errors(to_plain(node)):
        _report(error, node, (name,), report)


# --------------------------------------------------------------------------------------------- in words


def _report(error: ValidationError, root: Node, base: Path, report: Report, owner: Scalar | None = None) -> None:
    for diagnostic in _describe(error, root, base, owner):
        report.add(diagnostic)


def _describe(error: ValidationError, root: Node, base: Path, owner: Scalar | None) -> Iterator[Diagnostic]:
    if error.validator == "anyOf" and error.context:  # the second alternative is always an expression
        for inner in error.context:
            if inner.schema_path and inner.schema_path[0] == 0:
                yield from _describe(inner, root, base, owner)
        return
    path: Path = tuple(error.absolute_path)
    node = locate(root, path)
    full = (*base, *path)
    place = format_path(full)
    subject = _subject(full)
    keyed = locate(root, path[:-1]) if path else None
    here = node.span
    match error.validator:
        case "additionalProperties" if isinstance(node, Mapping):
            known = list(error.schema.get("properties", {}))
            for key in node.entries:
                if key not in known:
                    yield _unknown_key(key, known, node, full, error)
        case "propertyNames":
            name = str(error.instance)
            span = node.key_span(name) if isinstance(node, Mapping) else here
            yield Diagnostic("NN206", f"`{name}` is not a name: letters, digits, `_` and `-`, beginning with a letter", span, path=place)
        case "required":
            name = str(error.message.split("'")[1])
            what = f"`{_label(full)}`" if full else "the spec"
            span = owner.span if owner is not None and not path else _key_or_self(root, path, here)
            description = error.schema.get("properties", {}).get(name, {}).get("description", "")
            yield Diagnostic("NN203", f"{what} needs `{name}`", span, path=place, notes=(f"`{name}`: {description}",) if description else ())
        case "type":
            wanted = _types(error.validator_value)
            message = f"{subject} must be {wanted}, but it is {_kind_of(node)}"
            yield Diagnostic("NN202", message, here, path=place, fixes=_number_fix(node, error.validator_value))
        case "enum" | "const":
            options = error.validator_value if error.validator == "enum" else [error.validator_value]
            yield _not_allowed(error, node, options, subject, full)
        case "pattern":
            if error.validator_value == r"^\$":
                allowed = [t for t in (error.schema["type"] if isinstance(error.schema["type"], list) else [error.schema["type"]]) if t != "string"]
                message = f"{subject} must be {_types(allowed)}, but it is {_kind_of(node)}"
                yield Diagnostic("NN202", message, here, path=place, fixes=_number_fix(node, allowed))
            else:
                yield Diagnostic("NN206", f"{subject} is not a name: letters, digits, `_` and `-`, beginning with a letter", here, path=place)
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            words = {"minimum": "at least", "exclusiveMinimum": "more than", "maximum": "at most", "exclusiveMaximum": "less than"}
            message = f"{subject} must be {words[str(error.validator)]} {error.validator_value}, but it is {error.instance}"
            yield Diagnostic("NN206", message, here, path=place)
        case "minItems" | "maxItems":
            word = "at least" if error.validator == "minItems" else "at most"
            message = f"{subject} needs {word} {error.validator_value} items, but it has {len(error.instance)}"
            yield Diagnostic("NN206", message, here, path=place)
        case "minProperties" | "maxProperties":
            if "if" in error.schema and isinstance(node, Mapping):
                keys = ", ".join(f"`{k}`" for k in node.entries) or "none"
                yield Diagnostic(
                    "NN207",
                    f"an item is one layer with one key, but this one has {len(node.entries)}: {keys}",
                    here,
                    path=place,
                    fixes=(Fix("indent the arguments below the layer's key, or begin a new item with `- `"),),
                )
            else:
                yield Diagnostic("NN206", f"{subject} has too few or too many entries", here, path=place)
        case _:
            yield Diagnostic("NN202", f"{subject}: {error.message[:200]}", here, path=place)
    del keyed


def _key_or_self(root: Node, path: Path, here: Span) -> Span:
    if path and isinstance(path[-1], str):
        parent = locate(root, path[:-1])
        if isinstance(parent, Mapping):
            return parent.key_span(path[-1])
    return here.start if not path else here


def _label(path: Path) -> str:
    return next((str(step) for step in reversed(path) if isinstance(step, str)), "")


def _subject(path: Path) -> str:
    label = _label(path)
    if not path:
        return "the spec"
    owner = next((str(s) for s in path[-2::-1] if isinstance(s, str) and s in REGISTRY), None) if len(path) > 1 else None
    if isinstance(path[-1], int):
        return f"an item of `{label}`"
    return f"`{label}` of `{owner}`" if owner and owner != label else f"`{label}`"


def _unknown_key(key: str, known: list[str], node: Mapping, path: Path, error: ValidationError) -> Diagnostic:
    span = node.key_span(key)
    is_item = "if" in error.schema and "repeat" in known or (known and set(known) <= set(REGISTRY))
    hint = hint_for(key, _label(path), is_item=bool(is_item))
    close = nearest(key, known)
    notes = (hint,) if hint else ()
    place = format_path((*path, key))
    fixes = tuple(Fix(f"use `{c}`", (Edit(span, c),)) for c in close)
    if is_item:
        return Diagnostic("NN204", f"nnspec knows no layer `{key}`{did_you_mean(key, known)}", span, path=place, notes=notes, fixes=fixes)
    owner = _label(path)
    where = f"`{owner}` takes no `{key}`" if owner else f"a spec has no section `{key}`"
    if not notes and known:
        notes = (f"it takes {', '.join(f'`{k}`' for k in known[:30])}",)
    return Diagnostic("NN201", f"{where}{did_you_mean(key, known)}", span, path=place, notes=notes, fixes=fixes)


def _not_allowed(error: ValidationError, node: Node, options: list[Any], subject: str, path: Path) -> Diagnostic:
    value = error.instance
    words = [str(o) for o in options if isinstance(o, str)]
    place = format_path(path)
    if isinstance(value, str) and "Dense" in words:  # a bare layer name
        if value in REGISTRY:
            needs = ", ".join(f"`{a}`" for a in REGISTRY[value].required_arguments())
            return Diagnostic("NN203", f"`{value}` needs {needs}", node.span, path=place, fixes=(Fix(f"write `{value}: {{…}}`"),))
        hint = hint_for(value, "", is_item=True)
        close = nearest(value, list(REGISTRY))
        return Diagnostic(
            "NN204",
            f"nnspec knows no layer `{value}`{did_you_mean(value, REGISTRY)}",
            node.span,
            path=place,
            notes=(hint,) if hint else (),
            fixes=tuple(Fix(f"use `{c}`", (Edit(node.span, c),)) for c in close),
        )
    shown = ", ".join(f"`{_yaml(o)}`" for o in options[:24]) + (", …" if len(options) > 24 else "")
    meant = did_you_mean(value, words) if isinstance(value, str) else ""
    fixes = tuple(Fix(f"use `{c}`", (Edit(node.span, c),)) for c in nearest(value, words)) if isinstance(value, str) else ()
    return Diagnostic(
        "NN205", f"{subject} cannot be `{_yaml(value)}`{meant}", node.span, path=place, notes=(f"allowed: {shown}",), fixes=fixes
    )


def _yaml(value: Any) -> str:
    return {None: "null", True: "true", False: "false"}.get(value, str(value)) if value is None or isinstance(value, bool) else str(value)


_TYPE_WORDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "null",
}


def _types(types: Any) -> str:
    listed = [types] if isinstance(types, str) else list(types)
    words = [_TYPE_WORDS[t] for t in listed if t != "null" or len(listed) == 1]
    return " or ".join(words)


def _kind_of(node: Node) -> str:
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    value = node.value
    if value is None:
        return "empty"
    if isinstance(value, str):
        return f"the text `{value[:60]}`"
    return f"`{_yaml(value)}`"


def _number_fix(node: Node, wanted: Any) -> tuple[Fix, ...]:
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    if isinstance(node, Scalar) and isinstance(node.value, str) and not node.is_plain and {"integer", "number"} & set(listed):
        try:
            float(node.value)
        except ValueError:
            return ()
        return (Fix("leave the quotes away", (Edit(node.span, node.value),)),)
    return ()


def validate_expanded(root: Mapping, expanded: Expanded, report: Report) -> None:
    """The values that variables and expressions gave: sections and layer bodies once more, without expressions."""
    for name in ("data", "inputs", "outputs", "training", "export"):
        before, after = root.get(name), expanded.root.get(name)
        if after is not None and before is not None and to_plain(before) != to_plain(after):
            validate_section(name, after, report)
    fine: set[tuple[str, str]] = set()
    for item in expanded.items:
        if item.body is None or item.kind not in REGISTRY:
            continue
        plain = to_plain(item.body)
        node: Node = item.body
        if list(plain) == [""]:
            plain, node = plain[""], item.body.entries[""]
        elif "when" in plain:
            plain = {k: v for k, v in plain.items() if k != "when"}
        key = (item.kind, repr(plain))
        if key in fine:
            continue
        before_count = len(report.items)
        owner = Scalar(item.kind, item.kind_span)
        validate_part(f"layer_{item.kind}", plain, node, (*item.path, item.kind), report, is_strict=True, owner=owner)
        if len(report.items) == before_count:
            fine.add(key)
