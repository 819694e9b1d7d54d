"""How a model card says that its file is run, and on what."""

from __future__ import annotations

import pytest

from nnspec.report.model_card import _new_rows, _ports

TABLE = {"x": {"axes": [["batch", None]], "dtype": "float32"}}
PICTURES = {"x": {"axes": [["batch", None]], "dtype": "float32", "files": {"kind": "images"}}}


@pytest.mark.parametrize(
    ("inputs", "files", "rows"),
    [
        (TABLE, ["data/rows.csv"], "new.csv"),
        (TABLE, ["data/reviews.csv.gz"], "new.csv.gz"),
        (TABLE, ["speech.frames.npz"], "new.npz"),
        (TABLE, [], "new.csv"),
        (PICTURES, ["data/digits/0/0000.png"], "FOLDER"),
        ({**PICTURES, "age": TABLE["x"]}, ["data/people.csv", "data/people/1.png"], "new.csv"),
    ],
)
def test_new_rows_are_of_the_kind_that_was_trained_on(inputs: dict, files: list[str], rows: str) -> None:
    assert _new_rows({"inputs": inputs}, {"files": dict.fromkeys(files, "hash")}) == rows


def test_a_size_that_is_open_is_any() -> None:
    port = {"axes": [["batch", None], ["word", "word"], ["feature", 3]], "dtype": "int32", "columns": None}
    ((_, axes, *_),) = _ports("input", {"x": port}).rows
    assert axes == "batch any, word any, feature 3"
