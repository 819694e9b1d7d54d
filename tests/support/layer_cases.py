"""One harness for every layer: from a case (a body, input axes, a NumPy oracle, the ONNX ops) to all that must hold.

Inferred axes, dtypes and weights equal Keras'; Keras equals an independent NumPy computation; the ONNX graph has
exactly the stated structure; ONNX Runtime equals Keras at batch 1 and 3 and at two lengths of every symbolic axis; one
training step would move the trainable weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from keras.src.backend import get_keras_mask

from nnspec import pipeline
from nnspec.backends.keras.model import Compiled, as_model_inputs, build_model, predict, read_weights
from nnspec.backends.onnx.export import Exported, export_graph
from nnspec.ir.graph import Graph, Node

TRAINED_ON = (3, 6)  # batch and length of the training step
FORBIDDEN = {"Loop", "If", "Scan", "Shape", "Size", "NonZero", "ConstantOfShape"}
Arrays = Sequence[np.ndarray]


@dataclass(frozen=True)
class Case:
    """A layer at work.

    Attributes:
        kind: the layer's key.
        body: its arguments as in a spec; None for the bare word.
        inputs: axes of each input, a size or a symbol each.
        output: axes of the (first) output; names and sizes, symbols as text.
        oracle: (weights by name, input arrays) -> the first output, or a list of all outputs, by NumPy alone.
        ops: the ONNX nodes in order.
        before: layer items between the inputs and the layer, such as a Masking (one input only).
        after: layer items behind the layer.
        dtypes: of each input, where they differ.
        make: (rng, shape) -> an input array; default: normal values.
        needs: ops that are allowed although they are dear (`Shape`), with the reason in the case's id.
        moves: whether a training step must move the weights.
        still: ends of the paths of weights that need not move: in theory the loss does not depend on them.
        opset: of the exported graph.
    """

    kind: str
    body: Any
    inputs: Sequence[dict[str, int | str]]
    output: dict[str, int | str]
    oracle: Callable[..., Any] | None
    ops: Sequence[str] | None
    id: str = ""
    before: Sequence[Any] = ()
    after: Sequence[Any] = ()
    make: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray] | None = None
    dtype: str = "float32"
    dtypes: Sequence[str] = ()
    needs: frozenset[str] = frozenset()
    tolerance: float = 2e-5
    moves: bool = True
    still: tuple[str, ...] = ()
    opset: int = 18
    task: str = "regression"

    @property
    def label(self) -> str:
        return f"{self.kind}-{self.id}" if self.id else self.kind


@dataclass
class Ran:
    """What a case gave, for further assertions."""

    graph: Graph
    compiled: Compiled
    exported: Exported
    model: onnx.ModelProto
    node: Node
    weights: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)


def spec_of(case: Case) -> dict[str, Any]:
    """The document of a case: inputs, the items before, the layer, one output."""
    names = [f"x{i}" for i in range(len(case.inputs))]
    body = case.body
    item: Any = case.kind if body is None else {case.kind: body}
    if len(names) > 1:
        item = {case.kind: {"from": names, **(body or {})}}
    dtypes = case.dtypes or [case.dtype] * len(names)
    return {
        "nnspec": 1,
        "name": "case",
        "inputs": {n: {"axes": dict(a), "dtype": d} for n, a, d in zip(names, case.inputs, dtypes, strict=True)},
        "model": [*case.before, item, *case.after],
        "outputs": {"y": {"task": case.task}},
    }


def checked(case: Case, folder: Path) -> pipeline.Checked:
    path = folder / "case.yaml"
    path.write_text(json.dumps(spec_of(case)), encoding="utf-8")
    return pipeline.check(path)


def randomize(model: Any, seed: int = 7) -> None:
    """Weights that no symmetry can hide: normal values, and positive ones where variances are wanted."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed" in variable.path:
            continue
        values = rng.normal(0.0, 0.4, size=variable.shape)
        if "variance" in variable.path:
            values = np.abs(values) + 0.5
        variable.assign(values)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):  # Normalization keeps constants that it makes from its weights
            layer.finalize_state()


def arrays_for(case: Case, graph: Graph, batch: int, length: int) -> dict[str, np.ndarray]:
    """Random inputs; every symbol takes `length`."""
    rng = np.random.default_rng(1000 * batch + length)
    result = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(axis.size if isinstance(axis.size, int) else length for axis in value.axes))
        made = case.make(rng, shape) if case.make else rng.normal(size=shape)
        result[name] = made.astype(object if value.dtype == "string" else value.dtype)
    return result


def relative_error(got: np.ndarray, want: np.ndarray) -> float:
    """Largest absolute difference over the largest magnitude (at least 1)."""
    assert got.shape == want.shape, f"shape {got.shape}, not {want.shape}"
    if not got.size:
        return 0.0
    if want.dtype.kind in "OU":
        return 0.0 if np.array_equal(got.astype(str), want.astype(str)) else float("inf")
    scale = max(1.0, float(np.max(np.abs(want))))
    return float(np.max(np.abs(got.astype(np.float64) - want.astype(np.float64)))) / scale


def is_ill_conditioned(model: Any, graph: Graph, values: dict[str, np.ndarray], name: str, error: float) -> bool:
    """Whether rounding explains an error: a change of the inputs by a few units in the last place does as much."""
    rng = np.random.default_rng(0)
    by_keras = predict(model, graph, values)[name]
    worst = 0.0
    for _ in range(4):
        moved = {
            n: a if a.dtype.kind == "i" else (a * (1 + 3e-7 * rng.choice([-1, 1], size=a.shape))).astype(a.dtype)
            for n, a in values.items()
        }
        worst = max(worst, relative_error(predict(model, graph, moved)[name], by_keras))
    return error < 30 * worst


def run_case(case: Case, folder: Path, *, is_trained: bool, is_traced: bool) -> Ran:
    """Everything that must hold of a case.

    Args:
        is_trained: whether it takes a training step.
        is_traced: whether the gradients of a training step are traced to a TensorFlow graph, as in training, which
            takes half of a case's time; otherwise they are taken operation by operation.
    """
    result = checked(case, folder)
    graph = result.graph
    node = next(n for n in reversed(graph.nodes) if n.kind == case.kind)
    got_axes = {axis.name: axis.size if isinstance(axis.size, int) else str(axis.size) for axis in node.outputs[0].axes}
    assert list(got_axes.items()) == list(case.output.items())

    keras.utils.set_random_seed(3)
    compiled = build_model(graph)
    assert_masks_are_those_of_the_graph(graph, compiled)
    randomize(compiled.model)
    assert sum(int(np.prod(w.shape)) for w in compiled.model.weights if "seed" not in w.path) == graph.parameters
    assert sum(int(np.prod(w.shape)) for w in compiled.model.trainable_weights) == graph.trainable_parameters
    weights = {n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}

    exported = export_graph(graph, weights, opset=case.opset)
    model = exported.builder.to_model({}, "test")
    onnx.checker.check_model(model, full_check=True)
    ops = [n.op_type for n in model.graph.node]
    if case.ops is not None:
        assert ops == list(case.ops)
    assert not (FORBIDDEN - case.needs) & set(ops)
    assert all(all(node.output) for node in model.graph.node), "an output without a name"
    assert set(exported.lowered_by.values()) == {"nnspec"}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    symbolic = any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)
    for batch, length in [TRAINED_ON, (1, 9), (1, 4)] if symbolic else [(1, 6), TRAINED_ON]:
        arrays = arrays_for(case, graph, batch, length)
        by_keras = predict(compiled.model, graph, arrays)["y"]
        by_onnx = session.run(None, arrays)[0]
        assert by_onnx.dtype == by_keras.dtype
        assert relative_error(by_onnx, by_keras) < case.tolerance, (
            f"ONNX Runtime differs at batch {batch}, length {length}"
        )
        if case.oracle is not None:
            by_numpy = case.oracle(weights.get(node.owner, {}), list(arrays.values()))
            expected = by_numpy[0] if isinstance(by_numpy, list) else by_numpy
            assert relative_error(by_keras, expected) < case.tolerance, f"Keras differs from NumPy at batch {batch}"
        if (batch, length) == TRAINED_ON:
            inputs, target = as_model_inputs(graph, arrays), by_keras
    if is_trained and not any(output.value.dtype == "string" for output in graph.outputs.values()):  # words: no loss
        moved = _gradients(case, compiled.model, inputs, target + 1.0, is_traced=is_traced)
        _assert_trains(case, compiled.model, moved)
    return Ran(graph, compiled, exported, model, node, weights)


def assert_masks_are_those_of_the_graph(graph: Graph, compiled: Compiled) -> None:
    """Keras hands a mask on where the graph says so, and nowhere else: a layer behind may fail, or leave data out."""
    for node in graph.nodes:
        for value in node.outputs:
            name = node.name if value.port == "output" else f"{node.name}.{value.port}"
            has_mask = get_keras_mask(compiled.tensors[name]) is not None
            assert has_mask == (value.mask is not None), f"`{name}`: Keras {'has' if has_mask else 'lost'} a mask"


def _gradients(case: Case, model: Any, inputs: Any, target: np.ndarray, *, is_traced: bool) -> list[bool]:
    """Which trainable weights a step of gradient descent would move, to where numbers are finite."""
    import tensorflow as tf  # which readers of the cases may be without

    weights = [w.value for w in model.trainable_weights]

    def differentiate() -> tuple[Any, list[Any]]:
        with tf.GradientTape() as tape:
            errors = tf.cast(model(inputs, training=True), tf.float32) - target.astype(np.float32)
            loss = tf.add_n([tf.reduce_mean(tf.square(errors)), *model.losses])
        found = tape.gradient(loss, weights)
        return loss, [None if gradient is None else tf.convert_to_tensor(gradient) for gradient in found]

    loss, found = (tf.function(differentiate) if is_traced else differentiate)()
    assert np.isfinite(loss)
    gradients = [0.0 if gradient is None else np.asarray(gradient) for gradient in found]
    return [bool(np.isfinite(g).all() and np.any(g)) for g in gradients]


def _assert_trains(case: Case, model: Any, moved: list[bool]) -> None:
    if case.moves:
        still = [w.path for w, m in zip(model.trainable_weights, moved, strict=True) if not m]
        still = [path for path in still if not path.endswith(case.still)] if case.still else still
        assert not still, f"weights that did not move: {still}"
