"""The JSON Schema (draft-07) of a spec's `data` section.

Closed everywhere, and without `oneOf` and `anyOf`: whatever is wrong, one message speaks of one thing. What a schema
cannot say without them (which keys exclude each other) is said by `read_plan`. `data_section` is
given the kinds of source: nnspec's own for the published schema, those of installed packages too for validation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnspec.data.sources.base import DataSource

Schema = dict[str, Any]


def _closed(description: str, properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    schema: Schema = {"type": "object", "description": description, "properties": properties}
    if required:
        schema["required"] = list(required)
    return {**schema, "additionalProperties": False, **more}


def _text(description: str) -> Schema:
    return {"type": "string", "minLength": 1, "description": description}


def _count(description: str, minimum: int = 1, **more: Any) -> Schema:
    return {"type": "integer", "minimum": minimum, "description": description, **more}


def _names(description: str, minimum: int = 1) -> Schema:
    item = {"type": "string", "minLength": 1, "description": "A name."}
    return {"type": "array", "items": item, "minItems": minimum, "uniqueItems": True, "description": description}


def _word_or_object(description: str, words: list[str], body: Schema) -> Schema:
    """A word of a list, or an object: the object keywords of `body` leave words alone, `then` leaves objects alone."""
    rest = {key: value for key, value in body.items() if key not in ("type", "description")}
    word = {"if": {"type": "string"}, "then": {"enum": words}}
    return {"type": ["string", "object"], "description": description, **word, **rest}


_SCALE = _word_or_object(
    "How values are scaled before the network sees them; statistics come from training rows only. `standard`: mean 0, "
    "deviation 1. `minmax`: 0 to 1. Each column of a table has its own statistics; an array has them for each entry of "
    "an axis named feature, channel, column, cepstrum and the like, else one for all.",
    ["none", "standard", "minmax"],
    _closed(
        "",
        {
            "method": {
                "type": "string",
                "enum": ["none", "standard", "minmax"],
                "description": "`standard`: mean 0, deviation 1. `minmax`: 0 to 1. `none`: as they are.",
            },
            "along": _names("Names of the axes whose entries keep statistics of their own; `[]` pools everything.", 0),
        },
        ("method",),
    ),
)

_CLASSES: Schema = {
    "type": ["string", "array", "object"],
    "description": "How values become classes. `labels` (default of a classification): the sorted distinct labels of "
    "the training rows. A list: exactly these labels, in this order. `{quantiles: 7}` or `{edges: [0, 5]}`: numbers "
    "are cut into classes.",
    "if": {"type": "string"},
    "then": {"enum": ["labels"]},
    "items": {"type": ["string", "integer"], "description": "A label as it stands in the data."},
    "minItems": 2,
    "uniqueItems": True,
    "properties": {
        "quantiles": _count("Number of classes; the edges between them are quantiles of the training rows.", 2),
        "edges": {
            "type": "array",
            "items": {"type": "number", "description": "An edge; a value on it belongs to the class below."},
            "minItems": 1,
            "uniqueItems": True,
            "description": "Edges between the classes, ascending.",
        },
        "along": _names(
            "With quantiles: names of the output's axes whose entries have edges of their own (default: all of them); "
            "`[]` gives one set of edges for all.",
            0,
        ),
    },
    "minProperties": 1,
    "additionalProperties": False,
}

_SELECTORS: dict[str, Schema] = {
    "columns": _names("Columns of the table (or one-dimensional arrays of the .npz), in the order the model sees."),
    "array": _text("The name of an array in the .npz file."),
}

_AXES: dict[str, Schema] = {
    "axes": _names(
        "Names of the data's axes as they lie in the file. `sample` is the sample axis; it is the first where it is "
        "not named. The loader reorders to the model's axes by name."
    ),
    "scale": _SCALE,
}

_PART_TYPES = ["number", "string", "boolean"]

_INPUT_KEYS: dict[str, Schema] = {
    "lengths": _text(
        "The array of each sample's length, where sequences of unequal length lie one after the other along the "
        "sequence axis."
    ),
    "pad_value": {
        "type": "number",
        "default": 0.0,
        "description": "What fills sequences up at their end; scaling leaves it alone, so that a Masking sees it.",
    },
    "window": {
        "type": "boolean",
        "default": True,
        "description": "`false`: this input sees the row at the window's end alone, not the whole window.",
    },
}

_OUTPUT_KEYS: dict[str, Schema] = {
    "relative_to": {
        "type": "string",
        "enum": ["last"],
        "description": "The network learns the change against the window's last value of the same column, which "
        "must be among the columns of a windowed input; the deployed model adds it back.",
    },
    "classes": _CLASSES,
    "lengths": _text(
        "The array of how many steps of each sample count: targets of unequal length that lie one after the other "
        "along the sequence axis, or, where their array has an axis of samples, targets that are filled up. What is "
        "filled up is left out of the loss, of every metric, of class weights and of scaling."
    ),
    "padded_like": _text(
        "The input whose padding tells which targets count: those at its padded steps are left out of the loss, of "
        "every metric, of class weights and of scaling. The input says by `lengths` or `pad_value` what its padding is."
    ),
    "ignore": {
        "type": _PART_TYPES,
        "description": "The label, or the number, of targets that do not count, such as -1: they are left out of the "
        "loss, of every metric, of class weights and of scaling. Where a step has several values, all of them hold it.",
    },
}

SLOT_KEYS = frozenset({*_SELECTORS, *_AXES, *_INPUT_KEYS, *_OUTPUT_KEYS})
"""The keys of an input or output that speak of no kind of source."""


def _slot(sources: Sequence[DataSource]) -> dict[str, Schema]:
    """What inputs and outputs have in common: a path for each kind of source, and the kinds' options."""
    paths = {source.kind: _text(source.description) for source in sources}
    options = {name: schema for source in sources for name, schema in source.options.items()}
    return {**_SELECTORS, **paths, **_AXES, **options}


def _shared_source(sources: Sequence[DataSource]) -> Schema:
    """The section's `source`: of the kinds from which an input picks its part."""
    shared = [source for source in sources if source.selectors]
    options = {name: schema for source in shared for name, schema in source.options.items()}
    return _closed(
        "The file that serves every input and output that names none of its own.",
        {**{source.kind: _text(source.description) for source in shared}, **options},
        minProperties=1,
        maxProperties=1 + len(options),
    )


_SPLIT = _closed(
    "How rows are divided. With fractions, what they leave over is not used.",
    {
        "train": {
            "type": _PART_TYPES,
            "description": "The fraction of the rows to train on, or, where `by` names a column, its label for them.",
        },
        "validation": {
            "type": _PART_TYPES,
            "description": "A fraction or a label; where `by` names a column, a fraction is taken from the training "
            "rows at random.",
        },
        "test": {"type": _PART_TYPES, "description": "A fraction or a label, as for `train`."},
        "by": _word_or_object(
            "`time`: in the order of `order_by` (the default where that is given). `order`: in file order (the default "
            "with a window). `random`: shuffled by the seed (the default otherwise). `{column: NAME}` or "
            "`{array: NAME}`: by labels in the data.",
            ["time", "order", "random"],
            _closed(
                "",
                {
                    "column": _text("The column that holds each row's label."),
                    "array": _text("The array of the .npz that holds each row's label."),
                },
                minProperties=1,
                maxProperties=1,
            ),
        ),
        "group": _text("A column or array: rows with the same value all go to one split, and no window joins two."),
        "gap": {
            "type": ["string", "integer"],
            "default": "auto",
            "description": "Rows left out between the splits; `auto` is lookback + horizon with a window, else 0.",
            "if": {"type": "string"},
            "then": {"enum": ["auto"]},
            "minimum": 0,
        },
        "seed": _count("Seeds every random choice of the split.", 0, default=0),
    },
    ("train",),
)

_WINDOW = _closed(
    "Samples made of consecutive rows, inside each split, so that no row serves two of them.",
    {
        "lookback": _count("Rows in a window."),
        "horizon": {
            "type": ["integer", "array"],
            "minimum": 0,
            "default": 1,
            "items": _count("Rows ahead.", 0),
            "minItems": 1,
            "uniqueItems": True,
            "description": "How many rows after the window's last the target stands; a list gives a target with a "
            "step axis.",
        },
        "stride": _count("Rows from one window's start to the next.", default=1),
    },
    ("lookback",),
)


def data_section(sources: Sequence[DataSource]) -> Schema:
    """The schema of the section for these kinds of source."""
    return _closed(
        "The data to train on, validate and test with.",
        {
            "source": _shared_source(sources),
            "order_by": _text(
                "The column (or array) by which rows are sorted before anything else; ties keep file order."
            ),
            "series": _closed(
                "Several series in one table: no window joins two, no gap is filled across them, and `by: time` and "
                "`by: order` cut each of them. With `by: random` a whole series goes to one split.",
                {"by": _text("The column (or array) that says which series a row belongs to.")},
                ("by",),
            ),
            "missing": {
                "type": "string",
                "enum": ["error", "forward_fill", "drop"],
                "default": "error",
                "description": "What to do with missing values: report them, repeat the value of the row before, or "
                "leave out every sample that touches one.",
            },
            "split": _SPLIT,
            "window": _WINDOW,
            "inputs": {
                "type": "object",
                "description": "For each input of the model, where its data come from.",
                "minProperties": 1,
                "additionalProperties": _closed("Where one input's data come from.", {**_slot(sources), **_INPUT_KEYS}),
            },
            "outputs": {
                "type": "object",
                "description": "For each output of the model, where its targets come from.",
                "minProperties": 1,
                "additionalProperties": _closed(
                    "Where one output's targets come from.", {**_slot(sources), **_OUTPUT_KEYS}
                ),
            },
        },
        ("split", "inputs", "outputs"),
    )
