"""The gate draws what a model will meet: gaps, long texts, padding wherever the data may have it, at every level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nnspec.data.deployment import Deployment
from nnspec.data.prepare.transforms import InputTransform
from nnspec.ir.graph import Graph
from nnspec.pipeline import check
from nnspec.verify.hostile_inputs import variants as padded_variants
from nnspec.verify.hostile_rows import hostile_rows
from nnspec.verify.variant import Variant


def graph_of(folder: Path, axes: dict[str, Any], model: list[Any], dtype: str = "float32") -> Graph:
    spec = {"nnspec": 1, "inputs": {"x": {"axes": axes, "dtype": dtype}}, "model": model}
    path = folder / "spec.yaml"
    path.write_text(yaml.safe_dump({**spec, "outputs": {"y": {"task": "regression"}}}, sort_keys=False))
    return check(path).graph


def variants(graph: Graph, x: np.ndarray, transform: InputTransform | None = None, **more: Any) -> list[Variant]:
    deployment = Deployment(inputs={"x": transform} if transform is not None else {})
    return list(hostile_rows(graph, {"x": x}, deployment, **more))


def test_numbers_that_the_graph_fills_in_are_missing(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, {"feature": 3}, [{"Dense": {"units": 1, "as": "target"}}])
    fill, marker = np.array([1.0, np.nan, 3.0], np.float32), np.array([-99.0, np.nan, -1.0], np.float32)
    transform = InputTransform(fill=fill, markers=(marker,))
    (found,) = [one for one in variants(graph, np.ones((4, 3), np.float32), transform) if one.name == "gaps"]
    rows = dict(zip(found.rows, found.inputs["x"], strict=True))
    np.testing.assert_array_equal(rows["all missing"], [np.nan, 1, np.nan])  # what nothing fills in is never missing
    np.testing.assert_array_equal(rows["missing by a marker"], [-99, 1, -1])
    assert not np.isnan(rows["none"]).any()
    assert np.isfinite(transform.apply(found.inputs["x"])).all()
    assert not [one for one in variants(graph, np.ones((4, 3), np.float32)) if one.name == "gaps"]


def test_texts_are_long(tmp_path: Path) -> None:
    model = [
        {"TextVectorization": {"vocabulary": ["good", "bad"], "output_mode": "count"}},
        {"Dense": {"units": 1, "as": "target"}},
    ]
    graph = graph_of(tmp_path, {"text": 1}, model, "string")
    found = variants(graph, np.array([["good bad"], ["bad"]], object))
    assert max(len(str(text).split()) for one in found for text in one.inputs["x"].ravel()) >= 80
    assert "" in {str(text) for one in found for text in one.inputs["x"].ravel()}


def test_texts_are_put_together_from_what_the_graph_knows(tmp_path: Path) -> None:
    looked_up = {"StringLookup": {"vocabulary": ["good", "bad"]}}
    graph = graph_of(tmp_path, {"word": 2}, [looked_up, {"Embedding": {"input_dim": 3, "output_dim": 2}}], "string")
    found = next(one for one in variants(graph, np.array([["good", "bad"]], object)) if one.name == "composed texts")
    capitals = [row for row, kind in zip(found.inputs["x"].tolist(), found.rows, strict=True) if kind == "capitals"]
    assert {word for row in capitals for word in row} <= {"GOOD", "BAD"}
    assert ["good", "bad"] in found.inputs["x"].tolist()  # positions of one row differ


def test_no_text_is_unknown_where_none_may_be(tmp_path: Path) -> None:
    looked_up = {"StringLookup": {"vocabulary": ["good", "bad"], "num_oov_indices": 0}}
    graph = graph_of(tmp_path, {"word": 2}, [looked_up, {"Embedding": {"input_dim": 2, "output_dim": 2}}], "string")
    rows = [one.inputs["x"] for one in variants(graph, np.array([["good", "bad"]], object))]
    rows += [arrays["x"] for arrays in padded_variants(graph, np.random.default_rng(0))]
    assert {str(text) for row in rows for text in row.ravel()} <= {"good", "bad"}


def test_silence_stands_alone(tmp_path: Path) -> None:
    """Beside anything else, what is wrong with next to nothing would not show."""
    graph = graph_of(tmp_path, {"feature": 3}, [{"Dense": {"units": 1, "as": "target"}}])
    found = next(one for one in variants(graph, np.full((2, 3), 50, np.float32)) if one.name == "silence")
    assert np.abs(found.inputs["x"]).max() <= 0.5
    assert found.inputs["x"][0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("count", [4, 5])
def test_steps_that_sum_to_nothing_are_not_nothing(count: int, tmp_path: Path) -> None:
    """A mask that is made of the sum of a step's numbers would end there."""
    graph = graph_of(tmp_path, {"time": 3, "feature": count}, [{"Dense": {"units": 1, "as": "target"}}])
    x = np.random.default_rng(0).normal(size=(2, 3, count)).astype(np.float32)
    found = next(one for one in variants(graph, x) if one.name == "values")
    row = found.inputs["x"][found.rows.index("neighbours that cancel out")]
    np.testing.assert_array_equal(row.sum(axis=-1), np.zeros(3))
    assert (row != 0).any(axis=-1).all()


LSTM = [{"Masking": {}}, {"LSTM": {"units": 2}}, {"Dense": {"units": 1, "as": "target"}}]


def steps_of(graph: Graph) -> set[tuple[bool, ...]]:
    """Which steps of a row are padding, in any row."""
    x = np.ones((2, 5, 2), np.float32)
    (found,) = [one for one in variants(graph, x, InputTransform(None, 0.0, 1)) if one.name == "padding"]
    return {tuple(row) for row in (found.inputs["x"] == 0).all(axis=-1).tolist()}


def test_padding_of_the_data_themselves_may_be_anywhere(tmp_path: Path) -> None:
    graph = graph_of(tmp_path, {"time": 5, "feature": 2}, LSTM)
    anywhere = steps_of(graph)
    assert any(row[0] and not row[-1] for row in anywhere)
    assert {(False,) * 5, (True,) * 5} <= anywhere


def test_words_are_padded_in_each_sentence_otherwise(tmp_path: Path) -> None:
    axes = {"sentence": 4, "word": 5, "feature": 2}
    model = [
        {"Masking": {}},
        {"TimeDistributed": {"over": "sentence", "layer": {"GRU": {"units": 2}}}},
        {"LSTM": {"units": 2, "over": "sentence"}},
        {"Dense": {"units": 1, "as": "target"}},
    ]
    graph = graph_of(tmp_path, axes, model)
    x = np.ones((2, 4, 5, 2), np.float32)
    for transform in (None, InputTransform(None, 0.0, 2, outer=(1,))):
        made = [(one.inputs["x"] == 0).all(-1) for one in variants(graph, x, transform) if one.name == "padding"]
        rows = np.concatenate(made)
        whole = rows.all(axis=-1)
        assert (whole.any(axis=-1) & ~whole.all(axis=-1)).any()  # a sentence that is padding among others
        counts = rows.sum(axis=-1)
        assert any(len(set(row)) > 2 for row in counts.tolist())  # sentences of several lengths in a document


def test_numbers_of_formulas_are_drawn(tmp_path: Path) -> None:
    """Also whole steps of them: a mask may be computed of all features of a step."""
    formula = {"formula": "where(x > 3.75, x / 1e-3, x * not_equal(x, -99))"}
    graph = graph_of(tmp_path, {"time": 20, "feature": 2}, [formula, {"Dense": {"units": 1, "as": "target"}}])
    x = np.random.default_rng(0).normal(size=(3, 20, 2)).astype(np.float32)
    found = next(one for one in variants(graph, x) if one.name == "values")
    rows = dict(zip(found.rows, found.inputs["x"], strict=True))
    named = np.array([-99, 1e-3, 3.75], np.float32)
    assert set(rows["numbers that the spec names"].ravel()) >= set(named)
    steps = rows["steps of numbers that the spec names"]
    marked = np.isin(steps, named)
    assert (marked.all(1) == marked.any(1)).all()
    assert 0 < marked.all(1).sum() < 20
