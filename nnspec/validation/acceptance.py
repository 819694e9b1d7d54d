"""Fast validation: true only if a value is certainly valid, as most are.

jsonschema, which finds and describes faults, takes a third of a whole check to import; where everything is accepted
here, it is not needed. What this module does not know is not accepted, so jsonschema has the last word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

from nnspec.document.types import JsonSchema as Schema
from nnspec.document.types import Plain
from nnspec.layers.registry import REGISTRY

Definition = Callable[[str], Schema]
_ANNOTATIONS = frozenset(
    {"description", "default", "examples", "title", "$schema", "$id", "definitions", "then", "else"}
)


def is_accepted(schema: Schema, value: object, definition: Definition) -> bool:
    """Whether `value` is valid for sure.

    Args:
        definition: what a reference `#/definitions/NAME` stands for, by its name; layers are asked for one by one.
    """
    if "$ref" in schema:  # in draft-07, keys next to `$ref` are ignored
        return _is_named(schema["$ref"].removeprefix("#/definitions/"), value, definition)
    for keyword, wanted in schema.items():
        if keyword in _ANNOTATIONS:
            continue
        rule = _RULES.get(keyword)
        if rule is None or not rule(wanted, value, schema, definition):
            return False
    return True


def _is_named(name: str, value: object, definition: Definition) -> bool:
    if name != "layer":
        return is_accepted(definition(name), value, definition)
    if isinstance(value, str) and value in REGISTRY:
        return not REGISTRY[value].required_arguments()
    if isinstance(value, str):  # an expression, if anything
        return is_accepted(definition(name), value, definition)
    if not isinstance(value, dict) or len(value) != 1:
        return False
    ((kind, body),) = value.items()
    return kind in REGISTRY and is_accepted(definition(f"layer_{kind}"), body, definition)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and not (isinstance(value, float) and not value.is_integer()),
}


def _type(wanted: str | list[str], value: object, schema: Schema, definition: Definition) -> bool:
    return any(_TYPES[name](value) for name in ([wanted] if isinstance(wanted, str) else wanted))


def _enum(wanted: list[Plain], value: object, schema: Schema, definition: Definition) -> bool:
    """Numbers and truth values differ in JSON, though in Python they are equal."""
    return any(value == option and isinstance(value, bool) == isinstance(option, bool) for option in wanted)


def _properties(wanted: dict[str, Schema], value: object, schema: Schema, definition: Definition) -> bool:
    if not isinstance(value, dict):
        return True
    return all(is_accepted(wanted[key], part, definition) for key, part in value.items() if key in wanted)


def _additional(wanted: Schema | bool, value: object, schema: Schema, definition: Definition) -> bool:
    if not isinstance(value, dict) or wanted is True:
        return True
    extra = value.keys() - schema.get("properties", {}).keys()
    if wanted is False:
        return not extra
    return all(is_accepted(wanted, value[key], definition) for key in extra)


def _names(wanted: Schema, value: object, schema: Schema, definition: Definition) -> bool:
    return not isinstance(value, dict) or all(is_accepted(wanted, key, definition) for key in value)


def _items(wanted: Schema, value: object, schema: Schema, definition: Definition) -> bool:
    return not isinstance(value, list) or all(is_accepted(wanted, item, definition) for item in value)


def _unique(wanted: bool, value: object, schema: Schema, definition: Definition) -> bool:
    if not wanted or not isinstance(value, list):
        return True
    is_simple = all(isinstance(item, str) or _is_number(item) for item in value)
    return is_simple and len(set(value)) == len(value)


def _condition(wanted: Schema, value: object, schema: Schema, definition: Definition) -> bool:
    """Sure of the condition only where it is about the type."""
    if set(wanted) != {"type"}:
        return False
    branch = "then" if _type(wanted["type"], value, wanted, definition) else "else"
    return branch not in schema or is_accepted(schema[branch], value, definition)


def _all(wanted: list[Schema], value: object, schema: Schema, definition: Definition) -> bool:
    return all(is_accepted(part, value, definition) for part in wanted)


def _any(wanted: list[Schema], value: object, schema: Schema, definition: Definition) -> bool:
    return any(is_accepted(part, value, definition) for part in wanted)


_Rule: TypeAlias = Callable[..., bool]  # of the keyword's value, and then as `is_accepted`
_RULES: Mapping[str, _Rule] = {
    "type": _type,
    "enum": _enum,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "uniqueItems": _unique,
    "if": _condition,
    "allOf": _all,
    "anyOf": _any,
    "required": lambda wanted, value, *_: not isinstance(value, dict) or all(key in value for key in wanted),
    "minProperties": lambda wanted, value, *_: not isinstance(value, dict) or len(value) >= wanted,
    "maxProperties": lambda wanted, value, *_: not isinstance(value, dict) or len(value) <= wanted,
    "minItems": lambda wanted, value, *_: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda wanted, value, *_: not isinstance(value, list) or len(value) <= wanted,
    "minLength": lambda wanted, value, *_: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda wanted, value, *_: not isinstance(value, str) or len(value) <= wanted,
    "pattern": lambda wanted, value, *_: not isinstance(value, str) or re.search(wanted, value) is not None,
    "minimum": lambda wanted, value, *_: not (_is_number(value) and value < wanted),
    "maximum": lambda wanted, value, *_: not (_is_number(value) and value > wanted),
    "exclusiveMinimum": lambda wanted, value, *_: not (_is_number(value) and value <= wanted),
    "exclusiveMaximum": lambda wanted, value, *_: not (_is_number(value) and value >= wanted),
}
