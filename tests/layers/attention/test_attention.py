"""Attention among other layers: masks that several read, scores, shared weights, wrappers, how far outputs see."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import as_model_inputs, build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.ir.graph import Graph
from tests.support.layer_cases import FORBIDDEN, randomize, relative_error
from tests.support.oracles.attention import attention

MHA = {"num_heads": 2, "key_dim": 3}
IDS = {"x": {"axes": {"token": 7}, "dtype": "int32"}}
WORDS = {"Embedding": {"input_dim": 9, "output_dim": 4, "mask_zero": True, "name": "words"}}
X = {"x": {"axes": {"time": 7, "feature": 4}}}
GROUPS = {"head_dim": 3, "num_query_heads": 2, "num_key_value_heads": 1}
MASK = {"m": {"axes": {"row": 7, "column": 7}, "dtype": "bool"}}
REGRESSION = {"task": "regression"}


def graph_of(folder: Path, inputs: Any, model: list[Any], outputs: dict[str, Any] | None = None, **more: Any) -> Graph:
    path = folder / "spec.yaml"
    found = {name: {**REGRESSION, "from": source} for name, source in (outputs or {}).items()}
    document = {"nnspec": 1, "inputs": inputs, "model": model, "outputs": found or {"y": REGRESSION}, **more}
    path.write_text(json.dumps(document), encoding="utf-8")
    return pipeline.check(path).graph


def verify(graph: Graph, arrays: dict[str, np.ndarray], needs: set[str] | None = None) -> dict[str, Any]:
    """ONNX Runtime against Keras; what both gave, and the weights by node."""
    keras.utils.set_random_seed(5)
    compiled = build_model(graph)
    randomize(compiled.model)
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    made = export_graph(graph, weights).builder.to_model({}, "test")
    onnx.checker.check_model(made, full_check=True)
    ops = {node.op_type for node in made.graph.node}
    assert not (FORBIDDEN - (needs or set())) & ops
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    results = predict(compiled.model, graph, arrays)
    for port, got in zip(session.get_outputs(), session.run(None, arrays), strict=True):
        assert relative_error(got, results[port.name]) < 2e-5, port.name
    return {**results, "weights": weights, "ops": [node.op_type for node in made.graph.node], "model": made}


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


TOKENS = np.array([[3, 1, 4, 1, 5, 0, 0], [2, 0, 6, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7]], np.int32)


def test_second_attention_sees_the_same_padding(tmp_path: Path) -> None:
    """Keras' own takes the mask away from what it read; here the second layer still finds it."""
    model = [
        WORDS,
        {"MultiHeadAttention": {**MHA, "name": "a"}},
        {"MultiHeadAttention": {**MHA, "from": "words", "name": "b"}},
    ]
    graph = graph_of(tmp_path, IDS, model, {"first": "a", "second": "b"})
    found = verify(graph, {"x": TOKENS})
    vectors = found["weights"]["words"]["embeddings"][TOKENS]
    held = TOKENS != 0
    for name, output in (("a", "first"), ("b", "second")):
        wanted = attention(found["weights"][name], vectors, mask=held[:, :, None] & held[:, None, :])[0]
        assert relative_error(found[output], wanted) < 2e-5
    assert found["ops"].count("And") == 1  # one mask for both


def test_encoder_block_passes_its_mask_on(tmp_path: Path) -> None:
    """Pre-norm transformer blocks over padded tokens, then a mean over what is data."""
    block = {
        "model": [
            {"LayerNormalization": {"name": "n"}},
            {"MultiHeadAttention": {**MHA, "name": "att", "from": "n"}},
            {"Add": {"from": ["input", "att"], "name": "sum"}},
            {"Dense": {"units": 8, "activation": "relu"}},
            {"Dense": {"units": 4, "name": "out"}},
            {"Add": {"from": ["sum", "out"]}},
        ]
    }
    model = [WORDS, {"repeat": {"times": 2, "model": [{"block": "encoder"}]}}, "GlobalAveragePooling1D"]
    graph = graph_of(tmp_path, IDS, model, blocks={"encoder": block})
    shorter = np.concatenate([TOKENS[:, :5], np.zeros((3, 2), np.int32)], axis=1)
    found = verify(graph, {"x": shorter})
    other = shorter.copy()
    other[:, 5:] = 0
    assert relative_error(verify(graph, {"x": other})["y"], found["y"]) == 0
    assert found["ops"].count("And") == 1


def test_scores_between_two_lengths(tmp_path: Path) -> None:
    """Keras' own says that the scores are as long as the query both ways."""
    inputs = {**X, "z": {"axes": {"step": 3, "word": 5}}}
    body = {**MHA, "from": ["x", "z"], "return_attention_scores": True, "name": "att"}
    model = [{"MultiHeadAttention": body}, {"Dense": {"units": 2, "from": "att.scores", "name": "read"}}]
    graph = graph_of(tmp_path, inputs, model, {"y": "att", "s": "att.scores", "r": "read"})
    assert [(a.name, a.size) for a in graph.outputs["s"].value.axes] == [("head", 2), ("time", 7), ("step", 3)]
    x, z = normal(2, 7, 4), normal(2, 3, 5)
    found = verify(graph, {"x": x, "z": z})
    y, scores = attention(found["weights"]["att"], x, z)
    assert relative_error(found["y"], y) < 2e-5
    assert relative_error(found["s"], scores) < 2e-5


@pytest.mark.parametrize(
    ("kind", "body", "attended"),
    [
        ("MultiHeadAttention", {**MHA, "use_causal_mask": True}, {}),
        ("MultiHeadAttention", {**MHA, "attention_mask": "m"}, MASK),
        ("GroupQueryAttention", {**GROUPS, "use_causal_mask": True}, {}),
        ("Attention", {"use_causal_mask": True, "use_scale": True}, {}),
    ],
)
def test_scores_can_be_trained(kind: str, body: Any, attended: Any, tmp_path: Path) -> None:
    """Keras' scores carry what hides them as if it were a mask of the targets, for which it is too long."""
    model = [{kind: {**body, "from": "x", "return_attention_scores": True, "name": "att"}}]
    graph = graph_of(tmp_path, {**X, **attended}, model, {"y": "att", "s": "att.scores"})
    made = build_model(graph).model
    arrays = {"x": normal(3, 7, 4), "m": np.tri(7)[None].repeat(3, 0).astype(bool)}
    arrays = {name: arrays[name] for name in graph.inputs}
    targets = {name: value + 1 for name, value in predict(made, graph, arrays).items()}
    made.compile(loss="mse", optimizer="sgd")
    loss, *each = made.train_on_batch(as_model_inputs(graph, arrays), targets)
    assert [loss, *each] == pytest.approx([2.0, 1.0, 1.0])  # every value is off by 1


@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention"])
def test_scores_without_heads(kind: str, tmp_path: Path) -> None:
    model = [{kind: {"return_attention_scores": True, "use_causal_mask": True, "name": "att"}}]
    graph = graph_of(tmp_path, X, model, {"y": "att", "s": "att.scores"})
    assert [a.name for a in graph.outputs["s"].value.axes] == ["time", "attended_time"]
    x = normal(2, 7, 4)
    found = verify(graph, {"x": x})
    assert relative_error(found["y"], found["s"] @ x) < 2e-5
    assert not np.triu(found["s"][0], 1).any()


def test_words_back_and_forth_share_one_table(tmp_path: Path) -> None:
    layers = {"words": {"ReversibleEmbedding": {"input_dim": 9, "output_dim": 4}}}
    model = [
        {"share": {"use": "words", "as": "vector"}},
        {"MultiHeadAttention": {**MHA, "use_causal_mask": True}},
        {"share": {"use": "words", "reverse": True, "as": "word"}},
    ]
    graph = graph_of(tmp_path, IDS, model, layers=layers)
    assert [a.name for a in graph.outputs["y"].value.axes] == ["token", "word"]
    found = verify(graph, {"x": TOKENS})
    assert sum(list(i.dims) == [9, 4] for i in found["model"].graph.initializer) == 1


@pytest.mark.parametrize("kind", ["MultiHeadAttention", "GroupQueryAttention"])
def test_over_rows_of_unknown_number(kind: str, tmp_path: Path) -> None:
    body = MHA if kind == "MultiHeadAttention" else {"num_query_heads": 4, "num_key_value_heads": 2, "head_dim": 3}
    inputs = {"x": {"axes": {"row": "R", "time": "T", "feature": 4}}}
    model = [{"TimeDistributed": {"over": "row", "layer": {kind: {**body, "use_causal_mask": True}}}}]
    graph = graph_of(tmp_path, inputs, model)
    for shape in ((2, 3, 5, 4), (1, 2, 6, 4)):
        x = normal(*shape)
        found = verify(graph, {"x": x}, {"Shape"})
        rows = [attention(next(iter(found["weights"].values())), x[:, i], causal=True)[0] for i in range(shape[1])]
        assert relative_error(found["y"], np.stack(rows, axis=1)) < 2e-5


@pytest.mark.parametrize("is_first", [True, False])
def test_reads_channels_first_memory(is_first: bool, tmp_path: Path) -> None:
    """Behind a convolution, memory has the channels before the steps: rows of the kernel move, not the data."""
    conv = {"Conv1D": {"filters": 4, "kernel_size": 3, "padding": "same"}}
    verbs = [] if is_first else [{"split": {"filter": {"a": 2, "b": 2}}}, {"permute": ["time", "b", "a"]}]
    verbs += [] if is_first else [{"merge": {"both": ["b", "a"]}}]
    graph = graph_of(tmp_path, X, [conv, *verbs, {"MultiHeadAttention": MHA}])
    verify(graph, {"x": normal(2, 7, 4)})


def test_how_far_outputs_see(tmp_path: Path) -> None:
    def field(body: dict[str, Any], name: str = "time", inputs: Any = X) -> tuple[Any, Any]:
        graph = graph_of(tmp_path, inputs, [{"MultiHeadAttention": {**MHA, **body}}])
        found = graph.outputs["y"].value.fields[name]
        return found.size, found.ahead

    two = {**X, "z": {"axes": {"step": 3, "word": 5}}}
    assert field({}) == (7, None)
    assert field({"use_causal_mask": True}) == (7, 0)
    assert field({"sliding_window": 2}) == (3, 1)
    assert field({"sliding_window": 2, "use_causal_mask": True}) == (2, 0)
    assert field({"from": ["x", "z"]}, inputs=two) == (1, 0)
    assert field({"from": ["x", "z"]}, "step", inputs=two)[0] == 3


@pytest.mark.parametrize("body", [{"use_causal_mask": True}, {"sliding_window": 2}, {}], ids=str)
def test_gradients_stay_in_the_field(body: dict[str, Any], tmp_path: Path) -> None:
    import tensorflow as tf

    graph = graph_of(tmp_path, X, [{"MultiHeadAttention": {**MHA, **body}}])
    field = graph.outputs["y"].value.fields["time"]
    compiled = build_model(graph)
    randomize(compiled.model)
    x = tf.constant(normal(1, 7, 4))
    with tf.GradientTape() as tape:
        tape.watch(x)
        made = tf.reduce_sum(compiled.model(x)[0, 3])
    reached = np.flatnonzero(np.abs(tape.gradient(made, x)[0]).sum(-1))
    ahead = 6 if field.ahead is None else field.ahead
    assert reached.max() <= 3 + ahead
    assert field.ahead is None or reached.min() >= 3 + field.ahead - field.size + 1
    assert reached.max() == min(6, 3 + ahead)
