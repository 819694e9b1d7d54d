"""TextVectorization: what it refuses, what trains only, and the operator set that it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nnspec import api
from nnspec.backends.keras.model import build_model, predict
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from tests.layers.preprocessing.cases_text_vectorization import TEXT, WORDS
from tests.support.layer_cases import Case, checked, spec_of


def case(body: Any, axes: Any = TEXT, dtype: str = "string", **more: Any) -> Case:
    return Case("TextVectorization", body, [axes], {}, None, None, dtype=dtype, **more)


@pytest.mark.parametrize(
    ("body", "axes", "dtype", "code", "words"),
    [
        ({"output_mode": "count"}, TEXT, "string", "NN350", "would depend on the data"),
        ({"vocabulary": WORDS}, TEXT, "string", "NN313", "needs `output_sequence_length`"),
        (
            {"vocabulary": WORDS, "output_sequence_length": 4},
            {"text": 3},
            "string",
            "NN310",
            "one text per sample",
        ),
        (
            {"vocabulary": WORDS, "output_sequence_length": 4},
            TEXT,
            "int32",
            "NN407",
            "needs text, but `x0` has dtype int32",
        ),
        (
            {"vocabulary": WORDS, "output_mode": "count", "output_sequence_length": 4},
            TEXT,
            "string",
            "NN208",
            "requires `output_mode: int`",
        ),
        (
            {"vocabulary": ["a", ""], "output_mode": "count"},
            TEXT,
            "string",
            "NN208",
            "contains the `mask_token`, the empty text",
        ),
        (
            {"vocabulary": WORDS, "split": None, "output_mode": "count"},
            {"line": 2, "word": 3},
            "string",
            "NN310",
            "needs 1 axis (with `split: null`",
        ),
        ({"vocabulary": WORDS, "split": None, "output_mode": "count"}, {"word": "T"}, "string", "NN313", "how long"),
        (
            {"vocabulary": WORDS, "split": None, "output_mode": "count", "ngrams": [4]},
            {"word": 3},
            "string",
            "NN206",
            "larger than the number of words, 3",
        ),
        ({"vocabulary": WORDS, "output_mode": "count", "ragged": True}, TEXT, "string", "NN205", "cannot be `true`"),
    ],
)
def test_refused(body: Any, axes: Any, dtype: str, code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        checked(case(body, axes, dtype), tmp_path)
    assert [d.code for d in caught.value.diagnostics if d.is_error] == [code]
    assert words in caught.value.diagnostics[0].message


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"split": "character"}, "cannot do for a text of any length"),
        ({"split": "character", "output_mode": "int", "output_sequence_length": 501}, "for more than 500"),
        ({"vocabulary": [f"w{i}" for i in range(12_001)]}, "12000 words at most, but there are 12001"),
    ],
)
def test_trains_but_is_not_exported(more: dict[str, Any], words: str, tmp_path: Path) -> None:
    graph = checked(case({"vocabulary": WORDS, "output_mode": "count", **more}), tmp_path).graph
    found = diagnose(tmp_path / "case.yaml")
    assert [d.code for d in found] == ["NN349"]
    assert words in found[0].message
    made = predict(build_model(graph).model, graph, {"x0": np.asarray([["the cat"], [""]], object)})["y"]
    assert made.shape == (2, graph.outputs["y"].value.axes[0].size)
    with pytest.raises(SpecError, match="cannot be exported"):
        export_graph(graph, {}, opset=20)


def test_the_operator_set_follows_the_layer(tmp_path: Path) -> None:
    body = {"vocabulary": WORDS, "output_mode": "multi_hot"}
    document = spec_of(case(body, after=[{"Dense": {"units": 2}}]))
    (tmp_path / "spec.yaml").write_text(json.dumps(document))
    made = api.load(tmp_path / "spec.yaml").export(tmp_path / "out", untrained=True)
    assert made.verification["opset"]["ai.onnx"] == 20
    assert made.verification["nodes"]["StringSplit"] == 6
    session = onnxruntime.InferenceSession(made.onnx)
    assert session.run(None, {"x0": np.asarray([["The cat, sat"]], object)})[0].shape == (1, 2)


def test_many_words_are_looked_up_by_pattern(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    words = sorted({"".join(rng.choice(list("abcdeé"), size=5)) for _ in range(3000)})
    body = {"vocabulary": words, "output_sequence_length": 6}
    graph = checked(case(body), tmp_path).graph
    texts = np.asarray([[" ".join(f"{w[:2]}-{w[2:]}?" for w in rng.choice(words, size=5))] for _ in range(40)], object)
    model = export_graph(graph, {}, opset=20).builder.to_model({}, "test")
    got = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x0": texts})[0]
    assert np.array_equal(got, predict(build_model(graph).model, graph, {"x0": texts})["y"])
    assert got[:, :5].min() > 1


def test_texts_in_steps(tmp_path: Path) -> None:
    inner = {"TextVectorization": {"vocabulary": WORDS, "output_mode": "count", "standardize": "lower"}}
    steps = Case("TimeDistributed", {"layer": inner}, [{"time": 3, "text": 1}], {}, None, None, dtype="string")
    graph = checked(steps, tmp_path).graph
    texts = np.asarray([[["the cat"], [""], ["Cat cat"]], [["x"], ["mat the"], ["  "]]], object)
    model = export_graph(graph, {}, opset=20).builder.to_model({}, "test")
    got = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x0": texts})[0]
    assert got.shape == (2, 3, 7)
    assert np.array_equal(got, predict(build_model(graph).model, graph, {"x0": texts})["y"])
    assert got[0, 2].tolist() == [0, 0, 2, 0, 0, 0, 0]


def test_many_characters(tmp_path: Path) -> None:
    letters = [chr(code) for code in (*range(32, 127), *range(0x3B1, 0x3C9))]
    body = {"vocabulary": letters, "split": "character", "standardize": None, "output_sequence_length": 300}
    graph = checked(case(body), tmp_path).graph
    rng = np.random.default_rng(1)
    texts = np.asarray([["".join(rng.choice([*letters, "日", "\t"], size=n))] for n in (0, 1, 299, 300, 700)], object)
    model = export_graph(graph, {}, opset=20).builder.to_model({}, "test")
    got = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x0": texts})[0]
    assert np.array_equal(got, predict(build_model(graph).model, graph, {"x0": texts})["y"])
    assert [int((row > 0).sum()) for row in got] == [0, 1, 299, 300, 300]
