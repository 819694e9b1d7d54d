"""The JSON Schema (draft-07) of a spec's `data` section.

Closed everywhere, and without `oneOf` and `anyOf`: whatever is wrong, one message speaks of one thing. What a schema
cannot say without them (which keys exclude each other) is said by `nnspec.data.plan`.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

SOURCE_KINDS = ("csv", "parquet", "npz", "npy", "wav")


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


_PATHS: dict[str, Schema] = {
    "csv": _text("A comma-separated table with a header line; the path is relative to the spec's folder."),
    "parquet": _text("A Parquet table; the path is relative to the spec's folder."),
    "npz": _text("A NumPy .npz archive of plain arrays (no pickles); the path is relative to the spec's folder."),
    "npy": _text("One plain NumPy array (no pickle); the path is relative to the spec's folder."),
    "wav": _text(
        "WAV files, mono, as a path or a pattern such as `speech/*.wav`; read in file-name order, cut into frames, "
        "samples in [-1, 1]."
    ),
}

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

_COMMON: dict[str, Schema] = {
    "columns": _names("Columns of the table (or one-dimensional arrays of the .npz), in the order the model sees."),
    "array": _text("The name of an array in the .npz file."),
    **_PATHS,
    "axes": _names(
        "Names of the data's axes as they lie in the file. `sample` is the sample axis; it is the first where it is "
        "not named. The loader reorders to the model's axes by name."
    ),
    "scale": _SCALE,
    "frame": _count("Samples in one frame of a WAV file."),
    "stride": _count("Samples from one frame's start to the next; default: the frame's length."),
    "rate": _count("The sampling rate in Hz that every WAV file must have."),
}

_INPUT = _closed(
    "Where one input's data come from.",
    {
        **_COMMON,
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
    },
)

_OUTPUT = _closed(
    "Where one output's targets come from.",
    {
        **_COMMON,
        "relative_to": {
            "type": "string",
            "enum": ["last"],
            "description": "The network learns the change against the window's last value of the same column, which "
            "must be among the columns of a windowed input; the deployed model adds it back.",
        },
        "classes": _CLASSES,
    },
)

_PART_TYPES = ["number", "string", "boolean"]

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

DATA_SECTION: Schema = _closed(
    "The data to train on, validate and test with.",
    {
        "source": _closed(
            "The file that serves every input and output that names none of its own.",
            {kind: _PATHS[kind] for kind in ("csv", "parquet", "npz")},
            minProperties=1,
            maxProperties=1,
        ),
        "order_by": _text("The column (or array) by which rows are sorted before anything else; ties keep file order."),
        "missing": {
            "type": "string",
            "enum": ["error", "forward_fill", "drop"],
            "default": "error",
            "description": "What to do with missing values: report them, repeat the value of the row before, or leave "
            "out every sample that touches one.",
        },
        "split": _SPLIT,
        "window": _WINDOW,
        "inputs": {
            "type": "object",
            "description": "For each input of the model, where its data come from.",
            "minProperties": 1,
            "additionalProperties": _INPUT,
        },
        "outputs": {
            "type": "object",
            "description": "For each output of the model, where its targets come from.",
            "minProperties": 1,
            "additionalProperties": _OUTPUT,
        },
    },
    ("split", "inputs", "outputs"),
)
