"""Texts that are missing, in each way of `missing`: what the network reads, and the deployed graph computes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from nnspec.backends.onnx.builder import GraphBuilder, Port
from nnspec.backends.onnx.deploy import prepare_input
from nnspec.backends.onnx.lowering import Lowering
from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.data.section.column_plan import CARRIED, STATISTICS
from tests.support.data_files import Y
from tests.unit.data.section.test_plan import plan_of, slot

TRAIN = 7
FIRST = ["fun", "", "bad", "bad", "NA", "fun", "bad", "fun", "fun", "NA"]
SECOND = ["new", "old", "new", "", "old", "new", "new", "old", "", "?"]
SECTION = """
source: {csv: a.csv, na_values: {first: NA, second: "?"}}
missing: MISSING
split: {train: 0.7, test: 0.3, by: order}
inputs: {x: {columns: [first, second]}}
outputs: {y: {columns: [y]}}
"""
X = slot("x", ("text", 2), dtype="string")


def write_texts(folder: Path) -> None:
    rows = [f"{first},{second},{i}" for i, (first, second) in enumerate(zip(FIRST, SECOND, strict=True))]
    (folder / "a.csv").write_text("\n".join(["first,second,y", *rows]) + "\n", encoding="utf-8")


def faults(folder: Path, missing: str) -> list[tuple[str, str]]:
    write_texts(folder)
    found = probe(plan_of(SECTION.replace("MISSING", missing), folder), {"x": X}, {"y": Y})
    return [(fault.code, fault.path) for fault in found if fault.is_error]


def filled(texts: list[str], marker: str, stand_in: str) -> list[str]:
    return [stand_in if text in ("", marker) else text for text in texts]


def deployed(deployment: Deployment, raw: np.ndarray) -> np.ndarray:
    """Raw texts through what the graph has between its input and the network's."""
    builder = GraphBuilder(name="texts", opset=18)
    lowering = Lowering(builder)
    lowering.stem = "x"
    dims = [(lowering.factor(name, size), size) for name, size in zip(("batch", "text"), raw.shape, strict=True)]
    view = prepare_input(deployment)(lowering, "x", {"x": lowering.declare_input("x", "string", dims)})
    (same,) = builder.add("Identity", [view.tensor], stem="same")  # an input by itself is no output
    builder.outputs.append(Port(same, "string", raw.shape))
    model = builder.to_model({}, "").SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": raw})[0])


@pytest.mark.parametrize(
    ("missing", "first", "second"),
    [
        ("{first: {constant: unknown}, second: {constant: none}}", "unknown", "none"),
        ("{first: most_frequent, second: most_frequent}", "bad", "new"),  # of the training rows
        ("{first: constant, second: {constant: none}}", "", "none"),
        ("category", "", ""),
        ('{first: {constant: ""}, second: most_frequent}', "", "new"),
    ],
)
def test_texts_are_filled_in(missing: str, first: str, second: str, tmp_path: Path) -> None:
    assert faults(tmp_path, missing) == []
    data = load(plan_of(SECTION.replace("MISSING", missing), tmp_path), {"x": X}, {"y": Y})
    wanted = np.array([filled(FIRST, "NA", first), filled(SECOND, "?", second)], object).T
    np.testing.assert_array_equal(data.splits["train"].x["x"], wanted[:TRAIN])
    np.testing.assert_array_equal(data.splits["test"].x["x"], wanted[TRAIN:])
    deployment = Deployment.from_json(data.deployment.to_json())
    raw = np.array([FIRST, SECOND], object).T
    np.testing.assert_array_equal(deployment.to_network({"x": raw})["x"], wanted)
    np.testing.assert_array_equal(deployed(deployment, raw), wanted)


def test_a_marker_of_one_column_is_a_text_of_another(tmp_path: Path) -> None:
    assert faults(tmp_path, "{first: {constant: unknown}, second: {constant: none}}") == []
    section = SECTION.replace("MISSING", "{first: {constant: unknown}, second: {constant: none}}")
    deployment = load(plan_of(section, tmp_path), {"x": X}, {"y": Y}).deployment
    raw = np.array([["?", "NA"], ["NA", "?"]], object)
    np.testing.assert_array_equal(deployed(deployment, raw), [["?", "NA"], ["unknown", "none"]])


@pytest.mark.parametrize("rule", [*STATISTICS, *CARRIED, "drop", "error"])
def test_every_way_of_missing_is_taken_or_refused_by_its_name(rule: str, tmp_path: Path) -> None:
    found = faults(tmp_path, rule)
    if rule in ("mean", "median", "indicator", "interpolate"):
        assert found == [("NN550", "data.missing")] * 2
    elif rule == "error":
        assert found == [("NN504", "data.inputs.x.columns")] * 2
    else:
        assert found == []


def test_a_rule_for_numbers_does_not_matter_to_texts_without_gaps(tmp_path: Path) -> None:
    write_texts(tmp_path)
    section = "\n".join(
        [
            "source: {csv: a.csv}",
            'missing: {y: median, "*": median}',
            "split: {train: 0.7, test: 0.3, by: order}",
            "inputs: {x: {columns: [word]}}",
            "outputs: {y: {columns: [y]}}",
        ]
    )
    (tmp_path / "a.csv").write_text("word,y\n" + "".join(f"w{i},{i}\n" for i in range(10)), encoding="utf-8")
    plan, x = plan_of(section, tmp_path), slot("x", ("text", 1), dtype="string")
    assert [fault for fault in probe(plan, {"x": x}, {"y": Y}) if fault.is_error] == []
    data = load(plan, {"x": x}, {"y": Y})
    assert data.splits["test"].x["x"].ravel().tolist() == ["w7", "w8", "w9"]
