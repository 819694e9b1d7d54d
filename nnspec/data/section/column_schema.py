"""The JSON Schema of `columns` and of `missing`: lists and words, or mappings by column."""

from __future__ import annotations

from nnspec.data.section.column_plan import CARRIED, PARTS, SCALES, STATISTICS, TRANSFORMS, WORDS
from nnspec.document.types import JsonSchema

_LABEL: JsonSchema = {"type": ["string", "number", "boolean"], "description": "A value as written in the data."}


def _categories(description: str) -> JsonSchema:
    return {"type": "array", "items": _LABEL, "minItems": 1, "description": description}


_PARTS: JsonSchema = {
    "type": "array",
    "items": {"type": "string", "enum": list(PARTS), "description": "A part of a date."},
    "minItems": 1,
    "uniqueItems": True,
    "description": "`year`, `quarter`, `month`, `week` (ISO 8601), `day`, `weekday` (Monday is 0), `day_of_year`, "
    "`hour`, `minute`, `second`, and `days` since 1970: each becomes a feature.",
}

_DATE: JsonSchema = {
    **_PARTS,
    "type": ["array", "object"],
    "description": "The parts of a date or time that become features: `[month, weekday]`, or a mapping with options. "
    "Dates are ISO 8601 unless `format` says otherwise; those with an offset are converted to UTC. The deployed "
    "graph takes whole seconds since 1970-01-01 (int64; the smallest int64 for a missing date), which nnspec.runtime "
    "computes from the file.",
    "properties": {
        "parts": _PARTS,
        "cyclic": {
            "type": "boolean",
            "default": False,
            "description": "`true`: cyclic parts become a sine and a cosine each, so that December is next to "
            "January; `year` and `days` stay numbers.",
        },
        "scale": {
            "type": "string",
            "enum": ["none", *SCALES],
            "default": "none",
            "description": "How parts that are numbers are scaled, by statistics of the training rows.",
        },
        "format": {
            "type": "string",
            "minLength": 2,
            "description": "The format of dates that are not in ISO 8601, as in Python's `strptime`: `%d.%m.%Y`; "
            "`unix` and `unix_ms` are numbers of seconds and milliseconds since 1970.",
        },
    },
    "required": ["parts"],
    "additionalProperties": False,
}

_MULTI_HOT: JsonSchema = {
    **_categories("The words, in the order of their features; all other words share one more."),
    "type": ["array", "object"],
    "properties": {
        "separator": {
            "type": "string",
            "minLength": 1,
            "default": "|",
            "description": "The separator between the words of a cell. Spaces around words are ignored.",
        },
        "categories": _categories("The words, in the order of their features; all other words share one more."),
    },
    "minProperties": 1,
    "additionalProperties": False,
}

ENCODING: JsonSchema = {
    "type": ["string", "object"],
    "description": "How the column becomes features. `number`: as it is. `standard`, `minmax`, `robust`: scaled by "
    "statistics of the training rows. `log`, `log1p`, `sqrt`, `asinh`: that function of the number. `boolean`: 0 "
    "or 1, true or false, t or f, yes or no, y or n, on or off; `{boolean: [unpaid, paid]}` names the words of 0 and "
    "1. `one_hot`: a feature for each value of the training rows, and one for all other values. `multi_hot`: the "
    "same for cells with several words, such as `Comedy|Drama`. `index`: the index of the value, for an Embedding: 0 "
    "for unknown values, 1 and up for known ones. `date`, which is a mapping: parts of a date. "
    "The mapping form has options.",
    "if": {"type": "string"},
    "then": {"enum": list(WORDS)},
    "properties": {
        "transform": {
            "type": "string",
            "enum": list(TRANSFORMS),
            "description": "A function of the number, before it is scaled.",
        },
        "scale": {
            "type": "string",
            "enum": ["none", *SCALES],
            "description": "`standard`: mean 0, standard deviation 1. `minmax`: 0 to 1. `robust`: median 0, "
            "interquartile range 1. Statistics are those of the training rows.",
        },
        "one_hot": _categories("The categories, in the order of their features; all other values share one more."),
        "multi_hot": {
            **_MULTI_HOT,
            "description": "A feature for each word of cells with several words, and one for words that no training "
            "row has: given words, or a mapping with the `separator`.",
        },
        "boolean": {
            "type": "array",
            "items": _LABEL,
            "minItems": 2,
            "maxItems": 2,
            "uniqueItems": True,
            "description": "The word for 0, then the word for 1: `[unpaid, paid]`.",
        },
        "index": _categories("The values with the numbers 1, 2, …; all others have 0."),
        "date": _DATE,
    },
    "minProperties": 1,
    "additionalProperties": False,
}

COLUMNS: JsonSchema = {
    "type": ["array", "object"],
    "description": "Columns of the table (or one-dimensional arrays of the .npz), in the order in which the model "
    "reads them. A mapping from column to encoding (`{age: standard, sex: one_hot}`) takes columns of different"
    " types: the deployed model then has an input for each of them, and encodes them itself. Targets: "
    "`{price: {transform: log1p, scale: standard}}`, which the deployed model inverts.",
    "items": {"type": "string", "minLength": 1, "description": "A name."},
    "minItems": 1,
    "uniqueItems": True,
    "minProperties": 1,
    "additionalProperties": ENCODING,
}

_RULES = ["error", *CARRIED, "drop", *STATISTICS]

_RULE: JsonSchema = {
    "type": ["string", "object"],
    "description": "`error`: report it. `mean`, `median`, `most_frequent`: fill in this statistic of the training "
    "rows, in the deployed model too. `constant`: fill in 0, or make missing words a separate category; "
    "`{constant: 5}` fills in 5. `category`: a separate category, for words. `indicator`: an additional feature that "
    "marks missing numbers, which are filled with the median. `forward_fill`: repeat the"
    " value of the previous row. `interpolate`: a straight line between the known values around a gap of a series; in "
    "each window only between values within it, so that a gap that lasts to its end repeats the last one. `drop`: "
    "leave out every sample that lacks it.",
    "if": {"type": "string"},
    "then": {"enum": _RULES},
    "properties": {
        "constant": {"type": ["number", "string"], "description": "What to fill in."},
        "indicator": {
            "type": "string",
            "enum": ["mean", "median", "most_frequent"],
            "description": "What to fill in, in addition to the feature that marks missing values.",
        },
    },
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}

MISSING: JsonSchema = {
    "type": ["string", "object"],
    "default": "error",
    "description": "How to treat missing values: report an error (`error`), repeat the value of the previous row "
    "(`forward_fill`), draw a line between the known values of a window (`interpolate`), leave out every sample that "
    "contains one (`drop`), or fill in a statistic of the training rows, in the deployed model too (`mean`, `median`, "
    "`most_frequent`, `constant`, `category`, `indicator`). A mapping has a rule for each column; `*` stands for all "
    "columns that it does not name. Targets are never filled.",
    "if": {"type": "string"},
    "then": {"enum": _RULES},
    "minProperties": 1,
    "additionalProperties": _RULE,
}
