"""The fields of a page by a file's metadata: what they tell of the values that training had."""

from __future__ import annotations

import numpy as np

from nnspec.page.fields import build_fields

ROW = {"axes": [["batch", None], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}


def hints(inputs: dict[str, object], **more: object) -> list[str]:
    metadata = {"inputs": inputs, "states": {}, "window": None, **more}
    return [field.hint for field in build_fields(metadata, {})]


def test_ranges_of_columns() -> None:
    ranges = {"a": [-1.5, 20.0]}
    assert hints({"row": {**ROW, "ranges": ranges}}) == ["in training -1.5 to 20", ""]
    scaled = {"inputs": {"row": {"scaling": {"offset": [3.0, 4.0], "divisor": [2.0, 1.0]}}}}
    found = hints({"row": {**ROW, "ranges": ranges}}, preprocessing=scaled)
    assert found == ["in training -1.5 to 20", ""]  # 3 and 2 may be a mean and a deviation, or a least value and a span


def test_ranges_of_an_array_and_of_a_window() -> None:
    array = {"axes": [["batch", None], ["time", 5], ["channel", 3]], "dtype": "float32", "range": [0.0, 255.0]}
    assert hints({"x": array}) == ["nested lists as JSON, axes time 5 × channel 3; in training 0 to 255"]
    window = {"axes": [["batch", None], ["time", 3], ["feature", 2]], "dtype": "float32", "columns": ["a", "b"]}
    (found,) = hints({"w": {**window, "step": "time", "ranges": {"b": [0.5, 2.0]}}}, window={"lookback": 3})
    assert found.endswith("each further row is one more; in training `b` 0.5 to 2")


def test_ranges_of_a_column_that_the_file_encodes() -> None:
    body = {"axes": [["batch", None]], "dtype": "float32", "columns": ["age"], "encoding": "number", "input": "row"}
    port = {"port": "age", "offset": 30.0, "divisor": 14.0}
    told = {"columns": {"row": {"ports": [port]}}}
    (found,) = hints({"age": {**body, "ranges": {"age": [0.5, 80.0]}}}, preprocessing=told)
    assert found == "in training 0.5 to 80"
    filled = {"columns": {"row": {"ports": [{**port, "fill": 28.0}]}}}
    lacking = {**body, "gaps": ["age"], "ranges": {"age": [0.5, 80.0]}}
    assert hints({"age": lacking}, preprocessing=filled) == ["in training 0.5 to 80, left empty it counts as 28"]
    (field,) = build_fields(
        {"inputs": {"age": body}, "states": {}, "window": None, "preprocessing": told}, {"age": np.array(5.0)}
    )
    assert field.value == "5"


def test_a_word_that_training_did_not_have() -> None:
    """The file has a place for others in every column of categories; a word of the data is itself, `*` too."""
    body = {"axes": [["batch", None]], "dtype": "string", "columns": ["class"], "encoding": "category", "input": "row"}
    told = {"columns": {"row": {"ports": [{"port": "class", "words": ["*", "1st", "2nd"]}]}}}
    metadata = {"inputs": {"class": body}, "states": {}, "window": None, "preprocessing": told}
    (field,) = build_fields(metadata, {"class": np.array("*", object)})
    assert [word for word, _ in field.choices] == ["*", "1st", "2nd", "(another)"]
    assert field.value == "*"
    (strange,) = build_fields(metadata, {"class": np.array("4th", object)})
    assert strange.value == "(another)"
