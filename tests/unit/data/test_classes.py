"""Targets that are labels. Expected values are worked out by hand or by plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.diagnostics import SpecError
from tests.support.data_files import ARRAYS, X, fault, head_of, labelled, run
from tests.unit.data.section.test_plan import slot


def test_labels_are_sorted_and_named(tmp_path: Path) -> None:
    labelled(tmp_path / "a.npz", ["cat", "ant", "bee"] * 10)
    text = ARRAYS.replace("SPLIT", "{train: 0.6, test: 0.4, by: order}")
    data = run(text, tmp_path, [X], [head_of(3)])
    assert data.outputs["y"].classes == ["ant", "bee", "cat"]
    assert data.splits["train"].y["y"][:4].tolist() == [2, 0, 1, 2]
    assert data.splits["train"].y["y"].dtype == np.int64
    assert data.splits["train"].target["y"][:3].tolist() == ["cat", "ant", "bee"]
    chosen = text.replace("array: label", "array: label, classes: [bee, cat, ant]")
    assert run(chosen, tmp_path, [X], [head_of(3)]).splits["train"].y["y"][:3].tolist() == [1, 2, 0]


def test_names_for_numbered_labels(tmp_path: Path) -> None:
    labelled(tmp_path / "a.npz", [1, 0, 2] * 10)
    text = ARRAYS.replace("SPLIT", "{train: 0.6, test: 0.4, by: order}")
    data = run(text, tmp_path, [X], [head_of(3, classes=("nil", "one", "two"))])
    assert data.outputs["y"].classes == ["nil", "one", "two"]
    assert data.splits["test"].y["y"][:3].tolist() == [1, 0, 2]
    assert data.splits["test"].target["y"][:3].tolist() == ["one", "nil", "two"]


def test_a_label_that_training_never_saw(tmp_path: Path) -> None:
    labelled(tmp_path / "a.npz", [0, 1] * 8 + [2] * 4)
    text = ARRAYS.replace("SPLIT", "{train: 0.8, test: 0.2, by: order}")
    code, message = fault(text, tmp_path, [X], [slot("y", ("class", None), task="classification", class_axis="class")])
    assert code == "NN513"
    assert "`2`" in message
    assert "split `test`" in message


def test_a_label_that_the_list_lacks(tmp_path: Path) -> None:
    labelled(tmp_path / "a.npz", [0, 1] * 8 + [2] * 4)
    text = ARRAYS.replace("SPLIT", "{train: 0.8, test: 0.2, by: order}").replace("label}", "label, classes: [0, 1]}")
    assert fault(text, tmp_path, [X], [head_of(2)])[0] == "NN513"


def test_names_of_numbers_stand_in_the_section_outputs(tmp_path: Path) -> None:
    """As of masks, whose pixels are the numbers of classes."""
    labelled(tmp_path / "a.npz", [0, 1] * 10)
    text = ARRAYS.replace("SPLIT", "{train: 0.8, test: 0.2, by: order}")
    for listed, advice in (("[nil, one]", "write `y: {classes: [nil, one]}`"), ("[0, 2]", "add them to `classes`")):
        with pytest.raises(SpecError) as caught:
            run(text.replace("label}", f"label, classes: {listed}}}"), tmp_path, [X], [head_of(2)])
        (found,) = caught.value.diagnostics
        assert found.code == "NN513"
        assert advice in found.fixes[0].message
    assert run(text, tmp_path, [X], [head_of(2, classes=("nil", "one"))]).outputs["y"].classes == ["nil", "one"]


def test_table_labels_keep_their_spelling(tmp_path: Path) -> None:
    rows = "".join(f"{i},{kind}\n" for i, kind in enumerate(["007", "7", "2013-01-01"] * 8))
    (tmp_path / "a.csv").write_text("a,kind\n" + rows)
    text = """
source: {csv: a.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [kind]}}
"""
    data = run(text, tmp_path, [slot("x", ("feature", 1))], [head_of(3)])
    assert data.outputs["y"].classes == ["007", "2013-01-01", "7"]
    assert data.splits["train"].y["y"].shape == (12,)


def test_quantile_classes_are_fitted_on_training_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = np.concatenate([rng.normal(size=(50, 3)), 100 + rng.normal(size=(50, 3))])
    np.save(tmp_path / "x.npy", rng.normal(size=(100, 2)))
    np.save(tmp_path / "y.npy", y.T)
    text = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {npy: x.npy}}
outputs: {y: {npy: y.npy, axes: [output, sample], classes: {quantiles: 5}}}
"""
    head = slot("y", ("output", 3), ("class", 5), task="classification", class_axis="class")
    data = run(text, tmp_path, [X], [head])
    edges = np.quantile(y[:50], [0.2, 0.4, 0.6, 0.8], axis=0).T
    np.testing.assert_allclose(np.array(data.outputs["y"].edges), edges)
    assert [np.bincount(column).tolist() for column in data.splits["train"].y["y"].T] == [[10] * 5] * 3
    assert (data.splits["test"].y["y"] == 4).all()
    pooled = run(text.replace("quantiles: 5", "quantiles: 5, along: []"), tmp_path, [X], [head])
    np.testing.assert_allclose(np.array(pooled.outputs["y"].edges)[0], np.quantile(y[:50], [0.2, 0.4, 0.6, 0.8]))


def test_explicit_edges(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(20.0).reshape(10, 2))
    np.save(tmp_path / "y.npy", np.array([-3.0, -1, 0, 2, 5, -3, -1, 0, 2, 5]))
    text = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {npy: x.npy}}
outputs: {y: {npy: y.npy, classes: {edges: [-1, 2]}}}
"""
    assert run(text, tmp_path, [X], [head_of(3)]).splits["test"].y["y"].tolist() == [0, 0, 1, 1, 2]


def test_binary_and_multilabel(tmp_path: Path) -> None:
    rows = "".join(f"{i},{'yes' if i % 3 == 0 else 'no'},{i % 2},{str(i % 4 == 0).lower()}\n" for i in range(24))
    (tmp_path / "a.csv").write_text("a,kind,p,q\n" + rows)
    text = """
source: {csv: a.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {x: {columns: [a]}}
outputs: {y: {columns: [kind]}, z: {columns: [p, q]}}
"""
    heads = [slot("y", ("unit", 1), task="binary"), slot("z", ("label", 2), task="multilabel")]
    data = run(text, tmp_path, [slot("x", ("feature", 1))], heads)
    train = data.splits["train"]
    assert data.outputs["y"].classes == ["no", "yes"]
    assert train.y["y"][:4].tolist() == [[1.0], [0.0], [0.0], [1.0]]
    assert train.y["z"][:5].tolist() == [[0, 1], [1, 0], [0, 0], [1, 0], [0, 1]]
    assert (train.y["y"].dtype, train.y["z"].dtype) == (np.float32, np.float32)
    bad = text.replace("[p, q]", "[p, a]")
    assert fault(bad, tmp_path, [slot("x", ("feature", 1))], heads)[0] == "NN513"
