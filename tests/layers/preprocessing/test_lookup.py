"""Lookups and hashes: what they refuse, what trains but cannot be exported, and words through the whole job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from tests.layers.preprocessing.cases_lookup import COLORS, NUMBERS
from tests.support.layer_cases import Case, checked

ROW = {"word": 4}


def graph_of(kind: str, body: Any, folder: Path, dtype: str = "string", axes: Any = ROW) -> Any:
    return checked(Case(kind, body, [axes], {}, None, None, dtype=dtype), folder).graph


@pytest.mark.parametrize(
    ("kind", "body", "dtype", "code", "words"),
    [
        ("StringLookup", {"invert": True}, "int32", "NN348", "requires `vocabulary`"),
        ("StringLookup", {"output_mode": "one_hot"}, "string", "NN350", "would depend on the data"),
        ("StringLookup", {"vocabulary": COLORS}, "int32", "NN407", "needs text, but `x0` has dtype int32"),
        ("StringLookup", {"vocabulary": COLORS, "invert": True}, "string", "NN407", "reads indices"),
        ("StringLookup", {"vocabulary": ["a", "b", "a"]}, "string", "NN206", "lists `a` twice"),
        ("StringLookup", {"vocabulary": ["a", ""], "mask_token": ""}, "string", "NN208", "contains the `mask_token`"),
        ("StringLookup", {"vocabulary": ["a", 2]}, "string", "NN202", "must be a string"),
        ("StringLookup", {"vocabulary": ["[UNK]"]}, "string", "NN206", "no words besides"),
        ("StringLookup", {"vocabulary": COLORS, "max_tokens": 4}, "string", "NN206", "there are 5 indices"),
        (
            "StringLookup",
            {"vocabulary": COLORS, "output_mode": "tf_idf"},
            "string",
            "NN208",
            "and `output_mode: tf_idf` require each other",
        ),
        (
            "StringLookup",
            {"vocabulary": COLORS, "output_mode": "tf_idf", "idf_weights": [1, 2]},
            "string",
            "NN302",
            "2 numbers for 4 words",
        ),
        ("StringLookup", {"vocabulary": COLORS, "pad_to_max_tokens": True}, "string", "NN208", "needs `max_tokens`"),
        ("StringLookup", {"vocabulary": COLORS, "sparse": True}, "string", "NN205", "cannot be `true`"),
        ("StringLookup", {"vocabulary": COLORS, "as": "color"}, "string", "NN208", "makes none"),
        ("IntegerLookup", {"vocabulary": NUMBERS}, "float32", "NN407", "looks integers up, but `x0` holds float32"),
        ("IntegerLookup", {"vocabulary": NUMBERS, "salt": 3}, "int32", "NN208", "goes with `oov_method: farmhash`"),
        ("CategoryEncoding", {"num_tokens": 3}, "float32", "NN407", "reads indices, but `x0` holds float32"),
        ("Hashing", {"num_bins": 3}, "float32", "NN407", "needs words or integers"),
        ("Hashing", {"num_bins": 3, "mask_value": 0}, "string", "NN208", "`mask_value` is `0`"),
        ("Dense", {"units": 3}, "string", "NN407", "`Dense` cannot take text, but `x0` is text"),
        ("Embedding", {"input_dim": 3, "output_dim": 2}, "string", "NN407", "cannot take text"),
        ("Normalization", None, "string", "NN407", "cannot take text"),
        ("TimeDistributed", {"layer": {"Dense": {"units": 2}}}, "string", "NN407", "`Dense` cannot take text"),
    ],
)
def test_refused(kind: str, body: Any, dtype: str, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        graph_of(kind, body, tmp_path, dtype, {"line": 3, **ROW} if kind == "TimeDistributed" else ROW)
    assert [d.code for d in caught.value.diagnostics if d.is_error] == [code]
    assert words in caught.value.diagnostics[0].message


def test_vectors_of_samples_take_one_axis(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="NN310"):
        graph_of("StringLookup", {"vocabulary": COLORS, "output_mode": "count"}, tmp_path, axes={"line": 3, "word": 4})


@pytest.mark.parametrize(
    ("kind", "body", "dtype"),
    [
        ("Hashing", {"num_bins": 5, "mask_value": ""}, "string"),
        ("Hashing", {"num_bins": 5, "salt": [3, 4], "output_mode": "one_hot"}, "int32"),
        ("Hashing", {"num_bins": 5, "output_mode": "count"}, "string"),
        ("StringLookup", {"vocabulary": COLORS, "num_oov_indices": 3}, "string"),
        ("IntegerLookup", {"vocabulary": NUMBERS, "num_oov_indices": 3, "oov_method": "farmhash"}, "int64"),
    ],
)
def test_trains_but_is_not_exported(kind: str, body: Any, dtype: str, tmp_path: Path) -> None:
    result = checked(Case(kind, body, [ROW], {}, None, None, dtype=dtype), tmp_path)
    assert [d.code for d in diagnose(tmp_path / "case.yaml")] == ["NN349"]
    made = np.asarray([["red", "rot", "", "x"]], object) if dtype == "string" else np.asarray([[7, 1, 2, 3]], dtype)
    got = predict(build_model(result.graph).model, result.graph, {"x0": made})["y"]
    axes = result.graph.outputs["y"].value.axes
    assert got.shape == (1, *(axis.size for axis in axes))
    assert str(got.dtype) == result.graph.outputs["y"].value.dtype
    with pytest.raises(SpecError, match=r"cannot be exported: .* a hash of the text"):
        export_graph(result.graph, {})


def test_a_hashed_crossing_trains(tmp_path: Path) -> None:
    one = {"one": 1}
    case = Case("HashedCrossing", {"num_bins": 7, "output_mode": "one_hot"}, [one, one], {}, None, None, dtype="string")
    graph = checked(case, tmp_path).graph
    words = np.asarray([["a"], ["b"]], object)
    got = predict(build_model(graph).model, graph, {"x0": words, "x1": words[::-1]})["y"]
    assert got.shape == (2, 7)
    assert np.array_equal(got.sum(axis=1), [1, 1])
    with pytest.raises(SpecError, match="NN601"):
        export_graph(graph, {})


def test_a_crossing_takes_single_values(tmp_path: Path) -> None:
    case = Case("HashedCrossing", {"num_bins": 7}, [ROW, ROW], {}, None, None, dtype="string")
    with pytest.raises(SpecError, match="NN310"):
        checked(case, tmp_path)


WEIGHTED = """
nnspec: 1
inputs: {x0: {axes: {word: 3}, dtype: int32}, x1: {axes: {word: 3}}, x2: {axes: {word: 2}}}
layers: {counted: {CategoryEncoding: {num_tokens: 4, output_mode: count}}}
model:
  - share: {use: counted, from: x0, count_weights: x1, name: heavy}
  - share: {use: counted, from: x0, name: plain}
  - Subtract: {from: [heavy, plain]}
outputs: {y: {task: regression}}
"""


def test_weights_of_a_shared_count_belong_to_a_use(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(WEIGHTED.replace(", x2: {axes: {word: 2}}", ""))
    graph = pipeline.check(tmp_path / "spec.yaml").graph
    given = {"x0": np.asarray([[1, 2, 1], [0, 7, 3]], np.int32), "x1": np.asarray([[0.5, 1, 2], [3, 4, 5]], np.float32)}
    wanted = [[0, 0.5, 0, 0], [2, 0, 0, 4]]
    assert predict(build_model(graph).model, graph, given)["y"].tolist() == wanted
    model = export_graph(graph, {}).builder.to_model({}, "test")
    assert onnxruntime.InferenceSession(model.SerializeToString()).run(None, given)[0].tolist() == wanted


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (
            ("count_weights: x1", "count_weights: x2"),
            "NN311",
            "has a number for each of (word 3), but `x2` has (word 2)",
        ),
        (("output_mode: count", "output_mode: multi_hot"), "NN208", "requires `output_mode: count`"),
        (
            ("x1: {axes: {word: 3}}", "x1: {axes: {word: 3}, dtype: bool}"),
            "NN407",
            "must be numbers, but `x1` has dtype bool",
        ),
        (("count_weights: x1", "count_weights: x9"), "NN401", "no input or earlier layer is named `x9`"),
    ],
)
def test_weights_that_do_not_fit(change: tuple[str, str], code: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(WEIGHTED.replace(*change))
    found = [d for d in diagnose(tmp_path / "spec.yaml") if d.is_error and d.code == code]
    assert any(words in d.message for d in found), [d.message for d in diagnose(tmp_path / "spec.yaml")]
