"""Lookups that learn their words: in the order of Keras' `adapt`, whatever they stand in, and what is refused.

The oracle counts with Python's own `Counter`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict
from nnspec.data.dataset import Dataset, Split
from nnspec.diagnostics import SpecError
from nnspec.jobs import vocabularies
from nnspec.pipeline import diagnose


def most_common(words: Iterable[Any], most: int | None = None) -> list[Any]:
    """The most frequent first; of those that are as frequent the one whose UTF-8 bytes come last."""

    def rank(item: tuple[Any, int]) -> Any:
        return (item[1], item[0].encode() if isinstance(item[0], str) else item[0])

    ranked = sorted(Counter(words).items(), key=rank, reverse=True)
    return [word for word, _ in ranked][:most]


def settled(folder: Path, model: str, inputs: str, x: dict[str, np.ndarray], output: str = "") -> tuple[Any, Any]:
    """The graph with the words of `x`, and what they are."""
    (folder / "spec.yaml").write_text(
        f"nnspec: 1\ninputs: {inputs}\nmodel:\n{model}\noutputs: {{y: {{task: regression{output}}}}}\n"
    )
    graph = pipeline.check(folder / "spec.yaml").graph
    dataset = Dataset({"train": Split(raw=x, x=x, y={}, target={}, last={}, size=len(x), rows=np.arange(len(x)))})
    found = vocabularies.learn(graph, dataset)
    return vocabularies.with_vocabularies(graph, found), found


def agreed(graph: Any, x: dict[str, np.ndarray]) -> np.ndarray:
    """What Keras and ONNX Runtime both make of `x`."""
    from nnspec.backends.keras.model import read_weights
    from nnspec.backends.onnx.export import export_graph
    from nnspec.ir.opset import needed_opset

    compiled = build_model(graph)
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    proto = export_graph(graph, weights, opset=needed_opset(graph)).builder.to_model({}, "test")
    got = onnxruntime.InferenceSession(proto.SerializeToString()).run(None, x)[0]
    keras = predict(compiled.model, graph, x)["y"]
    assert np.allclose(got, keras, rtol=1e-5, atol=1e-6) if got.dtype.kind == "f" else np.array_equal(got, keras)
    return keras


WORDS = np.asarray(
    [["b", "a", "é"], ["z", "", "[UNK]"], ["a", "cc", "Z"], ["c", "日本", "b"], ["-1", "1.0", "01"]], object
)
STRING = "{x: {axes: {word: 3}, dtype: string}}"


@pytest.mark.parametrize(
    ("body", "special", "most"),
    [
        ({}, [], None),
        ({"mask_token": ""}, [""], None),
        ({"mask_token": "a", "num_oov_indices": 0}, ["a"], None),
        ({"max_tokens": 4}, [], 3),
        ({"max_tokens": 4, "mask_token": "a"}, ["a"], 2),
        ({"max_tokens": 5, "oov_token": "b"}, ["b"], 4),
        ({"max_tokens": 40, "pad_to_max_tokens": True, "output_mode": "multi_hot"}, [], 39),
        ({"max_tokens": 6, "pad_to_max_tokens": True, "output_mode": "tf_idf"}, [], 5),
        ({"max_tokens": 6, "pad_to_max_tokens": True, "output_mode": "count", "mask_token": "z"}, ["z"], 5),
    ],
)
def test_words_are_in_the_order_of_keras(
    body: dict[str, Any], special: list[str], most: int | None, tmp_path: Path
) -> None:
    import keras

    left_out = [*special, *([] if "oov_token" in body else ["[UNK]"])]
    graph, found = settled(tmp_path, f"  - StringLookup: {json.dumps({'name': 'words', **body})}", STRING, {"x": WORDS})
    words = found["words"]["vocabulary"]
    assert words == most_common([word for word in WORDS.reshape(-1) if word not in left_out], most)
    adapted = keras.layers.StringLookup(**body)
    adapted.adapt(WORDS)
    assert words == [str(word) for word in adapted.get_vocabulary(include_special_tokens=False)]
    given = WORDS if body.get("num_oov_indices") == 0 else np.concatenate([WORDS, [["?", "日", "B"]]])
    given = given[:1] if body.get("num_oov_indices") == 0 else given
    got = agreed(graph, {"x": given})
    assert np.allclose(got, np.asarray(adapted(given)), rtol=1e-6)
    assert got.dtype == ("int64" if "output_mode" not in body else "float32")


def test_integers_are_in_the_order_of_keras(tmp_path: Path) -> None:
    import keras

    x = np.asarray([[7, 3], [0, 7], [-1, -5], [3, 2**31 - 1], [12, 0]], np.int32)
    graph, found = settled(
        tmp_path,
        "  - IntegerLookup: {mask_token: 0, max_tokens: 6, name: numbers}",
        "{x: {axes: {number: 2}, dtype: int32}}",
        {"x": x},
    )
    assert found == {"numbers": {"vocabulary": [7, 3, 2**31 - 1, 12]}}
    adapted = keras.layers.IntegerLookup(mask_token=0, max_tokens=6)
    adapted.adapt(x)
    assert adapted.get_vocabulary(include_special_tokens=False) == [7, 3, 2**31 - 1, 12]
    assert agreed(graph, {"x": x[:4]}).tolist() == [[2, 3], [0, 2], [1, 1], [3, 4]]


TEXTS = np.asarray([["The cat, the CAT."], ["a  dog\tsat"], [""], ["é É dog's the -- ..."]], object)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"output_sequence_length": 5}, ["the", "cat", "é", "É", "sat", "dogs", "dog", "a"]),
        ({"output_sequence_length": 5, "max_tokens": 4}, ["the", "cat"]),
        ({"standardize": None, "output_sequence_length": 3, "max_tokens": 5}, ["the", "é", "É"]),
        ({"output_mode": "tf_idf", "max_tokens": 5, "pad_to_max_tokens": True}, ["the", "cat", "é", "É"]),
        ({"output_mode": "count", "max_tokens": 50, "pad_to_max_tokens": True, "standardize": "lower"}, None),
    ],
)
def test_the_words_of_texts(body: dict[str, Any], words: list[str] | None, tmp_path: Path) -> None:
    import keras

    graph, found = settled(
        tmp_path,
        f"  - TextVectorization: {json.dumps({'name': 'texts', **body})}",
        "{x: {axes: {text: 1}, dtype: string}}",
        {"x": TEXTS},
    )
    assert words is None or found["texts"]["vocabulary"] == words
    adapted = keras.layers.TextVectorization(**body)
    adapted.adapt(TEXTS)
    assert found["texts"]["vocabulary"] == [str(w) for w in adapted.get_vocabulary(include_special_tokens=False)]
    given = np.asarray([["the new cat's DOG"], [""], ["sat é"]], object)
    assert np.allclose(agreed(graph, {"x": given}), np.asarray(adapted(given)), rtol=1e-6)


def test_a_shared_lookup_learns_from_all_its_uses(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("""
nnspec: 1
inputs: {a: {axes: {word: 2}, dtype: string}, b: {axes: {word: 3}, dtype: string}}
layers: {words: {StringLookup: {max_tokens: 5, pad_to_max_tokens: true, output_mode: tf_idf}}}
model:
  - share: {use: words, from: a, name: one}
  - share: {use: words, from: b, name: two}
  - Add: {from: [one, two]}
outputs: {y: {task: regression}}
""")
    graph = pipeline.check(tmp_path / "spec.yaml").graph
    x = {"a": np.asarray([["p", "q"], ["p", "r"]], object), "b": np.asarray([["s", "s", "s"], ["r", "p", ""]], object)}
    found = vocabularies.learn(
        graph, Dataset({"train": Split(raw=x, x=x, y={}, target={}, last={}, size=2, rows=np.arange(2))})
    )
    assert found["layers.words"]["vocabulary"] == ["s", "p", "r", "q"]
    holding = np.asarray([1, 3, 2, 1])
    assert np.allclose(found["layers.words"]["idf_weights"], np.log(1 + 4 / (1 + holding)))
    agreed(vocabularies.with_vocabularies(graph, found), x)


def test_every_use_of_a_block_learns_words_of_its_own(tmp_path: Path) -> None:
    model = """  - block: {use: words, from: a, name: first}
  - block: {use: words, from: b, name: second}
  - Embedding: {from: first, input_dim: 4, output_dim: 2, name: one}
  - Embedding: {from: second, input_dim: 4, output_dim: 2, name: two}
  - Concatenate: {from: [one, two], axis: embedding}"""
    (tmp_path / "spec.yaml").write_text(f"""
nnspec: 1
inputs: {{a: {{axes: {{line: 2, word: 2}}, dtype: string}}, b: {{axes: {{line: 2, word: 2}}, dtype: string}}}}
blocks:
  words:
    model:
      - TimeDistributed: {{layer: {{StringLookup: {{max_tokens: 4}}}}}}
model:
{model}
outputs: {{y: {{task: regression}}}}
""")
    graph = pipeline.check(tmp_path / "spec.yaml").graph
    x = {
        "a": np.asarray([[["p", "q"], ["p", "r"]]], object),
        "b": np.asarray([[["s", "s"], ["u", "v"]]], object),
    }
    found = vocabularies.learn(
        graph, Dataset({"train": Split(raw=x, x=x, y={}, target={}, last={}, size=1, rows=np.arange(1))})
    )
    assert [given["vocabulary"] for given in found.values()] == [["p", "r", "q"], ["s", "v", "u"]]
    made = agreed(vocabularies.with_vocabularies(graph, found), x)[0]
    assert np.array_equal(made[0, 0, :2], made[1, 0, :2])  # `p` twice
    assert not np.array_equal(made[0, 0, :2], made[1, 1, :2])
    assert np.array_equal(made[0, 0, 2:], made[0, 1, 2:])  # `s` twice


def test_numbers_that_were_put_into_bins_first(tmp_path: Path) -> None:
    x = {"x": np.asarray([[1.0], [2.0], [3.0], [4.0], [4.5], [4.6]], np.float32)}
    model = "  - Discretization: {bin_boundaries: [1.5, 2.5, 3.5]}\n  - IntegerLookup: {max_tokens: 3, name: codes}"
    graph, found = settled(tmp_path, model, "{x: {axes: {number: 1}}}", x)
    assert found == {"codes": {"vocabulary": [3, 2]}}
    assert agreed(graph, x)[:, 0].tolist() == [0, 0, 2, 1, 1, 1]


# ------------------------------------------------------------------------------------------------- what is refused


def test_a_shared_lookup_does_not_learn_from_itself(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("""
nnspec: 1
inputs: {x: {axes: {number: 2}, dtype: int64}}
layers: {codes: {IntegerLookup: {max_tokens: 5}}}
model:
  - share: {use: codes, name: one}
  - permute: [number]
  - share: {use: codes, name: two}
outputs: {y: {task: regression}}
""")
    found = [d for d in diagnose(tmp_path / "spec.yaml") if d.is_error]
    assert [d.code for d in found] == ["NN352"]
    assert "`two` reads its own output" in found[0].message


def test_words_in_windows(tmp_path: Path) -> None:
    x = {"x": np.asarray([[["a"], ["b"], ["b"]], [["b"], ["b"], ["c"]]], object)}
    model = (
        "  - drop: word\n  - StringLookup: {max_tokens: 3, name: words}\n  - Embedding: {input_dim: 3, output_dim: 2}"
    )
    graph, found = settled(
        tmp_path, model + "\n  - LSTM: {units: 2}", "{x: {axes: {time: 3, word: 1}, dtype: string}}", x
    )
    assert found == {"words": {"vocabulary": ["b", "c"]}}
    agreed(graph, x)


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        ({"invert": True}, "NN407", "reads indices"),
        ({"output_mode": "one_hot"}, "NN350", "would depend on the data"),
        ({"output_mode": "count", "max_tokens": 9}, "NN350", "would depend on the data"),
        ({"pad_to_max_tokens": True}, "NN208", "needs `max_tokens`"),
        ({"max_tokens": 2, "mask_token": ""}, "NN206", "leaves no index for a word"),
        (
            {"output_mode": "tf_idf", "max_tokens": 3, "pad_to_max_tokens": True, "idf_weights": [1]},
            "NN208",
            "requires `vocabulary`",
        ),
    ],
)
def test_refused_at_check(body: dict[str, Any], code: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        settled(tmp_path, f"  - StringLookup: {json.dumps(body)}", STRING, {"x": WORDS})
    assert [(d.code, words in d.message) for d in caught.value.diagnostics] == [(code, True)]


def test_rows_without_a_word(tmp_path: Path) -> None:
    empty = np.asarray([["", "[UNK]", ""]], object)
    with pytest.raises(SpecError, match="NN352"):
        settled(tmp_path, '  - StringLookup: {mask_token: ""}', STRING, {"x": empty})
    model = "  - TextVectorization: {output_sequence_length: 3}"
    with pytest.raises(SpecError, match="NN352"):
        settled(tmp_path, model, "{x: {axes: {text: 1}, dtype: string}}", {"x": empty[:, :1]})


def test_indices_are_counted_through_what_only_moves_them(tmp_path: Path) -> None:
    for lookup, count in [("StringLookup: {vocabulary: [a, b]", 3), ("Hashing: {num_bins: 5", 5)]:
        model = f"  - {lookup}, name: words}}\n  - insert: {{line: 1}}\n  - Flatten\n"
        model += f"  - Embedding: {{input_dim: {count - 1}, output_dim: 2}}"
        (tmp_path / "spec.yaml").write_text(
            f"nnspec: 1\ninputs: {STRING}\nmodel:\n{model}\noutputs: {{y: {{task: regression}}}}\n"
        )
        assert "NN351" in {d.code for d in diagnose(tmp_path / "spec.yaml")}
        text = (tmp_path / "spec.yaml").read_text().replace(f"input_dim: {count - 1}", f"input_dim: {count}")
        (tmp_path / "spec.yaml").write_text(text)
        assert "NN351" not in {d.code for d in diagnose(tmp_path / "spec.yaml")}
