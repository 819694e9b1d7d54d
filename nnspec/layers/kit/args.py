"""Arguments of layers: each is a piece of JSON Schema with a description and a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TypeAlias

from nnspec.document.types import JsonSchema, Plain
from nnspec.lazy import dataclass


class Required(Enum):
    """What stands for the default of an argument that the spec must give."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED
Default: TypeAlias = "Plain | Required"


@dataclass(frozen=True, slots=True)
class Arg:
    """An argument of a layer.

    Attributes:
        schema: draft-07, without description and default.
        default: the value where the spec says nothing; `REQUIRED` where it must.
        family: the catalogue family (`initializers`, …) that the value names an object of.
    """

    schema: JsonSchema
    description: str
    default: Default = REQUIRED
    family: str | None = None

    def to_schema(self) -> JsonSchema:
        result = {**self.schema, "description": self.description}
        if self.default is not REQUIRED and self.default is not None:
            result["default"] = self.default
        return result


def integer(description: str, default: Default = REQUIRED, *, minimum: int | None = 1) -> Arg:
    schema: JsonSchema = {"type": "integer" if default is not None else ["integer", "null"]}
    if minimum is not None:
        schema["minimum"] = minimum
    return Arg(schema, description, default)


AUTO_PATTERN = r"^auto$"


def integer_or_auto(description: str) -> Arg:
    """A whole number from 1, or `auto` where it follows from the data."""
    return Arg({"type": ["integer", "string"], "minimum": 1, "pattern": AUTO_PATTERN}, description)


def number(
    description: str,
    default: Default = REQUIRED,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Arg:
    schema: JsonSchema = {"type": "number" if default is not None else ["number", "null"]}
    bounds = {"minimum": minimum, "maximum": maximum, "exclusiveMinimum": above, "exclusiveMaximum": below}
    schema.update({key: value for key, value in bounds.items() if value is not None})
    return Arg(schema, description, default)


def boolean(description: str, default: Default = REQUIRED) -> Arg:
    return Arg({"type": "boolean" if default is not None else ["boolean", "null"]}, description, default)


def text(description: str, default: Default = REQUIRED) -> Arg:
    return Arg({"type": "string" if default is not None else ["string", "null"]}, description, default)


def choice(description: str, options: Sequence[Plain], default: Default = REQUIRED) -> Arg:
    listed = list(options) if default is not None else [*options, None]
    return Arg({"enum": listed}, description, default)


def sizes(description: str, rank: int, default: Default = REQUIRED, *, minimum: int = 1) -> Arg:
    """One number for every spatial axis, or a list of `rank` numbers."""
    types = ["integer", "array"] if default is not None else ["integer", "array", "null"]
    schema = {
        "type": types,
        "minimum": minimum,
        "items": {"type": "integer", "minimum": minimum},
        "minItems": rank,
        "maxItems": rank,
    }
    return Arg(schema, description, default)


def axis(description: str, default: Default = REQUIRED) -> Arg:
    """An axis by name, or by Keras' index (batch is 0)."""
    return Arg(
        {"type": ["string", "integer"] if default is not None else ["string", "integer", "null"]}, description, default
    )


def axis_list(description: str, default: Default = REQUIRED) -> Arg:
    """One axis or several, by name or by Keras' index."""
    schema = {"type": ["string", "integer", "array"], "items": {"type": ["string", "integer"]}, "minItems": 1}
    return Arg(schema, description, default)


def _configurable(family: str, singular: str, what: str, default: Default) -> Arg:
    reference = {"$ref": f"#/definitions/nullable_{singular}"}
    return Arg({"allOf": [reference]}, what, default, family)


def initializer(what: str, default: Default = "glorot_uniform") -> Arg:
    return _configurable("initializers", "initializer", f"Initializer of the {what}.", default)


def regularizer(what: str) -> Arg:
    return _configurable(
        "regularizers", "regularizer", f"Regularizer of the {what}: a penalty added to the loss.", None
    )


def constraint(what: str) -> Arg:
    return _configurable(
        "constraints", "constraint", f"Constraint on the {what}, applied after each training step.", None
    )


def activation(default: Default = None, description: str = "Activation function of the output; null: linear.") -> Arg:
    return _configurable("activations", "activation", description, default)


def data_format(what: str = "channels_last: `(…, channel)`; channels_first: `(channel, …)`.") -> Arg:
    return choice(f"Position of the channel axis. {what}", ["channels_last", "channels_first"], None)


def as_tuple(value: int | Sequence[int], rank: int) -> tuple[int, ...]:
    """Keras' `3` for `(3, 3)`."""
    return (int(value),) * rank if isinstance(value, int) else tuple(int(v) for v in value)


def weight_arguments(*weights: str, defaults: Mapping[str, Plain] | None = None) -> dict[str, Arg]:
    """Initializer, regularizer and constraint for each named weight, in Keras' order."""
    standard = {"bias": "zeros", "recurrent": "orthogonal", **(defaults or {})}
    result: dict[str, Arg] = {}
    for weight in weights:
        result[f"{weight}_initializer"] = initializer(_describe_weight(weight), standard.get(weight, "glorot_uniform"))
    for weight in weights:
        result[f"{weight}_regularizer"] = regularizer(_describe_weight(weight))
    return result


def weight_constraints(*weights: str) -> dict[str, Arg]:
    return {f"{weight}_constraint": constraint(_describe_weight(weight)) for weight in weights}


def _describe_weight(weight: str) -> str:
    return f"{weight} kernel" if weight in ("recurrent", "depthwise", "pointwise") else weight


def activity_regularizer() -> dict[str, Arg]:
    return {"activity_regularizer": regularizer("output")}
