"""JSON Schema of the sections around the model: inputs, outputs, training, export, vars, blocks, layers."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.backends.registry import AUTO
from nnspec.backends.registry import TRAINING as TRAINING_BACKENDS
from nnspec.data.section.json_schema import data_section
from nnspec.data.section.schema_words import unit
from nnspec.data.sources.base import DataSource
from nnspec.data.sources.registry import own_kinds
from nnspec.document.types import JsonSchema as Schema
from nnspec.ir.names import NAME_PATTERN
from nnspec.schema.class_weight import CLASS_WEIGHT_KEY
from nnspec.schema.distribute import DISTRIBUTE_KEY
from nnspec.schema.export_section import EXPORT
from nnspec.schema.levels import LEVEL_KEYS
from nnspec.schema.log import LOG_KEY
from nnspec.schema.parts import choice, closed, named
from nnspec.schema.precision import EFFORT_KEYS
from nnspec.schema.search_section import SEARCH
from nnspec.schema.start_weights import START_KEYS
from nnspec.schema.thresholds import ANOMALY_KEYS, THRESHOLD_KEY

DTYPES = ["float32", "int8", "int16", "int32", "int64", "uint8", "bool", "string"]
TASKS = ["regression", "quantiles", "classification", "binary", "multilabel", "anomaly", "none"]


INPUTS: Schema = named(
    "The inputs of the network, by name. The batch axis is implicit.",
    closed(
        "An input.",
        {
            "axes": {
                "type": "object",
                "description": (
                    "Axis names in memory order (slowest first), each with a size, a symbol such as `T`, "
                    "`auto` (the size of its data, which `check` counts), or null if unknown."
                ),
                "propertyNames": {"pattern": NAME_PATTERN},
                "additionalProperties": {"type": ["integer", "string", "null"], "minimum": 1},
            },
            "dtype": {"enum": DTYPES, "description": "Type of the elements; `string` for text.", "default": "float32"},
            "batch": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "A fixed batch size, which stateful layers need; default: any.",
            },
            "unit": unit("Unit of its numbers, such as `mV`; for columns, use `data.units`."),
            "description": {"type": "string", "description": "A description of the input."},
        },
        required=["axes"],
    ),
    minProperties=1,
)

OUTPUTS: Schema = named(
    "The outputs of the network, by name.",
    closed(
        "An output.",
        {
            "from": {"type": "string", "description": "The node whose value it is; default: the last layer."},
            "task": {
                "enum": TASKS,
                "description": "What the values mean; sets the default loss, metrics and labels. `none`: an output "
                "without targets, such as an embedding.",
            },
            "classes": {
                "type": ["array", "integer"],
                "description": "Labels of the classes in order, or how many there are; default: from the data.",
                "items": {"type": ["string", "integer", "number"]},
                "minItems": 2,
                "minimum": 2,
                "maximum": 10**6,
            },
            "class_axis": {
                "type": "string",
                "description": "The axis with one score per class; default: `class`, else the last axis.",
            },
            **LEVEL_KEYS,
            **THRESHOLD_KEY,
            **ANOMALY_KEYS,
            "loss": {"$ref": "#/definitions/loss", "description": "Keras loss; default: that of the task."},
            "metrics": {
                "type": "array",
                "description": "Keras metrics; default: those of the task.",
                "items": {"$ref": "#/definitions/metric"},
            },
            "weighted_metrics": {
                "type": "array",
                "description": "Keras metrics that count each sample by its weight, the column of `data.weight`; "
                "`metrics` count every sample once.",
                "items": {"$ref": "#/definitions/metric"},
                "minItems": 1,
            },
            "weight": {
                "type": "number",
                "minimum": 0,
                "description": ("Weight of its loss in the total loss."),
                "default": 1.0,
            },
            "unit": unit("Unit of its numbers, such as `°C`; for columns, use `data.units`."),
            "description": {"type": "string", "description": "A description of the output."},
        },
        required=["task"],
    ),
    minProperties=1,
)


TRAINING: Schema = closed(
    "How the network is trained.",
    {
        "optimizer": {"$ref": "#/definitions/optimizer", "description": "Keras optimizer.", "default": "Adam"},
        "epochs": {"type": "integer", "minimum": 1, "description": "Passes over the training data.", "default": 10},
        "batch_size": {
            "type": "integer",
            "minimum": 1,
            "description": ("Number of samples per training step."),
            "default": 32,
        },
        "seed": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**31 - 1,
            "description": "Random seed of initial weights, shuffling and dropout.",
            "default": 0,
        },
        "shuffle": {
            "type": "boolean",
            "description": "Whether samples are shuffled each epoch; a stateful network always reads them in order.",
            "default": True,
        },
        "restore_best": {
            "type": "boolean",
            "description": "Whether to keep the weights of the best epoch rather than those of the last.",
            "default": True,
        },
        "monitor": {
            "type": "string",
            "description": "The metric that decides which epoch is best: of the history, or of metrics.json, as in "
            "`validation.digit.f1_macro`.",
            "default": "val_loss",
        },
        **CLASS_WEIGHT_KEY,
        "callbacks": {
            "type": "array",
            "description": "Keras callbacks. Files that they write are placed in the output directory.",
            "items": {"$ref": "#/definitions/callback"},
        },
        **EFFORT_KEYS,
        **START_KEYS,
        **DISTRIBUTE_KEY,
        "checkpoint": closed(
            "When to write checkpoints in addition to those at the ends of epochs, for `--resume`.",
            {
                "steps": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "Every this many steps (batches), also in the middle of an epoch.",
                }
            },
            required=["steps"],
        ),
        **LOG_KEY,
        **choice(
            "backend",
            [*TRAINING_BACKENDS, AUTO],
            "The Keras backend that trains; `auto` measures a few steps of each installed one and uses the fastest.",
        ),
    },
)

_BOUND: Schema = {
    "type": ["integer", "string"],
    "minimum": 0,
    "examples": [34657, ">= 10", "<= 40000", "10..20"],
}
_COUNTS: dict[str, Schema] = {
    "parameters": {**_BOUND, "description": "Number of parameters: a number, `<= 40000` or `10..20`."},
    "trainable_parameters": {**_BOUND, "description": "Number of trainable parameters."},
}
_OF_A_VALUE: dict[str, Schema] = {
    "axes": {
        "type": "object",
        "description": "Every axis in order, with its size or symbol, or null for any size.",
        "additionalProperties": {"type": ["integer", "string", "null"], "minimum": 1},
    },
    "receptive_field": {
        "type": "object",
        "description": "Number of positions of an input's axis that one position depends on, padding included.",
        "additionalProperties": {**_BOUND, "description": "A number, `>= 10`, `10..20`, or `all`."},
    },
    "causal": {
        "type": ["string", "array"],
        "description": "The input's axis or axes along which no position depends on later ones.",
        "items": {"type": "string"},
        "minItems": 1,
    },
}

EXPECT: Schema = closed(
    "Properties of the network that must hold. Checked with the spec; causality also on the built model.",
    {
        **_COUNTS,
        "outputs": {
            "type": "object",
            "description": "Expectations of outputs, by name.",
            "additionalProperties": closed("Expectations of an output.", _OF_A_VALUE),
        },
        "layers": {
            "type": "object",
            "description": "Expectations of layers, by name, such as `conv1d_2` or `block_1/dense_1`.",
            "additionalProperties": closed("Expectations of a layer.", {**_OF_A_VALUE, **_COUNTS}),
        },
    },
)

_VALUE: Schema = {"type": ["number", "string", "boolean", "null", "array"]}

VARS: Schema = named(
    "Variables, used as `$name` and in `$(expressions)`. A variable can use other variables.",
    {**_VALUE, "description": "A value."},
)


def blocks(model: Schema) -> Schema:
    body = closed(
        "A sub-model with parameters; each use has separate weights.",
        {
            "parameters": named("Parameters and their defaults; null if each use must set it.", dict(_VALUE)),
            "inputs": {
                "type": "array",
                "description": "Names of its inputs; default: one, `input`.",
                "items": {"type": "string"},
                "minItems": 1,
            },
            "description": {"type": "string", "description": "A description of the network."},
            "model": model,
        },
        required=["model"],
    )
    return named("Sub-models by name, used by `- block: {use: NAME, …}`.", body)


# What the use of a shared layer may say: a name for the axis, and what Keras takes when a layer is called.
AT_EACH_USE: dict[str, Schema] = {
    "as": {"type": "string", "description": "Name of the axis that it creates at this use.", "pattern": NAME_PATTERN},
    "use_causal_mask": {"type": "boolean", "description": "As in the attention layers."},
    "return_attention_scores": {"type": "boolean", "description": "As in the attention layers."},
    "attention_mask": {"type": "string", "description": "As in the attention layers: the name of a value."},
    "reverse": {"type": "boolean", "description": "As in `ReversibleEmbedding`."},
    "count_weights": {"type": "string", "description": "As in `CategoryEncoding`: the name of a value."},
}


def structure(model: Schema) -> dict[str, Schema]:
    """The items of a model that are not layers."""
    when = {"type": ["boolean", "string"], "description": "Leaves the item out if false."}
    source = {
        "type": ["string", "array"],
        "description": "Its inputs: a name or a list of names; default: the previous layer.",
        "items": {"type": "string"},
    }
    name = {"type": "string", "description": "Name of the item, for `from`.", "pattern": NAME_PATTERN}
    trainable: Schema = {
        "type": ["boolean", "string"],
        "description": "Whether training changes the weights in it; false freezes all layers in it.",
        "default": True,
    }
    return {
        "repeat": closed(
            "Repeats a list of layers.",
            {
                "for": named(
                    "Variables and the lists that they iterate over, in parallel.",
                    {"type": ["array", "string"], "description": "The values, one per iteration."},
                    minProperties=1,
                ),
                "times": {
                    "type": ["integer", "string"],
                    "minimum": 0,
                    "description": "The number of iterations, without a variable.",
                },
                "when": when,
                "trainable": trainable,
                "model": model,
            },
            required=["model"],
        ),
        "block": {
            "type": ["object", "string"],
            "description": "Uses a block; every other key is one of its parameters.",
            "properties": {
                "use": {"type": "string", "description": "Name of the block under `blocks:`."},
                "name": name,
                "from": source,
                "when": when,
                "trainable": trainable,
            },
            "required": ["use"],
        },
        "share": {
            "type": ["object", "string"],
            "description": "Uses a layer under `layers:`, with the same weights at each use.",
            "additionalProperties": False,
            "properties": {
                "use": {"type": "string", "description": "Name of the layer under `layers:`."},
                "name": name,
                "from": source,
                "when": when,
                **AT_EACH_USE,
            },
            "required": ["use"],
        },
    }


def sections(model: Schema, layer: Schema, sources: Sequence[DataSource] | None = None) -> dict[str, Schema]:
    """Every top-level key, in the order in which a spec is read.

    Args:
        sources: the kinds of data source; default nnspec's own.
    """
    return {
        "nnspec": {"enum": [1], "description": "Version of the language."},
        "name": {"type": "string", "description": "Name of the network.", "pattern": NAME_PATTERN},
        "description": {"type": "string", "description": "A description of the block."},
        "vars": VARS,
        "data": data_section(own_kinds() if sources is None else sources),
        "inputs": INPUTS,
        "blocks": blocks(model),
        "layers": named("Shared layers, by name, used by `- share: NAME`.", layer),
        "model": model,
        "outputs": OUTPUTS,
        "expect": EXPECT,
        "training": TRAINING,
        "search": SEARCH,
        "export": EXPORT,
    }


REQUIRED = ["nnspec", "inputs", "model", "outputs"]
