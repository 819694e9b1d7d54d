"""The keys beside the path of a CSV file: its dialect."""

from __future__ import annotations

from nnspec.data.sources.base import Schema

_ENCODINGS = ["utf-8", "utf-16", "latin-1", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp1250", "cp1251", "cp1252"]
_ENCODINGS += ["windows-1250", "windows-1251", "windows-1252", "cp437", "cp850", "koi8-r", "mac-roman", "shift_jis"]
_ENCODINGS += ["cp932", "euc-jp", "euc-kr", "gb18030", "big5"]

OPTIONS: dict[str, Schema] = {
    "delimiter": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1,
        "default": ",",
        "description": 'What separates the cells of a row, such as `";"` or `"\\t"` (a tab).',
    },
    "decimal": {
        "type": "string",
        "enum": [".", ","],
        "default": ".",
        "description": "The decimal mark of numbers.",
    },
    "quote": {
        "type": "string",
        "enum": ['"', "'", "`", "none"],
        "default": '"',
        "description": "What encloses cells that contain a delimiter; `none`: no cell is quoted.",
    },
    "encoding": {
        "type": "string",
        "enum": _ENCODINGS,
        "default": "utf-8",
        "description": "The encoding of the text; `utf-8` and `utf-16` may begin with a byte order mark.",
    },
    "thousands": {
        "type": "string",
        "enum": [".", ",", " ", "'", "_", "\u00a0", "\u202f"],
        "description": "What separates groups of three digits of a number, as in `1.234,5`; by default nothing does.",
    },
}
