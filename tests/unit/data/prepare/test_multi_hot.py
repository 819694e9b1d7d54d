"""Cells of several words, compared with scikit-learn's MultiLabelBinarizer fitted on the same training rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import MultiLabelBinarizer

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.runtime.rules.delimited import spell_words
from tests.support.data_files import Y
from tests.support.encoded_columns import run_graph
from tests.unit.data.section.test_plan import plan_of, slot

CELLS = ["b;a", "c ; a", "a;a", "b", "", "c;b;a", "d;a", "b;z", "", "a"]
WORDS = [["b", "a"], ["c", "a"], ["a"], ["b"], [], ["c", "b", "a"], ["d", "a"], ["b", "z"], [], ["a"]]
TRAIN = 6
TEXT = """
source: {csv: a.csv}
missing: {tags: RULE}
split: {train: 0.6, test: 0.4, by: order}
inputs: {x: {columns: {tags: {multi_hot: OPTIONS}}}}
outputs: {y: {columns: [y]}}
"""


def encoded(folder: Path, options: str, rule: str, features: int) -> np.ndarray:
    rows = [f"{cell},{i}" for i, cell in enumerate(CELLS)]
    (folder / "a.csv").write_text("\n".join(["tags,y", *rows]) + "\n", encoding="utf-8")
    plan = plan_of(TEXT.replace("OPTIONS", options).replace("RULE", rule), folder)
    x = slot("x", ("feature", features))
    assert probe(plan, {"x": x}, {"y": Y}) == []
    data = load(plan, {"x": x}, {"y": Y})
    for split in data.splits.values():
        again = Deployment.from_json(data.deployment.to_json())
        np.testing.assert_array_equal(again.to_network(split.raw)["x"], split.x["x"])
        (port,) = data.deployment.columns["x"].ports.values()
        np.testing.assert_array_equal(run_graph(port, split.raw["tags"]), split.x["x"])
    return np.vstack([split.x["x"] for split in data.splits.values()])


def test_words_of_the_training_rows(tmp_path: Path) -> None:
    """Three words, two that only test rows have and that are unknown there, unknown ones, and gaps."""
    found = encoded(tmp_path, '{separator: ";"}', "category", 7)
    oracle = MultiLabelBinarizer().fit(WORDS[:TRAIN])
    known = [[word for word in words if word in oracle.classes_] for words in WORDS]
    np.testing.assert_array_equal(found[:, :3], oracle.transform(known))
    assert not found[:, 3:5].any()
    assert found[:, 5].tolist() == [0] * 6 + [1, 1, 0, 0]
    assert found[:, 6].tolist() == [float(cell == "") for cell in CELLS]


def test_given_words_and_a_constant(tmp_path: Path) -> None:
    found = encoded(tmp_path, '{separator: ";", categories: [c, a]}', "{constant: a}", 3)
    oracle = MultiLabelBinarizer(classes=["c", "a"])
    filled = [words or ["a"] for words in WORDS]
    known = oracle.fit_transform([[word for word in words if word in "ac"] for words in filled])
    np.testing.assert_array_equal(found[:, :2], known)
    assert found[:, 2].tolist() == [float(bool(set(words) - {"a", "c"})) for words in filled]


def test_no_words_may_stand_for_a_gap(tmp_path: Path) -> None:
    found = encoded(tmp_path, '{separator: ";"}', '{constant: ""}', 6)
    assert not found[[4, 8]].any()


@pytest.mark.parametrize("separator", ["|", ", ", "::"])
def test_raw_cells_in_the_graph(separator: str) -> None:
    """The file itself takes blanks around words, doubled separators and words that it does not know."""
    encoding = MultiHotEncoding(name="t", separator=separator, words=("a", "b b"), unused=1, fill=("b b",))
    cells = [
        "a",
        f"a{separator}b b",
        f" b b {separator} a",
        f"{separator}a{separator}",
        f"q{separator}a",
        "",
        separator,
    ]
    wanted = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    raw = np.array(cells, object)
    np.testing.assert_array_equal(run_graph(encoding, raw), wanted)
    np.testing.assert_array_equal(encoding.apply(raw), wanted)
    steps = np.array([cells[:3], cells[3:6]], object)
    np.testing.assert_array_equal(run_graph(encoding, steps), encoding.apply(steps))


def test_one_spelling() -> None:
    assert spell_words(" b | a|b|1.0 ", "|") == "b|a|1"
    assert spell_words(" | ", "|") == "|"
