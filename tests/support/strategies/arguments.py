"""Hypothesis strategies for a layer's arguments, derived from the schema that specs are validated with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from nnspec.catalogue import keras_objects
from nnspec.layers.kit.args import REQUIRED, Arg

Values = SearchStrategy[Any]
SMALL = 3  # how far above its least value a number goes
# Of each family some that take any shape; what they compute is Keras' own.
OBJECTS: dict[str, list[Any]] = {
    "initializers": ["zeros", "ones", "he_normal", "RandomUniform", {"RandomNormal": {"stddev": 0.1}}],
    "regularizers": [None, "L1", {"L2": {"l2": 0.01}}],
    "constraints": [None, "NonNeg", {"MaxNorm": {"max_value": 2}}],
}


def of_argument(arg: Arg) -> Values:
    """Legal values of an argument."""
    if arg.family == "activations":
        names = keras_objects.names("activations")
        return st.sampled_from(names) if arg.default is REQUIRED else st.sampled_from([None, *names])
    if arg.family is not None:
        return st.sampled_from(OBJECTS[arg.family])
    return of_schema(arg.schema)


def of_schema(schema: Mapping[str, Any]) -> Values:
    """Values that a piece of schema admits, near its bounds."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        return st.one_of([of_schema({**schema, **part, "anyOf": None}) for part in schema["anyOf"]])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return st.one_of([_of_type(name, schema) for name in types])


def _of_type(name: str, schema: Mapping[str, Any]) -> Values:
    match name:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            least = schema.get("minimum", 1)
            return st.integers(least, min(least + SMALL, schema.get("maximum", least + SMALL)))
        case "number":
            return _numbers(schema)
        case "array":
            least = schema.get("minItems", 0)
            items = of_schema(schema["items"]) if "items" in schema else st.integers(1, SMALL)
            return st.lists(items, min_size=least, max_size=schema.get("maxItems", least + 2))
        case "string":
            return st.sampled_from(["a", "b"])
    raise TypeError(f"no strategy for {name}: {schema}")


def _numbers(schema: Mapping[str, Any]) -> Values:
    least = schema.get("minimum", schema.get("exclusiveMinimum", -1.0))
    most = schema.get("maximum", schema.get("exclusiveMaximum", least + SMALL))
    inner = st.integers(1, 9).map(lambda tenth: round(least + (most - least) * tenth / 10, 3))
    ends = [bound for key, bound in schema.items() if key in ("minimum", "maximum")]
    return st.one_of(inner, st.sampled_from(ends)) if ends else inner


def wrong_values(schema: Mapping[str, Any]) -> list[Any]:
    """Values that a piece of schema does not admit: of a wrong type, or beyond a bound."""
    result: list[Any] = []
    types = schema.get("type", [])
    types = set(types if isinstance(types, list) else [types])
    if "enum" in schema:
        return ["no such choice", -987]
    if types:
        for name, value in (("object", {"no": 1}), ("string", "no"), ("boolean", True), ("array", [{"no": 1}])):
            if name not in types:
                result.append(value)
        if "number" not in types and types & {"integer"}:
            result.append(1.5)
    if types & {"integer", "number"}:
        result += [schema["minimum"] - 1] if "minimum" in schema else []
        result += [schema["maximum"] + 1] if "maximum" in schema else []
        result += [schema["exclusiveMinimum"]] if "exclusiveMinimum" in schema else []
        result += [schema["exclusiveMaximum"]] if "exclusiveMaximum" in schema else []
    if "array" in types and "items" in schema and schema["items"].get("type"):
        fine = [1] * max(schema.get("minItems", 1), 1)
        result += [[{"no": 1}, *fine[1:]]]
        result += [[1] * (schema["maxItems"] + 1)] if "maxItems" in schema else []
        result += [[1] * (schema["minItems"] - 1)] if schema.get("minItems", 0) > 0 else []
    return result
