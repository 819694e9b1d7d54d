"""The schema of `data.split`: how rows are divided."""

from __future__ import annotations

from nnspec.data.section.schema_words import Schema, closed, count, text, word_or_object

PART_TYPES = ["number", "string", "boolean"]
SPLIT_WORDS = ["time", "order", "random", "stratified", "files"]


def _start(name: str) -> Schema:
    about = f"With `time`: the time at which `{name}` begins, such as 2024-06-01; its first row is that of this time."
    return {"type": ["string", "number"], "minLength": 1, "description": about}


_SHARE: Schema = {
    "type": [*PART_TYPES, "object"],
    "required": ["rows"],
    "properties": {
        "rows": count("With `by: time` and `by: order`: this many rows of each series; fractions are of the rest.")
    },
    "additionalProperties": False,
}

SPLIT = closed(
    "How rows are divided into splits. Rows beyond the sum of the fractions are not used.",
    {
        "train": {
            **_SHARE,
            "description": "The fraction of the rows to train on; if `by` names a column, their label in it; with "
            "`by: files`, a fraction of the files or a pattern of their names.",
        },
        "validation": {
            **_SHARE,
            "description": "A fraction, a label or a pattern, as for `train`; beside labels and patterns, a fraction "
            "is taken from the training rows at random.",
        },
        "test": {**_SHARE, "description": "A fraction, a label or a pattern, as for `train`."},
        "by": word_or_object(
            "`time`: in the order of `order_by` (the default if that is set). `order`: in file order (the default "
            "with a window). `random`: shuffled by the seed (the default otherwise); if an output is a single label, "
            "each split has the same share of every class. `stratified`: the same, and an error if there is no such "
            "output and no `stratify`. `files`: whole files of the source's pattern, drawn by the seed, or named by "
            "patterns such as `train: '2013-*.csv'`; of a folder of images, clips or texts, the folders of the splits, "
            "as in `train: train/*`. `{column: NAME}` or `{array: NAME}`: by labels in the data. "
            "`{hash: NAME}`: by a hash of each row's key, so that a row stays in its split if rows are added. "
            "`{time: NAME, validation: 2024-01-01, test: 2024-06-01}`: by the times at which the splits begin, in "
            "each series; training takes what is before.",
            SPLIT_WORDS,
            closed(
                "",
                {
                    "column": text("The column with each row's label."),
                    "array": text("The array of the .npz with each row's label."),
                    "hash": text(
                        "The column (or array) of each row's key: rows with the same key go to the same split, which "
                        "the key, the seed and the fractions alone decide."
                    ),
                    "time": text("The column (or array) of each row's time, by which rows are sorted."),
                    "validation": _start("validation"),
                    "test": _start("test"),
                },
                minProperties=1,
            ),
        ),
        "stratify": {
            "type": ["string", "boolean"],
            "minLength": 1,
            "description": "With `by: random`: the column (or array) of classes of which every split has the same "
            "share; the default is the first output that is a single label. `false`: rows are drawn without regard to "
            "classes.",
        },
        "group": text(
            "A column or array: rows with the same value go to the same split, and no window spans two values."
        ),
        "gap": {
            "type": ["string", "integer"],
            "default": "auto",
            "description": (
                "Number of rows left out between splits; `auto` is lookback + horizon with a window, else 0."
            ),
            "if": {"type": "string"},
            "then": {"enum": ["auto"]},
            "minimum": 0,
        },
        "folds": count(
            "Cross-validation: a model a fold, each tested on rows that it was not trained on, and a final one. "
            "Without `train` and `test`; `validation` is a share of the rows that a fold trains on. `by: random` and "
            "`stratified`: every row is tested on once, with `group` whole groups; `by: time` and `order`: a rolling "
            "origin, each fold trains on what comes before its test rows.",
            2,
        ),
        "final": {
            "type": "string",
            "enum": ["all", "last"],
            "description": "With `folds`: the deployed model is trained on all rows, or is that of the last fold.",
            "default": "all",
        },
        "seed": count("Random seed of the split.", 0, default=0),
    },
)
