"""The key of `training` that says what classes weigh."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema

_WEIGHT: Schema = {"type": "number", "minimum": 0, "description": "Weight of targets with this label."}
CLASS_WEIGHT_KEY: dict[str, Schema] = {
    "class_weight": {
        "type": ["string", "object"],
        "if": {"type": "string"},
        "then": {"enum": ["balanced"]},
        "else": {
            "minProperties": 1,
            "additionalProperties": {
                "type": ["number", "string", "object"],
                "minimum": 0,
                "if": {"type": "string"},
                "then": {"enum": ["balanced"]},
                "else": {"additionalProperties": _WEIGHT},
            },
        },
        "description": (
            "Weights of classes in the loss of classification and binary outputs: `balanced` by the inverse of their "
            "frequency, or a number for each label (1 where none is given); by output where several have classes."
        ),
    },
}
