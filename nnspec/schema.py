"""The JSON Schema of specs: assembled from the layers and sections, and used to validate.

`published` is what editors read: it admits `$name` and `$(expression)` wherever a value stands. `strict` is the same
without them, for values after expansion. A layer item is an object of exactly one known key, and validation
dispatches on that key, so an error speaks of that layer alone.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from nnspec import catalogue
from nnspec.layers import REGISTRY
from nnspec.layers.base import Layer
from nnspec.sections import NAME_PATTERN, REQUIRED, Schema, sections, structure

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
    "description": "Layers in order; each reads the one before unless it says `from`.",
    "items": {"$ref": "#/definitions/item"},
}
LAYER: Schema = {"$ref": "#/definitions/layer"}


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
            "description": "What it reads: a name or a list of names; default: the layer before.",
            "items": {"type": "string"},
            "minItems": 1,
        },
        "when": {"type": ["boolean"], "description": "Leaves the layer out where this is false."},
    }
    if not layer.is_verb:
        result["trainable"] = {
            "type": "boolean",
            "description": "Whether training changes its weights.",
            "default": True,
        }
    if layer.makes is not None:
        result["as"] = {
            "type": "string",
            "description": f"Name of the axis that it makes; default `{layer.makes}`.",
            "pattern": NAME_PATTERN,
        }
    if layer.steps:
        result["over"] = {
            "type": ["string", "array"],
            "description": "The axis or axes that it is meant to run along; checked.",
            "items": {"type": "string"},
            "minItems": 1,
        }
    return result


def layer_schema(layer: Layer) -> Schema:
    """The schema of one kind's body."""
    from nnspec.documentation import summary

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
    return layer.adapt_schema(schema)


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


@cache
def strict() -> Schema:
    """The whole schema without expressions."""
    layers = {kind: {"$ref": f"#/definitions/layer_{kind}"} for kind in REGISTRY}
    bare = [kind for kind, layer in REGISTRY.items() if not layer.required_arguments()]
    definitions: dict[str, Schema] = {
        "item": _item({**layers, **structure(MODEL)}, bare, "A layer, an axis operation, or a repeat, block or share."),
        "layer": _item(layers, bare, "A layer."),
        **{f"layer_{kind}": layer_schema(layer) for kind, layer in REGISTRY.items()},
        **{name: catalogue.definition(family) for name, family in FAMILIES.items()},
        **{f"nullable_{name}": catalogue.definition(FAMILIES[name], nullable=True) for name in NULLABLE},
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": "https://nnspec.dev/schemas/nnspec.schema.json",
        "title": "nnspec",
        "description": "A neural network: inputs with named axes, layers, outputs, data, training and export.",
        "type": "object",
        "additionalProperties": False,
        "required": REQUIRED,
        "properties": sections(MODEL, LAYER),
        "definitions": definitions,
    }


EXPRESSION: Schema = {
    "type": "string",
    "description": "A variable or an expression over variables, such as `$units` or `$(2 * units)`.",
    "pattern": r"^\$",
}


def _admit_expressions(schema: Any) -> Any:
    """The same schema, with `$name` and `$(expression)` allowed wherever a value may stand."""
    if isinstance(schema, list):
        return [_admit_expressions(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    result: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "definitions"):
            result[key] = {name: _admit_expressions(part) for name, part in value.items()}
        elif key in ("items", "additionalProperties", "else", "then", "allOf"):
            result[key] = _admit_expressions(value)
        else:
            result[key] = value
    types = result.get("type")
    listed = [types] if isinstance(types, str) else list(types or [])
    if "enum" in result and (not listed or "string" in listed):
        values = result.pop("enum")
        result["anyOf"] = [{"enum": values}, {"$ref": "#/definitions/expression"}]
    elif listed and "string" not in listed and not {"object"} & set(listed):
        result["type"] = [*listed, "string"]
        result["pattern"] = r"^\$"
    elif result.get("pattern") == NAME_PATTERN and "string" in listed:
        result["pattern"] = r"\$|" + NAME_PATTERN
    return result


@cache
def published() -> Schema:
    """The schema as committed: with expressions."""
    schema = _admit_expressions(strict())
    schema["definitions"]["expression"] = EXPRESSION
    schema["properties"]["model"] = MODEL
    return schema  # type: ignore[no-any-return]


def published_text() -> str:
    return json.dumps(published(), indent=1, ensure_ascii=False) + "\n"
