"""Columns of yes and no: one rule in checks, training, the graph and serving."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.runtime.rows.columns import as_model_input
from nnspec.runtime.rules.csv import CellError
from tests.support.data_files import Y
from tests.support.encoded_columns import run_graph
from tests.unit.data.section.test_plan import plan_of, slot

TEXT = """
source: {csv: a.csv}
missing: {paid: RULE}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: {paid: ENCODING}}}
outputs: {y: {columns: [y]}}
"""


def write(folder: Path, cells: list[str]) -> None:
    lines = [f"{cell},{i}" for i, cell in enumerate(cells)]
    (folder / "a.csv").write_text("\n".join(["paid,y", *lines]) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("no", "yes", "encoding"),
    [
        ("no", "Yes", "boolean"),
        ("N", "Y", "boolean"),
        ("f", "T", "boolean"),
        ("off", " on", "boolean"),
        ("false", "True", "boolean"),
        ("0", "1", "boolean"),
        ("Yes", "No", "{boolean: [Yes, No]}"),
        ("unpaid", "paid", "{boolean: [unpaid, paid]}"),
        ("2", "1", "{boolean: [2, 1]}"),
    ],
)
def test_pairs(no: str, yes: str, encoding: str, tmp_path: Path) -> None:
    truths = [1, 0, 0, None, 0, 1, None, 1, 1]
    write(tmp_path, ["" if truth is None else (no, yes)[truth] for truth in truths])
    rules = (("mean", np.float32(1 / 3), 1), ("most_frequent", 0, 1), ("{constant: 1}", 1, 1), ("indicator", 0, 2))
    for rule, fill, width in rules:
        plan = plan_of(TEXT.replace("RULE", rule).replace("ENCODING", encoding), tmp_path)
        x = slot("x", ("feature", width))
        assert [fault.message for fault in probe(plan, {"x": x}, {"y": Y})] == []
        data = load(plan, {"x": x}, {"y": Y})
        found = np.vstack([split.x["x"] for split in data.splits.values()])
        np.testing.assert_array_equal(found[:, 0], [fill if truth is None else truth for truth in truths])
        (port,) = Deployment.from_json(data.deployment.to_json()).columns["x"].ports.values()
        for split in data.splits.values():
            np.testing.assert_array_equal(run_graph(port, split.raw["paid"]), split.x["x"])
        if width == 2:
            np.testing.assert_array_equal(found[:, 1], [truth is None for truth in truths])
        if port.dtype == "string":
            raw = np.array([no, yes, ""], object)
            np.testing.assert_array_equal(run_graph(port, raw)[:, 0], port.apply(raw)[:, 0])


def test_other_words_are_told_with_their_row(tmp_path: Path) -> None:
    write(tmp_path, ["yes", "no", "maybe", "no", "yes", "no"])
    plan = plan_of(TEXT.replace("RULE", "error").replace("ENCODING", "boolean"), tmp_path)
    (fault,) = probe(plan, {"x": slot("x", ("feature", 1))}, {"y": Y})
    assert fault.code == "NN550"
    assert "`maybe` in row 3" in fault.message


def test_serving() -> None:
    body = {"encoding": "boolean", "dtype": "string"}
    assert as_model_input(body, np.array(["Yes", " n", "", "TRUE"], object)).tolist() == ["1", "0", "", "1"]
    with pytest.raises(CellError):
        as_model_input(body, np.array(["Yes", "maybe"], object))
    named = {**body, "truths": ["unpaid", "paid"]}
    assert as_model_input(named, np.array(["paid", " unpaid "], object)).tolist() == ["paid", "unpaid"]


@pytest.mark.parametrize(
    ("columns", "cells", "classes"),
    [
        ("[paid]", ["Yes", "No"], ("No", "Yes")),
        ("[paid]", ["T", "F"], ("F", "T")),
        ("{paid: boolean}", ["y", "n"], ("n", "y")),
        ("{paid: {boolean: [paid, due]}}", ["due", "paid"], ("paid", "due")),
    ],
)
def test_binary_targets(columns: str, cells: list[str], classes: tuple[str, str], tmp_path: Path) -> None:
    write(tmp_path, cells * 6)
    text = TEXT.replace("missing: {paid: RULE}\n", "").replace("columns: [y]", f"columns: {columns}")
    plan = plan_of(text.replace("paid: ENCODING", "y: standard"), tmp_path)
    y = slot("y", ("target", 1), task="binary")
    assert [fault.message for fault in probe(plan, {"x": slot("x", ("feature", 1))}, {"y": y}) if fault.is_error] == []
    data = load(plan, {"x": slot("x", ("feature", 1))}, {"y": y})
    assert data.outputs["y"].classes == list(classes)
    assert data.splits["train"].y["y"].ravel().tolist() == [1, 0] * 3
