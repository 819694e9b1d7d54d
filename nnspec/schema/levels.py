"""The keys of a quantile output."""

from __future__ import annotations

from nnspec.document.types import JsonSchema
from nnspec.ir.levels import DEFAULT

LEVEL_KEYS: dict[str, JsonSchema] = {
    "levels": {
        "type": "array",
        "description": "With `task: quantiles`: the shares of the targets below each of its values, ascending.",
        "items": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1, "description": "A share."},
        "minItems": 1,
        "maxItems": 99,
        "uniqueItems": True,
        "default": list(DEFAULT),
    },
    "calibrate": {
        "type": ["boolean", "string"],
        "if": {"type": "string"},
        "then": {"enum": ["conformal"]},
        "description": "With `task: quantiles`: whether the levels are shifted so that on the validation split each "
        "interval contains its share of the targets (conformalized quantile regression); `conformal` is the "
        "same as true. The deployed graph has these offsets.",
        "default": False,
    },
}
