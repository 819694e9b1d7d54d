"""The JSON Schema of specs: assembled from the layers and sections, and used to validate.

What a spec writes may have `$name` and `$(expression)` wherever a value stands; the strict schema is the same without
them, for values after expansion. A layer item is an object of exactly one known key, and validation dispatches on that
key, so an error speaks of that layer alone. `publish` gives editors the same schema in a shape that suits them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.data.section.json_schema import data_section
from nnspec.data.sources.registry import all_kinds, own_kinds, source_of
from nnspec.document.types import JsonSchema as Schema
from nnspec.ir.names import NAME_PATTERN
from nnspec.layers.aliases import ALIASES
from nnspec.layers.kit.args import AUTO_PATTERN
from nnspec.layers.kit.base import Layer
from nnspec.layers.registry import REGISTRY
from nnspec.schema.sections import REQUIRED, sections, structure

FAMILIES = {
    "initializer": "initializers",
    "regularizer": "regularizers",
    "constraint": "constraints",
    "activation": "activations",
    "optimizer": "optimizers",
    "schedule": "schedules",
    "loss": "losses",
    "metric": "metrics",
    "callback": "callbacks",
}
NULLABLE = ("initializer", "regularizer", "constraint", "activation")
MODEL: Schema = {
    "type": "array",
    "description": "Layers in order; each reads the previous one unless it has `from`.",
    "items": {"$ref": "#/definitions/item"},
}
LAYER: Schema = {"$ref": "#/definitions/layer"}
EXPRESSION: Schema = {
    "type": "string",
    "description": "A variable or an expression over variables, such as `$units` or `$(2 * units)`.",
    "pattern": r"^\$",
}


AUTO_OR_EXPRESSION = r"^\$|^auto$"


def common_arguments(layer: Layer) -> dict[str, Schema]:
    """What every layer body takes besides Keras' arguments."""
    result: dict[str, Schema] = {
        "name": {
            "type": "string",
            "description": "Name of the node, for `from` and in the ONNX graph.",
            "pattern": NAME_PATTERN,
        },
        "from": {
            "type": ["string", "array"],
            "description": "Its inputs: a name or a list of names; default: the previous layer.",
            "items": {"type": "string"},
            "minItems": 1,
        },
        "when": {"type": ["boolean"], "description": "Leaves the layer out if false."},
    }
    if not layer.is_axis_operation:
        result["trainable"] = {
            "type": "boolean",
            "description": "Whether training changes its weights.",
            "default": True,
        }
    if layer.makes is not None:
        result["as"] = {
            "type": "string",
            "description": f"Name of the axis that it creates; default `{layer.makes}`.",
            "pattern": NAME_PATTERN,
        }
        if layer.makes_several:
            result["as"]["type"] = ["string", "array"]
            result["as"]["items"] = {"type": "string", "pattern": NAME_PATTERN}
            result["as"]["description"] += " For several axes, a list of names."
    if layer.steps:
        result["over"] = {
            "type": ["string", "array"],
            "description": "The axis or axes that it must run along; checked.",
            "items": {"type": "string"},
            "minItems": 1,
        }
    return result


def layer_schema(layer: Layer) -> Schema:
    """The schema of one kind's body."""
    from nnspec.layers.kit.documentation import summary

    required = layer.required_arguments()
    properties = {**{name: arg.to_schema() for name, arg in layer.args.items()}, **common_arguments(layer)}
    schema: Schema = {
        "type": "object" if required else ["object", "null"],
        "description": summary(layer),
        "additionalProperties": False,
        "properties": properties,
    }
    if required:
        schema["required"] = required
    return layer.adapt_schema(schema if layer.is_axis_operation else _with_short_form(layer, schema))


def _with_short_form(layer: Layer, schema: Schema) -> Schema:
    """The same body, or the layer's main argument alone (`Dense: 10`); a mapping is always the whole body."""
    main = layer.main_argument
    if main is None:
        return schema
    names: Schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    argument = names if main == "from" else layer.args[main].schema
    alone: Schema = {key: value for key, value in argument.items() if key != "type"}
    given = argument.get("type", "string")
    types = [name for name in ([given] if isinstance(given, str) else given) if name not in ("object", "null")]
    if set(alone) & {"enum", "anyOf", "allOf", "$ref"}:  # one of some words, as an activation is
        reference = next((part for part in alone.get("allOf", []) if "$ref" in part), alone)
        alone, types = {"if": {"type": "string"}, "then": reference}, ["string"]
    own = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return {**schema, "type": [*own, *(name for name in types if name not in own)], **alone}


def _item(kinds: dict[str, Schema], bare: list[str], what: str) -> Schema:
    return {
        "type": ["object", "string"],
        "description": what,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": kinds,
        "if": {"type": "string"},
        "then": {"enum": bare},
    }


def is_bare(kind: str) -> bool:
    """Whether a layer may stand as a word alone."""
    return not REGISTRY[ALIASES.get(kind, kind)].required_arguments()


def _items() -> dict[str, Schema]:
    """The definitions of an item and of a wrapped layer, which name every kind: all layers are loaded."""
    names = [*REGISTRY, *ALIASES]
    bare = [name for name in names if is_bare(name)]
    layers: dict[str, Schema] = {name: {"$ref": f"#/definitions/{_LAYER}{ALIASES.get(name, name)}"} for name in names}
    parts = {name: {"$ref": f"#/definitions/{name}"} for name in _STRUCTURE}
    what = "A layer, an axis operation, or a repeat, block or share."
    return {"item": _item({**layers, **parts}, bare, what), "layer": _item(layers, bare, "A layer.")}


_LAYER = "layer_"
_STRUCTURE = structure(MODEL)
_OBJECTS: dict[str, Callable[[], Schema]] = {
    **{name: partial(keras_objects.definition, family) for name, family in FAMILIES.items()},
    **{f"nullable_{name}": partial(keras_objects.definition, FAMILIES[name], nullable=True) for name in NULLABLE},
}


@cache
def definition(name: str, *, is_strict: bool) -> Schema:
    """One definition; of all the layers it loads those alone that it speaks of."""
    if name == "expression":
        return EXPRESSION
    if not is_strict and name != "item":  # a variable holds values, so none can be an item
        admitting: Schema = _admit_expressions(definition(name, is_strict=True))
        return admitting
    if name in _OBJECTS:
        return _OBJECTS[name]()
    if name in _STRUCTURE:
        return _STRUCTURE[name]
    return layer_schema(REGISTRY[name.removeprefix(_LAYER)]) if name.startswith(_LAYER) else _items()[name]


def _root(properties: Schema, definitions: Schema) -> Schema:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://nnspec.dev/schemas/nnspec.schema.json",
        "title": "nnspec",
        "description": "A neural network: inputs with named axes, layers, outputs, data, training and export.",
        "type": "object",
        "additionalProperties": False,
        "required": REQUIRED,
        "properties": properties,
        "definitions": definitions,
    }


@cache
def root_schema(*, is_strict: bool, is_published: bool = False, kinds: tuple[str, ...] | None = None) -> Schema:
    """The whole schema but for its definitions; the published one knows no packages that happen to be installed.

    Args:
        kinds: the kinds of source that it is about, whose modules are imported; default all that can be used.
    """
    if kinds is not None:
        sources = [source for kind in kinds if (source := source_of(kind)) is not None]
    else:
        sources = list(own_kinds() if is_published else all_kinds())
    data = data_section(sources)
    return _root({**_sections(is_strict), "data": data if is_strict else _admit_expressions(data)}, {})


@cache
def _sections(is_strict: bool) -> dict[str, Schema]:
    """All sections; of sources that of `data` knows none."""
    properties = sections(MODEL, LAYER, ())
    if is_strict:
        return properties
    return {name: part if name == "search" else _admit_expressions(part) for name, part in properties.items()}


def full_schema(*, is_strict: bool) -> Schema:
    """The whole schema, without expressions or with them."""
    layers = (f"{_LAYER}{kind}" for kind in REGISTRY)
    names = ("item", "layer", *_STRUCTURE, *layers, *_OBJECTS, *(() if is_strict else ("expression",)))
    definitions = {name: definition(name, is_strict=is_strict) for name in names}
    return {**root_schema(is_strict=is_strict, is_published=True), "definitions": definitions}


def _may_be_a_value(schema: Schema) -> bool:
    """Whether a number, a boolean or a list may stand there beside a mapping, which a variable can hold."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return not {"object", "null"}.issuperset(types)


def _admit_expressions(schema: Any) -> Any:
    """The same schema, with `$name` and `$(expression)` allowed wherever a value may stand."""
    if isinstance(schema, list):
        return [_admit_expressions(part) for part in schema]
    if not isinstance(schema, dict) or schema == MODEL:
        return schema
    result: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "definitions"):
            result[key] = {name: _admit_expressions(part) for name, part in value.items()}
        elif key in ("items", "additionalProperties", "else", "then", "allOf"):
            result[key] = _admit_expressions(value)
        elif key == "propertyNames" and "pattern" in value:
            result[key] = {**value, "pattern": r"^\$|" + value["pattern"]}
        else:
            result[key] = value
    types = result.get("type")
    listed = [types] if isinstance(types, str) else list(types or [])
    if "enum" in result and (not listed or "string" in listed):
        values = result.pop("enum")
        result["anyOf"] = [{"enum": values}, {"$ref": "#/definitions/expression"}]
    elif listed and "string" not in listed and ("object" not in listed or _may_be_a_value(result)):
        result["type"] = [*listed, "string"]
        result["pattern"] = r"^\$"
    elif result.get("pattern") == AUTO_PATTERN:
        result["pattern"] = AUTO_OR_EXPRESSION
    elif result.get("pattern") == NAME_PATTERN and "string" in listed:
        result["pattern"] = r"\$|" + NAME_PATTERN
    return result
