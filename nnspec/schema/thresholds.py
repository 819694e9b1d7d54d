"""The keys of outputs of scores: where yes begins, and whose error the score of an anomaly is."""

from __future__ import annotations

from nnspec.document.types import JsonSchema
from nnspec.ir.thresholds import MAXIMIZED

_SHARE: JsonSchema = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}

THRESHOLD_KEY: dict[str, JsonSchema] = {
    "threshold": {
        "type": ["number", "string", "object"],
        "if": {"type": "string"},
        "then": {"enum": ["auto"]},
        "description": "With `task: binary` and `anomaly`: scores above it mean yes. A number in the units of the "
        "output; or a rule that chooses it on the validation split once the network is trained. `auto`: `{maximize: "
        "f1}` of a binary output, `{quantile: 0.95}` of an anomaly score. The deployed graph's labels, `predict`, "
        "`evaluate` and every metric follow it.",
        "properties": {
            "maximize": {
                "type": "string",
                "enum": list(MAXIMIZED),
                "description": "The measure to maximize on the validation split.",
            },
            "precision": {
                **_SHARE,
                "description": "The precision to reach on the validation split, at the highest recall that allows it.",
            },
            "recall": {
                **_SHARE,
                "description": "The recall to reach on the validation split, at the highest precision that allows it.",
            },
            "quantile": {
                **_SHARE,
                "description": "The share of the validation scores that are not above it; samples that are labelled as "
                "anomalies do not count.",
            },
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
}

ANOMALY_KEYS: dict[str, JsonSchema] = {
    "of": {
        "type": "string",
        "description": "With `task: anomaly`: the output whose error is the score, a reconstruction: "
        "`data: {outputs: {reconstruction: {of: x}}}`. It is measured in the scale in which the network reads its "
        "input.",
    },
    "error": {
        "enum": ["squared", "absolute"],
        "description": "With `task: anomaly` and `of`: the mean of squared or absolute errors.",
        "default": "squared",
    },
    "over": {
        "type": "array",
        "items": {"type": "string", "description": "The name of an axis."},
        "minItems": 1,
        "uniqueItems": True,
        "description": "With `task: anomaly` and `of`: the axes of the reconstruction that the mean is taken over; "
        "default: all, which gives one score for a sample. Padded steps do not count.",
    },
}
