"""JSON Schema of the section `search`."""

from __future__ import annotations

from nnspec.document.types import JsonSchema as Schema
from nnspec.schema.parts import closed

_GOAL = "A metric of metrics.json as `split.output.metric`, such as `validation.digit.accuracy`."
_PARAMETER: Schema = {
    "type": ["array", "object"],
    "description": "A list of choices, or a mapping with `from` and `to`, or with `choices`.",
    "items": {},
    "minItems": 1,
    "additionalProperties": False,
    "properties": {
        "choices": {
            "type": "array",
            "description": "The values to choose from: numbers, words, lists or whole mappings.",
            "items": {},
            "minItems": 1,
        },
        "from": {
            "type": "number",
            "description": "The smallest value. If `from`, `to` and `step` are integers, so are the values.",
        },
        "to": {"type": "number", "description": "The largest value, included."},
        "step": {"type": "number", "exclusiveMinimum": 0, "description": "The distance between values; default: any."},
        "scale": {
            "type": "string",
            "enum": ["linear", "log"],
            "description": "`log` draws each order of magnitude equally often.",
            "default": "linear",
        },
        "when": {
            "type": "object",
            "description": (
                "Other paths of the space, each with a choice or a list of choices: the value is only set in trials "
                "that have them. A name is enough for a choice with arguments: `SGD` for `{SGD: {momentum: 0.9}}`."
            ),
            "minProperties": 1,
            "additionalProperties": {},
        },
    },
}

SEARCH: Schema = closed(
    "Values that `nnspec search` tries, and the goal that decides which are best. Other verbs ignore it.",
    {
        "goal": closed(
            "What to maximize or minimize.",
            {
                "maximize": {"type": "string", "description": _GOAL},
                "minimize": {"type": "string", "description": _GOAL},
            },
            minProperties=1,
            maxProperties=1,
        ),
        "trials": {
            "type": "integer",
            "minimum": 1,
            "maximum": 100_000,
            "description": "The number of trainings; default: 20, or without a limit if `time` is set.",
        },
        "time": {
            "type": "string",
            "pattern": r"^(?=.*[1-9])\d+(\.\d+)?\s*(s|m|h|d)$",
            "description": "Start no trial after this time, such as `30m`, `8h` or `2d`.",
        },
        "space": {
            "type": "object",
            "description": (
                "Paths in the spec, as for `--set`, each with its values: `vars.filters: [8, 16]` or "
                "`training.optimizer.Adam.learning_rate: {from: 1.0e-4, to: 1.0e-1, scale: log}`."
            ),
            "minProperties": 1,
            "additionalProperties": _PARAMETER,
        },
        "pruning": {
            "type": "string",
            "enum": ["none", "median"],
            "description": (
                "`median` stops a trial after an epoch whose best value so far is worse than the median of the trials "
                "of earlier generations after as many epochs."
            ),
            "default": "none",
        },
        "warmup": {
            "type": "integer",
            "minimum": 1,
            "description": "Epochs of every trial before it can be pruned.",
            "default": 1,
        },
        "sampler": {
            "type": "string",
            "enum": ["tpe", "random"],
            "description": "How values are chosen: by Optuna's tree-structured Parzen estimator, or at random.",
            "default": "tpe",
        },
        "generation": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1000,
            "description": (
                "Trials that are chosen together, from the results of all generations before: as many workers can be "
                "busy, and the trials do not depend on how many are."
            ),
            "default": 4,
        },
        "seed": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**31 - 1,
            "description": "Random seed of the values that are chosen; trainings use `training.seed`.",
            "default": 0,
        },
    },
    required=["goal", "space"],
)
