"""TextVectorization: what it refuses, what trains only, and the operator set that it takes."""

from __future__ import annotations

import json
import os
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
from tests.support.loaded_python import run_loaded
from tests.support.paths import ROOT


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
        ({"split": "character"}, "is not possible for a text of any length"),
        ({"split": "character", "output_mode": "int", "output_sequence_length": 501}, "for more than 500"),
        (
            {"vocabulary": ["a" * 251, *(f"word{i}" for i in range(1000))]},
            "words of at most 250 letters, but one has 251",
        ),
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


def test_many_words(tmp_path: Path) -> None:
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


def large_vocabulary(rng: np.random.Generator) -> list[str]:
    """1500 words in several scripts; some that no text has once punctuation is stripped, and a long one."""
    words = {"".join(rng.choice(list("abcdeéß中文ж0"), size=rng.integers(1, 9))) for _ in range(1500)}
    return [*sorted(words), "don't", "x-y", "z" * 120]


MARKED = [
    "...",
    "?!",
    "",
    "  ",
    "-a-",
    "'",
    "don't",
    "dont",
    "☃!",
    "a☃",
    "a.☃",
    "z" * 120,
    "z." * 120,
    "z" * 121,
    "!" + "z" * 121,
]


@pytest.mark.parametrize(
    ("body", "axes"),
    [
        ({"output_sequence_length": 7}, TEXT),
        ({"output_sequence_length": 7, "standardize": "strip_punctuation"}, TEXT),
        ({"output_mode": "multi_hot"}, TEXT),
        ({"output_mode": "count"}, TEXT),
        ({"output_mode": "count", "ngrams": 2}, TEXT),
        ({"output_mode": "count", "ngrams": [2], "split": None}, {"word": 3}),
        ({"output_mode": "multi_hot", "split": None}, {"word": 3}),
        ({"output_sequence_length": 3, "split": None}, {"word": 3}),
    ],
)
def test_large_vocabularies_are_those_of_keras(body: dict[str, Any], axes: dict[str, int], tmp_path: Path) -> None:
    """Any text: punctuation anywhere in a word, letters that no word has, words too long to be one."""
    rng = np.random.default_rng(5)
    words = large_vocabulary(rng)
    if "ngrams" in body:
        words += [" ".join(rng.choice(words, size=2)) for _ in range(200)]
    graph = checked(case({"vocabulary": words, **body}, axes), tmp_path).graph
    spelled = [word for word in words if word.isalnum()]

    def token() -> str:
        if rng.random() < 0.3:
            return str(rng.choice(MARKED))
        word = str(rng.choice(spelled if "ngrams" not in body else words))
        for _ in range(rng.integers(0, 3)):
            at = rng.integers(0, len(word) + 1)
            word = word[:at] + str(rng.choice(list("!'-._~@[`"))) + word[at:]
        return word.upper() if rng.random() < 0.2 else word

    def text() -> str:
        return " ".join(token() for _ in range(rng.integers(0, 8))) if "split" not in body else token()

    texts = np.asarray([[text() for _ in range(next(iter(axes.values())))] for _ in range(120)], object)
    model = export_graph(graph, {}, opset=20).builder.to_model({}, "test")
    session = onnxruntime.InferenceSession(model.SerializeToString())
    keras_model = build_model(graph).model
    for part in (
        texts,
        texts[:1],
        np.asarray([["a"] * texts.shape[1]], object),
        np.asarray([[""] * texts.shape[1]], object),
    ):
        got = session.run(None, {"x0": part})[0]
        assert np.array_equal(got, predict(keras_model, graph, {"x0": part})["y"])
    assert not [node for node in model.graph.node if node.op_type in ("Loop", "Scan", "If")]


FIFTY_THOUSAND = """
import itertools, json, re, sys, time
from pathlib import Path
from nnspec import api
import numpy as np, nnspec
def peak():  # of this process alone, which getrusage does not tell: it begins with that of its parent
    return re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
words = ["".join(letters) for letters in itertools.islice(itertools.product("abcdefghij", repeat=5), 50_000)]
texts = np.asarray([[" ".join(f"{word}," for word in words[i : i + 50])] for i in range(64)], object)
embed = [{"Embedding": {"input_dim": 50_002, "output_dim": 2}}, {"Flatten": {}}]
for body, after in ({"output_sequence_length": 20}, embed), ({"output_mode": "count"}, []):
    layers = [{"TextVectorization": {"vocabulary": words, **body}}, *after, {"Dense": {"units": 1}}]
    spec = {"nnspec": 1, "name": "reviews", "inputs": {"text": {"axes": {"text": 1}, "dtype": "string"}},
            "model": layers, "outputs": {"y": {"task": "regression"}}}
    Path("spec.yaml").write_text(json.dumps(spec))
    start = time.time()
    made = api.load("spec.yaml").export("out", untrained=True)
    verified, start = time.time() - start, time.time()
    nnspec.runtime.load(made.onnx)(texts)
    print(json.dumps({"verified_s": round(verified, 1), "run_s": round(time.time() - start, 2),
                      "file_kb": Path(made.onnx).stat().st_size // 1000,
                      "memory_mb": int(peak()) // 1000}))
"""


def test_fifty_thousand_words_end(tmp_path: Path) -> None:
    """Exported, verified and run; what RE2 says to stderr, which was 525 MB at 2000 words, is nothing."""
    done = run_loaded("-c", FIFTY_THOUSAND, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr[-2000:]
    print(done.stdout)
    assert "DFA out of memory" not in done.stderr
    assert len(done.stderr) < 10_000
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["file_kb"] < 3000 and row["memory_mb"] < 3000 for row in told] == [True, True]
