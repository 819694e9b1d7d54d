"""A value other than the default for every argument of every Keras object, read off the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nnspec.catalogue import keras_objects

SCHEDULE = {"PolynomialDecay": {"initial_learning_rate": 0.02, "decay_steps": 9, "end_learning_rate": 0.01}}
# Where the schema alone does not tell a value that means something, or arguments go together.
CHOSEN: dict[str, Any] = {
    "learning_rate": 0.0125,
    "inner_optimizer": {"SGD": {"learning_rate": 0.25, "momentum": 0.5}},
    "boundaries": [2, 5],
    "values": [0.03, 0.02, 0.01],
    "warmup_target": 0.25,
    "end_learning_rate": 0.005,
    "exclude_layers": ["first"],
    "decay_steps": 7,
    "min_value": 0.25,
    "max_value": 0.75,
    "minval": -0.75,
    "maxval": 0.625,
    "save_freq": 2,
    "window": "hann",
    "input_axes": [0],
    "output_axes": [1],
    "class_aggregation": "variance_weighted_average",
}


def other_value(family: str, name: str, argument: str) -> Any:
    """A value of the argument that its schema takes and that is not its default."""
    about = keras_objects.argument(family, name, argument)
    default, schema = about.get("default"), about["schema"]
    if argument in CHOSEN and CHOSEN[argument] != default:
        return CHOSEN[argument]
    if "enum" in schema:
        return next(option for option in schema["enum"] if option != default and option is not None)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "boolean" in types:
        return not default
    if "integer" in types:
        low = schema.get("minimum", 0)
        return next(value for value in (low + 1, low + 2) if value != default)
    if "number" in types:
        return _number(schema, default)
    if "array" in types:
        return [_number(schema["items"], None)] * max(2, schema.get("minItems", 1))
    return "some_name"


def _number(schema: dict[str, Any], default: Any) -> float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1.0))
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 1.0))
    found = (low + (high - low) * share for share in (0.375, 0.625))
    return next(value for value in found if value != default)


def others(
    family: str, name: str, given: Mapping[str, Any] | None = None, *, without: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Every argument of a class but `without`, at a value that is not its default; those of `given` go before."""
    known = [key for key in keras_objects.argument_names(family, name) if key not in without]
    return {key: given[key] if given and key in given else other_value(family, name, key) for key in known}
