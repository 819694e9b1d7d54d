"""JSON Schema of the sections around the model: inputs, outputs, training, export, vars, blocks, layers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from nnspec.backends.registry import EXPORT as EXPORT_BACKENDS
from nnspec.backends.registry import TRAINING as TRAINING_BACKENDS
from nnspec.data.section.json_schema import data_section
from nnspec.data.sources.base import DataSource
from nnspec.data.sources.registry import own_kinds

Schema = dict[str, Any]

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_\-]*$"
DTYPES = ["float32", "int8", "int16", "int32", "int64", "uint8", "bool", "string"]
STRUCTURE = ("repeat", "block", "share")
TASKS = ["regression", "classification", "binary", "multilabel"]


def _closed(description: str, properties: dict[str, Schema], **more: Any) -> Schema:
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": properties,
        **more,
    }


def _named(description: str, values: Schema, **more: Any) -> Schema:
    return {
        "type": "object",
        "description": description,
        "propertyNames": {"pattern": NAME_PATTERN},
        "additionalProperties": values,
        **more,
    }


INPUTS: Schema = _named(
    "The tensors that the network reads, by name. Batch is implicit.",
    _closed(
        "An input.",
        {
            "axes": {
                "type": "object",
                "description": "Axis names, slow to fast, each with a size, a symbol such as `T`, or null for unknown.",
                "propertyNames": {"pattern": NAME_PATTERN},
                "additionalProperties": {"type": ["integer", "string", "null"], "minimum": 1},
            },
            "dtype": {"enum": DTYPES, "description": "Type of the elements; `string` for text.", "default": "float32"},
            "batch": {
                "type": ["integer", "null"],
                "minimum": 1,
                "description": "A fixed batch size, which stateful layers need; otherwise any.",
            },
            "description": {"type": "string", "description": "What the input holds."},
        },
        required=["axes"],
    ),
    minProperties=1,
)

OUTPUTS: Schema = _named(
    "What the network gives, by name.",
    _closed(
        "An output.",
        {
            "from": {"type": "string", "description": "The node that it comes from; default: the last layer."},
            "task": {"enum": TASKS, "description": "What the values mean; decides loss, metrics and labels."},
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
                "description": "The axis that holds a score a class; default: `class`, else the last.",
            },
            "loss": {"$ref": "#/definitions/loss", "description": "Keras loss; default: by the task."},
            "metrics": {
                "type": "array",
                "description": "Keras metrics; default: by the task.",
                "items": {"$ref": "#/definitions/metric"},
            },
            "weight": {"type": "number", "minimum": 0, "description": "Weight of its loss in the sum.", "default": 1.0},
            "description": {"type": "string", "description": "What the output holds."},
        },
        required=["task"],
    ),
    minProperties=1,
)


def _choice(key: str, backends: Collection[str], description: str) -> dict[str, Schema]:
    """The key that names a backend; there is none where nothing can be chosen."""
    if len(backends) < 2:
        return {}
    names = list(backends)
    return {key: {"type": "string", "enum": names, "description": description, "default": names[0]}}


TRAINING: Schema = _closed(
    "How the network is trained.",
    {
        "optimizer": {"$ref": "#/definitions/optimizer", "description": "Keras optimizer.", "default": "Adam"},
        "epochs": {"type": "integer", "minimum": 1, "description": "Passes over the training data.", "default": 10},
        "batch_size": {"type": "integer", "minimum": 1, "description": "Samples a training step.", "default": 32},
        "seed": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**31 - 1,
            "description": "Fixes initial weights, shuffling and dropout.",
            "default": 0,
        },
        "shuffle": {"type": "boolean", "description": "Whether samples are shuffled each epoch.", "default": True},
        "restore_best": {
            "type": "boolean",
            "description": "Whether the weights of the best epoch are kept rather than those of the last.",
            "default": True,
        },
        "monitor": {
            "type": "string",
            "description": "The figure that decides which epoch is best.",
            "default": "val_loss",
        },
        "class_weight": {
            "type": "string",
            "enum": ["balanced"],
            "description": "Weighs classes by the inverse of their frequency, in classification and binary outputs.",
        },
        "callbacks": {
            "type": "array",
            "description": "Keras callbacks. Files that they write go below the output directory.",
            "items": {"$ref": "#/definitions/callback"},
        },
        **_choice("backend", TRAINING_BACKENDS, "The engine that trains."),
    },
)

EXPORT: Schema = _closed(
    "How the ONNX file is written.",
    {
        "opset": {
            "type": "integer",
            "minimum": 17,
            "description": "ONNX operator set; default: 18, or what the layers need.",
            "default": 18,
        },
        "layout": _named(
            "The order of axes in the deployed graph, by input or output; `batch` stands for samples.",
            {"type": "array", "description": "Every axis once.", "items": {"type": "string"}, "minItems": 1},
        ),
        "scaling": {
            "type": "boolean",
            "description": "Whether scaling, its inverse and class labels become part of the graph.",
            "default": True,
        },
        "tolerance": {
            "type": "number",
            "exclusiveMinimum": 0,
            "description": "Largest relative difference between ONNX Runtime and Keras that passes the gate.",
            "default": 1e-4,
        },
        **_choice("format", EXPORT_BACKENDS, "The format of the deployed model."),
    },
)

_BOUND: Schema = {
    "type": ["integer", "string"],
    "minimum": 0,
    "examples": [34657, ">= 10", "<= 40000", "10..20"],
}
_COUNTS: dict[str, Schema] = {
    "parameters": {**_BOUND, "description": "How many numbers the weights hold: a number, `<= 40000` or `10..20`."},
    "trainable_parameters": {**_BOUND, "description": "How many of them training changes."},
}
_OF_A_VALUE: dict[str, Schema] = {
    "axes": {
        "type": "object",
        "description": "Every axis in order, with its size or symbol, or null for any size.",
        "additionalProperties": {"type": ["integer", "string", "null"], "minimum": 1},
    },
    "receptive_field": {
        "type": "object",
        "description": "How many positions of an input's axis one position depends on, padding counted.",
        "additionalProperties": {**_BOUND, "description": "A number, `>= 10`, `10..20`, or `all` that there are."},
    },
    "causal": {
        "type": ["string", "array"],
        "description": "The input's axis or axes along which nothing depends on what comes later.",
        "items": {"type": "string"},
        "minItems": 1,
    },
}

EXPECT: Schema = _closed(
    "What the author relies on. Checked with the spec; causality also on the model that is built.",
    {
        **_COUNTS,
        "outputs": {
            "type": "object",
            "description": "Expectations of outputs, by name.",
            "additionalProperties": _closed("Expectations of an output.", _OF_A_VALUE),
        },
        "layers": {
            "type": "object",
            "description": "Expectations of layers, by name, such as `conv1d_2` or `block_1/dense_1`.",
            "additionalProperties": _closed("Expectations of a layer.", {**_OF_A_VALUE, **_COUNTS}),
        },
    },
)

_VALUE: Schema = {"type": ["number", "string", "boolean", "null", "array"]}

VARS: Schema = _named(
    "Variables, used as `$name` and in `$(expressions)`. A variable may use others.",
    {**_VALUE, "description": "A value."},
)


def blocks(model: Schema) -> Schema:
    body = _closed(
        "A sub-model with parameters; each use has weights of its own.",
        {
            "parameters": _named("Parameters and their defaults; null where a use must give it.", dict(_VALUE)),
            "inputs": {
                "type": "array",
                "description": "Names of what it reads; default: one, called `input`.",
                "items": {"type": "string"},
                "minItems": 1,
            },
            "description": {"type": "string", "description": "What it is for."},
            "model": model,
        },
        required=["model"],
    )
    return _named("Sub-models by name, used by `- block: {use: NAME, …}`.", body)


# What the use of a shared layer may say: a name for the axis, and what Keras takes when a layer is called.
AT_EACH_USE: dict[str, Schema] = {
    "as": {"type": "string", "description": "Name of the axis that it makes at this use.", "pattern": NAME_PATTERN},
    "use_causal_mask": {"type": "boolean", "description": "Of attention."},
    "return_attention_scores": {"type": "boolean", "description": "Of attention."},
    "attention_mask": {"type": "string", "description": "Of attention: the name of a value."},
    "reverse": {"type": "boolean", "description": "Of `ReversibleEmbedding`."},
    "count_weights": {"type": "string", "description": "Of `CategoryEncoding`: the name of a value."},
}


def structure(model: Schema) -> dict[str, Schema]:
    """The items of a model that are not layers."""
    when = {"type": ["boolean", "string"], "description": "Leaves the item out where this is false."}
    source = {
        "type": ["string", "array"],
        "description": "What it reads: a name or a list of names; default: the layer before.",
        "items": {"type": "string"},
    }
    name = {"type": "string", "description": "Its name.", "pattern": NAME_PATTERN}
    return {
        "repeat": _closed(
            "Writes a list of layers several times.",
            {
                "for": _named(
                    "Variables and the lists that they run over, in step.",
                    {"type": ["array", "string"], "description": "The values, one a round."},
                    minProperties=1,
                ),
                "times": {
                    "type": ["integer", "string"],
                    "minimum": 0,
                    "description": "How often, where no variable runs.",
                },
                "when": when,
                "model": model,
            },
            required=["model"],
        ),
        "block": {
            "type": ["object", "string"],
            "description": "Uses a block; every other key is one of its parameters.",
            "properties": {
                "use": {"type": "string", "description": "The name under `blocks:`."},
                "name": name,
                "from": source,
                "when": when,
            },
            "required": ["use"],
        },
        "share": {
            "type": ["object", "string"],
            "description": "Uses a layer under `layers:`, with the same weights at each use.",
            "additionalProperties": False,
            "properties": {
                "use": {"type": "string", "description": "The name under `layers:`."},
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
        "description": {"type": "string", "description": "What it is for."},
        "vars": VARS,
        "data": data_section(own_kinds() if sources is None else sources),
        "inputs": INPUTS,
        "blocks": blocks(model),
        "layers": _named("Layers that are shared, by name, used by `- share: NAME`.", layer),
        "model": model,
        "outputs": OUTPUTS,
        "expect": EXPECT,
        "training": TRAINING,
        "export": EXPORT,
    }


REQUIRED = ["nnspec", "inputs", "model", "outputs"]
