"""The JSON Schema (draft-07) of a spec's `data` section.

Closed everywhere, and without `oneOf` and `anyOf`: whatever is wrong, one message speaks of one thing. What a schema
cannot say without them (which keys exclude each other) is said by `read_plan`. `data_section` is
given the kinds of source: nnspec's own for the published schema, those of installed packages too for validation.
"""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.data.section.augment_schema import AUGMENT
from nnspec.data.section.column_schema import COLUMNS, MISSING
from nnspec.data.section.schema_words import Schema
from nnspec.data.section.schema_words import closed as _closed
from nnspec.data.section.schema_words import count as _count
from nnspec.data.section.schema_words import names as _names
from nnspec.data.section.schema_words import text as _text
from nnspec.data.section.schema_words import unit as _unit
from nnspec.data.section.schema_words import word_or_object as _word_or_object
from nnspec.data.section.split_schema import SPLIT
from nnspec.data.sources.base import DataSource

_SCALE = _word_or_object(
    "How values are scaled before they enter the network; statistics are those of the training rows. `standard`: mean "
    "0, standard deviation 1. `minmax`: 0 to 1. Each column of a table has separate statistics; so has each position "
    "of an array's axis named feature, channel, column, cepstrum or similar; other arrays have one statistic for all "
    "values.",
    ["none", "standard", "minmax"],
    _closed(
        "",
        {
            "method": {
                "type": "string",
                "enum": ["none", "standard", "minmax"],
                "description": "`standard`: mean 0, standard deviation 1. `minmax`: 0 to 1. `none`: unchanged.",
            },
            "along": _names(
                ("Names of the axes whose positions have separate statistics; `[]`: one statistic for all values."), 0
            ),
        },
        ("method",),
    ),
)

_CLASSES: Schema = {
    "type": ["string", "array", "object"],
    "description": "How values are mapped to classes. `labels` (default of a classification): the sorted distinct "
    "labels of the training rows. A list: exactly these labels, in this order. `{quantiles: 7}` or `{edges: [0, 5]}`: "
    "numbers are cut into classes.",
    "if": {"type": "string"},
    "then": {"enum": ["labels"]},
    "items": {"type": ["string", "integer"], "description": "A label as written in the data."},
    "minItems": 2,
    "uniqueItems": True,
    "properties": {
        "quantiles": _count("Number of classes; the edges between them are quantiles of the training rows.", 2),
        "edges": {
            "type": "array",
            "items": {"type": "number", "description": "An edge; a value equal to it belongs to the lower class."},
            "minItems": 1,
            "uniqueItems": True,
            "description": "Edges between the classes, ascending.",
        },
        "along": _names(
            "With quantiles: names of the output's axes whose positions have separate edges (default: all of them); "
            "`[]` gives one set of edges for all.",
            0,
        ),
    },
    "minProperties": 1,
    "additionalProperties": False,
}

_SELECTORS: dict[str, Schema] = {
    "columns": COLUMNS,
    "array": _text("The name of an array in the .npz file."),
}

_AXES: dict[str, Schema] = {
    "axes": _names(
        "Names of the data's axes in the order of the file. `sample` is the sample axis; it is the first axis if it is "
        "not named. The axes are reordered by name to those of the model."
    ),
    "scale": _SCALE,
}

_PART_TYPES = ["number", "string", "boolean"]

_INPUT_KEYS: dict[str, Schema] = {
    "lengths": {
        "type": ["string", "array"],
        "items": _text("An array of lengths: one per sample, or one per sequence of the previous level."),
        "minItems": 1,
        "description": "The array of each sample's length, for sequences of unequal length that are concatenated along "
        "the sequence axis. Sequences of sequences have a list of arrays: `[sentences, words]` are the number of "
        "sentences of each sample and the number of words of each sentence. `auto` (`[auto, auto]`): lists of "
        "different lengths in the rows of a JSON or Parquet file.",
    },
    "pad_value": {
        "type": "number",
        "default": 0.0,
        "description": "The value that pads sequences at their end; it is not scaled, so that a Masking recognizes it. "
        "It masks nothing on its own: `Masking` makes a mask of steps that are nothing but this value, and "
        "`mask_zero` of an Embedding one of id 0. Without a mask padding counts as data (NN386).",
    },
    "window": {
        "type": "boolean",
        "default": True,
        "description": "`false`: this input reads only the last row of the window, not the whole window.",
    },
    "ahead": {
        "type": ["boolean", "string"],
        "if": {"type": "string"},
        "then": {"enum": ["only"]},
        "default": False,
        "description": "`true`: these columns are known ahead, like holidays and planned prices, so the input has "
        "the rows of the window and those up to the furthest horizon: lookback + horizon steps. "
        "`only`: just the rows after the window. Other inputs end with the window.",
    },
    "static": {
        "type": "boolean",
        "default": False,
        "description": "`true`: these columns are the same in all rows of a series, such as a region; the input has "
        "them once, without a step axis.",
    },
}

_OUTPUT_KEYS: dict[str, Schema] = {
    "of": _text(
        "The input that the output reconstructs: its targets are what the network reads of that input, scaled as it "
        "is, and the deployed model gives original units. Padded steps do not count."
    ),
    "relative_to": {
        "type": "string",
        "enum": ["last", "window"],
        "description": "`last`: the network learns the change from the window's last value of the same column, which "
        "must be a column of a windowed input; the deployed model adds that value back. `window`: that change "
        "divided by the mean magnitude of the window's values, so that series of different scales count equally.",
    },
    "folder_of": _text(
        "An input whose data is files, such as images: the labels are the names of the folders that contain them."
    ),
    "classes": _CLASSES,
    "train_on": {
        "type": "string",
        "enum": ["all", "normal"],
        "default": "all",
        "description": "For labels of anomalies (`task: anomaly`): `normal` leaves rows that are labelled as anomalies "
        "out of the training split, and so of statistics and windows. Labels are 0 and 1, or `classes: [normal, "
        "anomaly]`.",
    },
    "lengths": {
        "type": ["string", "array"],
        "items": _text("An array of lengths: one per sample, or one per sequence of the previous level."),
        "minItems": 1,
        "description": "The array of the number of steps of each sample that count: for targets of unequal length, "
        "concatenated along the sequence axis, or padded if their array has a sample axis. A list of arrays, as of "
        "inputs, for targets within sequences of sequences; `auto` for lists in rows of a file. Padded targets "
        "are left out of the loss, of every metric, of class weights and of scaling.",
    },
    "padded_like": _text(
        "The input whose padding decides which targets count: those at its padded steps are left out of the loss, of "
        "every metric, of class weights and of scaling. That input must have `lengths` or `pad_value`."
    ),
    "ignore": {
        "type": _PART_TYPES,
        "description": "The label, or the number, of targets that do not count, such as -1: they are left out of the "
        "loss, of every metric, of class weights and of scaling. If a step has several values, all of "
        "them must have it.",
    },
}

SLOT_KEYS = frozenset({*_SELECTORS, *_AXES, *_INPUT_KEYS, *_OUTPUT_KEYS})
"""The keys of an input or output that do not depend on its source."""


def _slot(sources: Sequence[DataSource]) -> dict[str, Schema]:
    """What inputs and outputs have in common: a path for each kind of source, and the kinds' options."""
    paths = {source.kind: _text(source.description) for source in sources}
    options = {name: schema for source in sources for name, schema in source.options.items()}
    return {**_SELECTORS, **paths, **_AXES, **options}


def _table(sources: Sequence[DataSource]) -> Schema:
    """A table of a query: of the kinds whose columns have names."""
    tables = [source for source in sources if source.is_table]
    options = {name: schema for source in tables for name, schema in source.options.items()}
    return _closed(
        "A file, files, or a table of a database.",
        {**{source.kind: _text(source.description) for source in tables}, **options},
        minProperties=1,
        maxProperties=1 + len(options),
    )


def _shared_source(sources: Sequence[DataSource]) -> Schema:
    """The section's `source`: of the kinds from which an input picks its part."""
    shared = [source for source in sources if source.selectors]
    options = {name: schema for source in shared for name, schema in source.options.items()}
    return _closed(
        "The default file, for every input and output that names no other.",
        {**{source.kind: _text(source.description) for source in shared}, **options},
        minProperties=1,
        maxProperties=1 + len(options),
    )


_WINDOW = _closed(
    "Makes each sample of consecutive rows. Windows stay within a split, so that no row is in two splits.",
    {
        "lookback": _count("Number of rows in a window."),
        "horizon": {
            "type": ["integer", "array"],
            "minimum": 0,
            "default": 1,
            "items": _count("Number of rows ahead.", 0),
            "minItems": 1,
            "uniqueItems": True,
            "description": "How many rows after the window's last row the target is: 14 is the 14th row alone. A list "
            'makes a target with a step axis: `"$(range(1, 15))"` is the next 14 rows.',
        },
        "stride": _count(
            "Number of rows from the start of one window to the start of the next. What is predicted of new rows has "
            "the newest window of each series too.",
            default=1,
        ),
        "context": {
            "type": "boolean",
            "default": False,
            "description": "With `by: time` or `by: order`: whether the windows of a split may begin in the previous "
            "split. Only their targets are then within the split, so that short series can be tested; "
            "`gap: auto` is 0.",
        },
        "recursive": _count(
            "Number of rows that are forecast by feeding the outputs back into the window, horizon by horizon: a "
            "multiple of `horizon`, which is 1 or a list of all rows from 1. What the window reads must be forecast "
            "or known ahead (`ahead`). `metrics.json`, `evaluate` and `predict` have each of these rows.",
            2,
        ),
        "season": _count(
            "Number of rows after which the targets repeat, such as 12 months or 24 hours: the baseline is then the "
            "better one of the last value and the value a season before, and MASE is scaled by errors of the latter.",
            default=1,
        ),
    },
    ("lookback",),
)


def data_section(sources: Sequence[DataSource]) -> Schema:
    """The schema of the section for these kinds of source."""
    return _closed(
        "The data for training, validation and test.",
        {
            "source": _shared_source(sources),
            "tables": {
                "type": "object",
                "description": "Additional tables for `query`, by name.",
                "minProperties": 1,
                "additionalProperties": _table(sources),
            },
            "query": {
                **_text(
                    "One SELECT over `source` and the `tables`, run by DuckDB; its rows replace those of "
                    "`source`. It reads these tables and nothing else: no files, network, settings or extensions. "
                    "Without ORDER BY, rows come in the order in which a single thread produces them, the same each "
                    "time."
                ),
                "maxLength": 65536,
            },
            "order_by": _text("The column (or array) by which rows are sorted first; equal values keep file order."),
            "series": _closed(
                "Several series in one table: no window spans two, no gap is filled across them, and `by: time` and "
                "`by: order` split each of them. With `by: random` a whole series goes to one split.",
                {
                    "by": {
                        "type": ["string", "array"],
                        "items": _text("A column."),
                        "minItems": 1,
                        "uniqueItems": True,
                        "description": "The column (or array) with the series of each row; `[store, item]`: each "
                        "pair of their values is a series.",
                    },
                    "time": _text("The column (or array) with the time of each row: the same as `order_by`."),
                    "every": {
                        "type": ["string", "integer"],
                        "minimum": 1,
                        "pattern": r"^(auto|[1-9][0-9]*( ?(s|min|h|d|w|month|year))?)$",
                        "description": "The time from row to row: `15min`, `1h`, `1d`, `1month`, a number if times are "
                        "numbers, or `auto` (the most frequent one). Gaps and duplicate times are errors that name "
                        "the rows. A missing or duplicate hour when clocks change is not an error.",
                    },
                },
                minProperties=1,
            ),
            "weight": _text(
                "The column of `source` with the weight of each sample: the loss of training and validation is "
                "multiplied by it, as by Keras' `sample_weight`. A window has the weight of its last target's row. "
                "`metrics` count every sample once, `weighted_metrics` by it. The deployed model does not take it."
            ),
            "missing": MISSING,
            "units": {
                "type": "object",
                "description": "Units of the numbers of a column (or array): `{temp: °F, wind: mph}`. The "
                "deployed file, its page, the report and the model card show it; no value changes.",
                "minProperties": 1,
                "additionalProperties": _unit('The unit, such as `°C`, `kg` or `"%"`.'),
            },
            "augment": AUGMENT,
            "split": SPLIT,
            "window": _WINDOW,
            "inputs": {
                "type": "object",
                "description": "The data of each input of the model, by name.",
                "minProperties": 1,
                "additionalProperties": _closed("The data of one input.", {**_slot(sources), **_INPUT_KEYS}),
            },
            "outputs": {
                "type": "object",
                "description": "The targets of each output of the model, by name.",
                "minProperties": 1,
                "additionalProperties": _closed("The targets of one output.", {**_slot(sources), **_OUTPUT_KEYS}),
            },
        },
        ("split", "inputs", "outputs"),
    )
