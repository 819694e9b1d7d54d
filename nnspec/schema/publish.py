"""The schema for editors: `schemas/nnspec.schema.json`.

It accepts what `schema.whole(is_strict=False)` accepts, in a shape that language servers can work with: alternatives
are branches of `anyOf`, one for each type, rather than conditions, since a condition is decided by a value that is not
there yet while one types; nothing but alternatives stands where an expression is allowed, so that only the arguments
that must be given are written for one; titles and Markdown descriptions stand where a server shows them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.document.types import JsonSchema as Schema
from nnspec.ir.names import STRUCTURE
from nnspec.layers.aliases import ALIASES
from nnspec.layers.kit.documentation import markdown
from nnspec.layers.registry import REGISTRY
from nnspec.schema import assembly as schemas

# Beside `properties`, `maxProperties: 1` would end the proposals at the first letter.
_COUNTS = ("minProperties", "maxProperties")
_KEYWORDS = {
    "object": _COUNTS,
    "array": ("items", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
_KEYWORDS["integer"] = _KEYWORDS["number"]
# These leave other types alone. Outside of the alternatives they hold even where a server takes another for the best.
_OBJECT = ("properties", "required", "additionalProperties", "propertyNames")
_ANNOTATIONS = ("title", "description", "markdownDescription", "default")
_PATTERN = schemas.EXPRESSION["pattern"]
_AUTO: Schema = {"enum": ["auto"]}
_EXPRESSED = (_PATTERN, schemas.AUTO_OR_EXPRESSION)
_EXPRESSION: Schema = {"$ref": "#/definitions/expression"}
_ORDER = ("string", "object", "array", "integer", "number", "boolean", "null")


def published() -> Schema:
    """The whole schema, expressions admitted."""
    whole = schemas.full_schema(is_strict=False)
    result: Schema = reshaped(whole)
    definitions = result["definitions"]
    for kind, layer in REGISTRY.items():
        page = {"title": kind, "markdownDescription": markdown(layer)}
        body = definitions[f"layer_{kind}"]
        definitions[f"layer_{kind}"] = {**(body if layer.is_axis_operation else _with_arguments_above(body)), **page}
    for name in STRUCTURE:
        definitions[name] = {"title": name, **definitions[name]}
    for name in ("item", "layer"):
        definitions[name] = _with_bare_layers(definitions[name])
    for name, family in schemas.FAMILIES.items():
        for found in definitions.keys() & {name, f"nullable_{name}"}:
            definitions[found] = _described(definitions[found], family)
    return result


def _with_arguments_above(body: Schema) -> Schema:
    """A body with its arguments beside the alternatives, where servers look for those that must be given."""
    parts = next((part for part in body.get("allOf", []) if "properties" in part), None)
    if parts is None:
        return body
    others = [part for part in body["allOf"] if part is not parts]
    result: Schema = {k: v for k, v in body.items() if k != "allOf"} | parts | ({"allOf": others} if others else {})
    return result


def published_text() -> str:
    return json.dumps(published(), indent=1, ensure_ascii=False) + "\n"


def reshaped(schema: Any) -> Any:
    """The same schema in the shape that editors work with; what it accepts does not change."""
    if not isinstance(schema, dict):
        return schema
    result: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "definitions"):
            result[key] = {name: reshaped(part) for name, part in value.items()}
        elif key in ("items", "additionalProperties", "propertyNames", "then", "else"):
            result[key] = reshaped(value)
        elif key in ("anyOf", "allOf"):
            result[key] = [reshaped(part) for part in value]
        else:
            result[key] = value
    if "`" in result.get("description", ""):
        result["markdownDescription"] = result["description"]
    match result.get("allOf"):
        case [{"$ref": reference}]:  # servers merge keys next to a `$ref`; validators may ignore them
            rest = {key: value for key, value in result.items() if key != "allOf"}
            return {"$ref": reference, **rest}
    match result:
        case {"if": {"type": name}, "then": some, "else": {"$ref": _} as others}:  # a layer, or several
            kept = {key: result[key] for key in _ANNOTATIONS if key in result}
            return kept | {"anyOf": [others, {"type": name, **some}]}
        case {"type": list(names), "if": {"type": list(every)}, "then": {"$ref": reference}} if names == every:
            return {key: result[key] for key in _ANNOTATIONS if key in result} | {"$ref": reference}
    types = _types(result)
    plain = [name for name in types if name != "null"]
    has_parts = len(plain) > 1 and {"items", "properties", "additionalProperties"} & set(result)
    if "if" in result or has_parts or (len(types) > 1 and result.get("pattern") in _EXPRESSED):
        return _alternatives(result, types)
    counts = {key: result.pop(key) for key in _COUNTS if key in result}
    return result | ({"allOf": [counts]} if counts else {})


def _alternatives(schema: Schema, types: list[str]) -> Schema:
    kept = {key: schema[key] for key in _ANNOTATIONS if key in schema}
    parts = {key: schema[key] for key in _OBJECT if key in schema} | schema.get("else", {})
    counts = {key: value for part in parts.pop("allOf", []) for key, value in part.items()}
    branches = sorted(_branches({**schema, **counts}, types), key=[_AUTO, _EXPRESSION].count)
    return kept | {"anyOf": branches} | ({"allOf": [parts]} if parts else {})


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _branches(schema: Schema, types: list[str]) -> Iterator[Schema]:
    """One alternative for each type, with its own keywords; an expression is an alternative of its own.

    A condition is always on a type, so its consequence belongs to that type's alternative.
    """
    condition = schema.get("if", {"type": None})
    assert set(condition) == {"type"}, condition
    for name in sorted(types, key=_ORDER.index):
        if name == condition["type"]:
            parts = schema["then"].get("anyOf", [schema["then"]])
            yield from (part if "$ref" in part else {"type": name, **part} for part in parts)
        elif name == "string" and schema.get("pattern") in _EXPRESSED:
            if schema["pattern"] == schemas.AUTO_OR_EXPRESSION:
                yield _AUTO
            yield _EXPRESSION
        else:
            yield {"type": name, **{key: schema[key] for key in _KEYWORDS.get(name, ()) if key in schema}}


def _with_bare_layers(item: Schema) -> Schema:
    """An item whose bare words each say what they are, as hover shows them; the item itself would speak first."""
    words, *others = item["anyOf"]
    named = (
        {"const": word, "title": word, "markdownDescription": markdown(REGISTRY[ALIASES.get(word, word)])}
        for word in words["enum"]
    )
    return {"anyOf": [*others, *named], "allOf": item["allOf"]}


def _described(part: Schema, family: str) -> Schema:
    """A family's definition, with what each name and class is."""
    for key in ("anyOf", "allOf"):
        if key in part:
            part = {**part, key: [_described(branch, family) for branch in part[key]]}
    if "enum" in part:
        return {**part, "markdownEnumDescriptions": [keras_objects.describe(family, word) for word in part["enum"]]}
    if "properties" in part:
        bodies = {name: {"title": name, **body} for name, body in part["properties"].items()}
        return {"title": keras_objects.FAMILIES[family].singular, **part, "properties": bodies}
    return part
