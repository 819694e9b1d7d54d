"""The key of `training` that says which weights a training starts from."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema
from nnspec.schema.parts import closed

_PATH: Schema = {
    "type": "string",
    "minLength": 1,
    "description": "A .keras or .weights.h5 file, or the directory of a build, below the spec's folder.",
}
_NAMES: Schema = {"type": "array", "minItems": 1, "items": {"type": "string"}}
START_KEYS: dict[str, Schema] = {
    "weights": {
        "description": (
            "Trained weights to start from: a .keras or .weights.h5 file or the directory of a build; or `from` with "
            "the `nodes` that start from it. No code in the file is run."
        ),
        "type": ["string", "object", "null"],
        "if": {"type": "string"},
        "then": {"minLength": 1},
        "else": {
            key: value
            for key, value in closed(
                "",
                {
                    "from": _PATH,
                    "nodes": {
                        "type": ["array", "object"],
                        "minItems": 1,
                        "minProperties": 1,
                        "items": {"type": "string"},
                        "additionalProperties": {"type": "string"},
                        "description": (
                            "The nodes, blocks or patterns (`encoder`, `conv2d_*`) that start from the file; a mapping "
                            "gives the name of each in the file. Default: all."
                        ),
                    },
                    "except": {
                        **_NAMES,
                        "description": "Nodes that do not start from the file, such as a new head.",
                    },
                },
                required=["from"],
            ).items()
            if key not in ("type", "description")
        },
    },
}
