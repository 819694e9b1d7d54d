"""The key `na_values` beside the path of a table: what stands for a missing value."""

from __future__ import annotations

from nnspec.data.sources.base import Schema

_MARKER: Schema = {"type": ["string", "number"], "description": "Text, or a number however it is written."}
_MARKERS: Schema = {**_MARKER, "type": ["string", "number", "array"], "items": _MARKER, "minItems": 1}

NA_VALUES: dict[str, Schema] = {
    "na_values": {
        "type": ["string", "number", "array", "object"],
        "items": _MARKER,
        "minItems": 1,
        "minProperties": 1,
        "additionalProperties": {**_MARKERS, "description": "The markers of a column; `*`: of all that are not named."},
        "description": "Markers of missing values, in addition to empty cells, `NA`, `null` and similar: "
        '`["?", -999]` in all columns, `{age: -999, sex: "?"}` by column. `missing` says how they are treated; '
        "the "
        "deployed model takes the markers as missing, too.",
    },
}
