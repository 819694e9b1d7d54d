"""Forms in which people send rows as JSON: each is what training would have read, or an error that says what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs

FRAMES: dict[str, Any] = {
    "axes": [["batch", None], ["time", None], ["feature", 2]],
    "dtype": "float32", "array": "frames.steps", "lengths": ["frames.length"], "padded": ["time"], "fill": -1.0,
}  # fmt: skip
SEQUENCES = {"inputs": {"clip": FRAMES}}
TABLE = {
    "inputs": {"x": {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}},
}
CLIPS = [[[1, 2]], [[3, 4], [5, 6], [7, 8]], [[9, 10], [11, 12]]]
PADDED = [[[1, 2], [-1, -1], [-1, -1]], [[3, 4], [5, 6], [7, 8]], [[9, 10], [11, 12], [-1, -1]]]


def read(folder: Path, body: object, metadata: dict[str, Any], name: str = "a.json") -> np.ndarray:
    (folder / name).write_text(body if isinstance(body, str) else json.dumps(body), "utf-8")
    (found,) = read_inputs(folder / name, metadata).values()
    return found


def test_sequences_of_unlike_length(tmp_path: Path) -> None:
    """As rows of objects, as a list for each sample, and under the input's name: padded as in training."""
    rows = [{"frames": clip} for clip in CLIPS]
    for body in (rows, CLIPS, {"clip": CLIPS}):
        np.testing.assert_array_equal(read(tmp_path, body, SEQUENCES), PADDED)
    lines = "\n".join(map(json.dumps, rows))
    np.testing.assert_array_equal(read(tmp_path, lines, SEQUENCES, "a.jsonl"), PADDED)
    short = {"inputs": {"clip": {**FRAMES, "axes": [["batch", None], ["time", 2], ["feature", 2]]}}}
    with pytest.raises(InputError, match="length 3, but the model takes 2 along `time`"):
        read(tmp_path, CLIPS, short)


REFUSED: dict[str, tuple[object, dict[str, Any], str]] = {
    "short row": ([[1, 2], [3]], TABLE, "`x` of row 2 has 1 values, but that of row 1 has 2 values"),
    "short row by name": ({"x": [[1, 2], [3, 4], []]}, TABLE, "`x` of row 3 is empty"),
    "objects among lists": ([[1, 2], {"a": 1, "b": 2}], TABLE, "`x` of row 2 holds {"),
    "columns": ({"a": [1, 2], "b": [3, 4]}, TABLE, "write an object for each row"),
    "key twice": ('{"a": 1, "a": 2, "b": 3}', TABLE, "the key `a` twice"),
    "key twice in rows": ('[{"a": 1, "a": 2, "b": 3}]', TABLE, "the key `a` twice"),
    "steps of unlike width": ([[[1, 2], [3]]], SEQUENCES, "row 1, step 2 has 1 values"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_table_says_where(name: str, tmp_path: Path) -> None:
    body, metadata, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        read(tmp_path, body, metadata)
    assert words in str(caught.value)


def test_lines_of_lists(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="write an object on each line"):
        read(tmp_path, "[1, 2]\n[3, 4]\n", TABLE, "a.jsonl")
