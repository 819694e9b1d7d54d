"""Lists of unlike length in rows of JSON and Parquet: padded as NumPy pads them by hand, in training and by a model."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import SpecError
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_samples
from nnspec.runtime.rules.json import Record
from nnspec.runtime.tables.json_tables import array_of
from tests.unit.data.section.test_plan import plan_of, slot

LENGTHS = [3, 1, 5, 2]
WORDS = [[2, 1], [3], [1, 1, 2], [2]]  # of each sentence of each document
TEXT = """
source: {json: rows.jsonl}
split: {train: 1.0, by: order}
inputs: {x: {array: signal.frames, lengths: auto}}
outputs: {tag: {array: tags, lengths: auto}}
"""


def rows() -> list[dict[str, Any]]:
    rng = np.random.default_rng(3)
    return [
        {
            "id": i,
            "signal": {"frames": rng.normal(size=(n, 2)).round(3).tolist()},
            "tags": rng.integers(0, 3, n).tolist(),
        }
        for i, n in enumerate(LENGTHS)
    ]


def parquet(folder: Path, records: list[dict[str, Any]]) -> Path:
    flat = [{"id": record["id"], "signal": record["signal"]["frames"], "tags": record["tags"]} for record in records]
    source = written(folder, flat)
    duckdb.sql(f"COPY (SELECT * FROM read_json('{source}')) TO '{folder / 'rows.parquet'}'")
    return folder / "rows.parquet"


def written(folder: Path, records: list[dict[str, Any]]) -> Path:
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")
    return folder / "rows.jsonl"


def by_hand(lists: list[Any], fill: float = 0.0) -> np.ndarray:
    first = np.asarray(lists[0])
    found = np.full((len(lists), max(map(len, lists)), *first.shape[1:]), fill)
    for row, values in zip(found, lists, strict=True):
        row[: len(values)] = values
    return found


def slots() -> tuple[dict[str, Slot], dict[str, Slot]]:
    inputs = {"x": slot("x", ("time", None), ("feature", 2))}
    return inputs, {"tag": slot("tag", ("time", None), ("class", 3), task="classification", class_axis="class")}


@pytest.mark.parametrize("kind", ["json", "parquet"])
def test_training_and_a_model_pad_them_alike(kind: str, tmp_path: Path) -> None:
    records, array, text = rows(), "signal.frames", TEXT
    if kind == "parquet":
        array, text = "signal", TEXT.replace("json: rows.jsonl", "parquet: rows.parquet").replace(".frames", "")
    file = (written if kind == "json" else parquet)(tmp_path, records)
    plan = plan_of(text, tmp_path)
    inputs, outputs = slots()
    assert probe(plan, inputs, outputs) == []
    train = load(plan, inputs, outputs).splits["train"]
    frames = by_hand([record["signal"]["frames"] for record in records])
    np.testing.assert_allclose(train.x["x"], frames, rtol=1e-6)
    np.testing.assert_array_equal(
        train.y["tag"][..., 0] if train.y["tag"].ndim == 3 else train.y["tag"],
        by_hand([record["tags"] for record in records]),
    )
    counted = train.counts("tag")
    assert counted is not None
    np.testing.assert_array_equal(counted.reshape(4, 5), np.arange(5) < np.array(LENGTHS)[:, None])
    x = {"dtype": "float32", "axes": [["batch", None], ["time", None], ["feature", 2]], "columns": None, "gaps": []}
    read = {**x, "array": f"{array}.steps", "lengths": [f"{array}.length"], "padded": ["time"], "fill": 0.0}
    samples = read_samples(file, {"inputs": {"x": read}, "outputs": {}})
    np.testing.assert_allclose(samples.take(slice(None))["x"], frames, rtol=1e-6)


def test_lists_of_lists(tmp_path: Path) -> None:
    documents = [[[i + 1] * n for i, n in enumerate(sentences)] for sentences in WORDS]
    written(tmp_path, [{"ids": document, "y": 1.5} for document in documents])
    text = """
source: {json: rows.jsonl}
split: {train: 1.0, by: order}
inputs: {x: {array: ids, lengths: [auto, auto]}}
outputs: {y: {columns: [y]}}
"""
    inputs, outputs = {"x": slot("x", ("sentence", None), ("word", None), dtype="int32")}, {"y": slot("y", ("unit", 1))}
    found = load(plan_of(text, tmp_path), inputs, outputs).splits["train"].x["x"]
    wanted = np.zeros((4, 3, 3))
    for i, document in enumerate(documents):
        for k, sentence in enumerate(document):
            wanted[i, k, : len(sentence)] = sentence
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"frames": []}, "`signal.frames` of row 3 is empty: leave it out"),
        ({"frames": None}, "row 3 has no `signal.frames`"),
        ({"frames": 4}, "`signal.frames` of row 3 is 4, not a list"),
        ({"frames": [[1, 2], [3]]}, "of row 3, step 2 has 1 values, but that of row 1, step 1 has 2 values"),
        ({"frames": [[1, None]]}, "of row 3, step 1 holds null, which is neither a number nor text"),
    ],
)
def test_what_is_no_sequence_is_told_with_its_row(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    records = rows()
    records[2]["signal"] = change
    file = written(tmp_path, records)
    (fault, *_) = [each for each in probe(plan_of(TEXT, tmp_path), *slots()) if "frames" in each.message]
    assert said in fault.message
    read = {"dtype": "float32", "axes": [["batch", None], ["time", None], ["feature", 2]], "columns": None, "gaps": []}
    read |= {"array": "signal.frames.steps", "lengths": ["signal.frames.length"], "padded": ["time"]}
    with pytest.raises(InputError, match="row 3"):
        read_samples(file, {"inputs": {"x": read}, "outputs": {}})


def test_without_lengths_the_error_names_them(tmp_path: Path) -> None:
    written(tmp_path, rows())
    plan = plan_of(TEXT.replace("frames, lengths: auto", "frames"), tmp_path)
    with pytest.raises(SpecError) as caught:
        load(plan, *slots())
    assert "`lengths: auto` takes sequences of different lengths" in caught.value.diagnostics[0].message


def test_columns_of_parquet_that_are_no_lists(tmp_path: Path) -> None:
    parquet(tmp_path, rows())
    text = TEXT.replace("json: rows.jsonl", "parquet: rows.parquet")
    for name, said in (("id", "has type BIGINT, not lists"), ("ids", "no array `ids`; did you mean `id`")):
        faults = probe(plan_of(text.replace("signal.frames", name), tmp_path), *slots())
        assert any(said in fault.message for fault in faults), (said, faults)
    faults = probe(
        plan_of(text.replace("{array: signal.frames, lengths: auto}", "{columns: [signal]}"), tmp_path), *slots()
    )
    assert any("read it by `array`, of different lengths with `lengths: auto`" in fault.message for fault in faults)


def test_lists_are_made_arrays_of_without_an_object_for_each_value() -> None:
    """As those of a file that is read anew each time that it is gone through: nothing but the array grows with it."""

    class Rows:
        def __iter__(self) -> Iterator[Record]:
            return ({"s": [float(row + step) for step in range(300)]} for row in range(1000))

    tracemalloc.start()
    try:
        found = array_of(Rows(), "s.steps")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_array_equal(found, (np.arange(1000.0)[:, None] + np.arange(300.0)).ravel())
    assert peak < 4 * found.nbytes
    assert array_of(Rows(), "s").shape == (1000, 300)
    words = array_of([{"s": ["a"] * 70_000}, {"s": ["bcd"]}], "s.steps")
    assert (words.dtype, words[-1], len(words)) == (np.dtype("<U3"), "bcd", 70_001)
