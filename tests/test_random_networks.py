"""Random networks of all layer kinds: what the checker lets pass, Keras builds as inferred and ONNX computes alike."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from nnspec import catalogue, pipeline
from nnspec.backends.keras import build_model, predict, read_weights
from nnspec.backends.onnx.export import export_graph
from nnspec.diagnostics import SpecError
from nnspec.graph import Graph, Value
from nnspec.layers import REGISTRY
from tests.layers.harness import FORBIDDEN, is_ill_conditioned, randomize, relative_error

pytestmark = [
    # Keras says for itself what NN319 says: a layer that knows no masks loses one.
    pytest.mark.filterwarnings("ignore:[\\s\\S]*destroy the mask:UserWarning"),
    # Attention over one step is 1, whatever it reads; networks drawn at random do that too.
    pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning"),
]

Rng = np.random.Generator
Item = dict[str, Any]
Shape = list[tuple[str, int | str]]

ACTIVATIONS = catalogue.names("activations")
GATES = ["tanh", "sigmoid", "relu", "hard_sigmoid", "softsign", "elu", "linear", None]
NEVER = {"Loop", "If", "Scan"}
TOLERANCE = 1e-4


def one_of(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def flag(rng: Rng, probability: float = 0.5) -> bool:
    return bool(rng.random() < probability)


def count(rng: Rng, low: int, high: int) -> int:
    """From `low` to `high`, both included."""
    return int(rng.integers(low, high + 1))


def some(rng: Rng, body: Item, **choices: Sequence[Any]) -> Item:
    """The body with about half of the arguments, each by one of its values."""
    return {**body, **{name: one_of(rng, values) for name, values in choices.items() if flag(rng)}}


def axis_of(rng: Rng, shape: Shape) -> Any:
    """An axis by name or by Keras' index, counted from either end."""
    i = int(rng.integers(len(shape)))
    return one_of(rng, [shape[i][0], i + 1, i - len(shape)])


def axes_of(rng: Rng, shape: Shape) -> Any:
    if flag(rng):
        return axis_of(rng, shape)
    places = sorted(rng.permutation(len(shape))[: count(rng, 1, len(shape))].tolist())
    return [one_of(rng, [shape[i][0], i + 1]) for i in places]


def activation(rng: Rng) -> Any:
    return None if flag(rng, 0.4) else one_of(rng, ACTIVATIONS)


def each(rng: Rng, rank: int, low: int, high: int) -> Any:
    """A number, or one for each axis that the layer runs along."""
    return count(rng, low, high) if flag(rng) else [count(rng, low, high) for _ in range(rank)]


def convolution(rng: Rng, kind: str, shape: Shape, rank: int) -> Item:
    body: Item = {"kernel_size": each(rng, rank, 1, 3)}
    if flag(rng, 0.3):
        body["strides"] = count(rng, 1, 3)
    elif flag(rng, 0.4):
        body["dilation_rate"] = each(rng, rank, 1, 3)
    paddings = ["valid", "same", "same", *(["causal"] if kind == "Conv1D" else [])]
    some_body = some(rng, body, padding=paddings, use_bias=[True, False])
    body = {**some_body, "activation": activation(rng)}
    body |= data_format(rng)
    if kind.endswith("Transpose"):
        return some(rng, {**body, "filters": count(rng, 1, 6)}, output_padding=[0, 1, None])
    if not kind.startswith("Depthwise"):
        body["filters"] = count(rng, 1, 6)
    if kind.startswith(("Depthwise", "Separable")):
        body |= some(rng, {}, depth_multiplier=[1, 2, 3])
    elif flag(rng, 0.3):
        channels = shape[0 if body.get("data_format") == "channels_first" else -1][1]
        if isinstance(channels, int):
            body["groups"] = one_of(rng, [g for g in range(1, channels + 1) if channels % g == 0])
            body["filters"] = body["groups"] * count(rng, 1, 3)
    return body


def data_format(rng: Rng) -> Item:
    return {"data_format": "channels_first"} if flag(rng, 0.25) else some(rng, {}, data_format=["channels_last", None])


def recurrent(rng: Rng, kind: str) -> Item:
    body = some(
        rng,
        {"units": count(rng, 1, 5)},
        activation=GATES,
        use_bias=[True, False],
        return_sequences=[True, True, False],
        go_backwards=[True, False],
        unroll=[False],
    )
    if kind != "SimpleRNN" and flag(rng, 0.3):
        body["recurrent_activation"] = one_of(rng, ["sigmoid", "hard_sigmoid", "tanh", "relu"])
    if kind == "GRU":
        body |= some(rng, {}, reset_after=[True, False])
    return body


def over(rng: Rng, shape: Shape, body: Item, rank: int) -> Item:
    """Says which axes the layer runs along, most of the time."""
    if not flag(rng, 0.85):
        return body
    first = 1 if body.get("data_format") == "channels_first" else 0
    names = [name for name, _ in shape[first : first + rank]] or ["none"]
    return {**body, "over": names[0] if rank == 1 else names}


def rank_of(kind: str) -> int | None:
    found = re.search(r"(\d)D(Transpose)?$", kind)
    return int(found.group(1)) if found else None


def item(rng: Rng, kind: str, shape: Shape) -> Item:
    """A body for the layer that reads one tensor of this shape; it need not be legal."""
    shape = shape or [("none", 1)]
    rank = rank_of(kind) or 1
    if "Conv" in kind:
        return over(rng, shape, convolution(rng, kind, shape, rank), rank)
    if kind.startswith("Global"):
        return over(rng, shape, some(rng, data_format(rng), keepdims=[True, False]), rank)
    if kind.startswith("Adaptive"):
        return over(rng, shape, {"output_size": each(rng, rank, 1, 5)} | data_format(rng), rank)
    if "Pooling" in kind:
        body = some(rng, {"pool_size": each(rng, rank, 1, 3)}, strides=[1, 2, 3, None], padding=["valid", "same"])
        return over(rng, shape, body | data_format(rng), rank)
    if kind.startswith(("ZeroPadding", "Cropping")):
        pair = [count(rng, 0, 2), count(rng, 0, 2)]
        value: Any = one_of(rng, [1, pair]) if rank == 1 else one_of(rng, [1, pair, [pair, [0, 1]]])
        return {kind[:-2].removeprefix("Zero").lower(): value} | (data_format(rng) if rank > 1 else {})
    if kind.startswith("UpSampling"):
        body = {"size": count(rng, 1, 3) if rank == 1 else each(rng, rank, 1, 3)}
        methods = ["nearest", "bilinear", "bicubic", "lanczos3", "lanczos5"]
        body |= data_format(rng) if rank > 1 else {}
        return over(rng, shape, some(rng, body, interpolation=methods) if rank == 2 else body, rank)
    if kind in ("LSTM", "GRU", "SimpleRNN"):
        return over(rng, shape, recurrent(rng, kind), 1)
    if kind == "Bidirectional":
        inner = one_of(rng, ["LSTM", "GRU", "SimpleRNN"])
        body = {"layer": {inner: recurrent(rng, inner)}}
        if flag(rng, 0.15):
            other = one_of(rng, ["LSTM", "GRU", "SimpleRNN"])
            same = {k: v for k, v in body["layer"][inner].items() if k in ("units", "return_sequences")}
            body["backward_layer"] = {other: {**recurrent(rng, other), **same, "go_backwards": True}}
            body["layer"][inner]["go_backwards"] = False
        return over(rng, shape, some(rng, body, merge_mode=["sum", "mul", "concat", "ave"]), 1)
    if kind == "TimeDistributed":
        fitting = [k for k in REGISTRY if (rank_of(k) or 1) < len(shape) - (rank_of(k) is not None)]
        inner = one_of(rng, [k for k in fitting if REGISTRY[k].arity[0] == 1] or ["Dense"])
        return over(rng, shape, {"layer": {inner: item(rng, inner, shape[1:])}}, 1)
    if kind == "Masking":
        return over(rng, shape, some(rng, {}, mask_value=[0.0, 1.0]), 1)
    if kind == "Dense":
        return some(rng, {"units": count(rng, 1, 6), "activation": activation(rng)}, use_bias=[True, False])
    if kind == "BatchNormalization":
        return some(rng, {"axis": axis_of(rng, shape)}, center=[True, False], scale=[True, False])
    if kind == "GroupNormalization":
        body = some(rng, {"groups": one_of(rng, [1, 1, 2, 3, -1])}, center=[True, False], scale=[True, False])
        return body | ({"axis": axis_of(rng, shape)} if flag(rng) else {})
    if kind == "Normalization":
        if flag(rng):
            return {"axis": None, "mean": 0.5, "variance": 2.0, "invert": flag(rng)}
        return some(rng, {"axis": axes_of(rng, shape)}, invert=[True, False])
    if kind.endswith("Normalization") or kind == "Softmax":
        return {"axis": axes_of(rng, shape)} if flag(rng, 0.7) else {}
    if kind == "PReLU":
        return {"shared_axes": axes_of(rng, shape)} if flag(rng, 0.7) else {}
    if kind == "Activation":
        return {"activation": one_of(rng, ACTIVATIONS)}
    if kind == "ReLU":
        return some(rng, {}, max_value=[None, 1.5], negative_slope=[0.0, 0.2], threshold=[0.0, 0.3])
    if kind in ("LeakyReLU", "ELU"):
        return some(rng, {}, **{"negative_slope" if kind == "LeakyReLU" else "alpha": [0.1, 0.7, 1.0]})
    if "Dropout" in kind:
        return {"rate": 0.3}
    if kind == "GaussianNoise":
        return {"stddev": 0.2}
    if kind == "Embedding":
        return some(rng, {"input_dim": 12, "output_dim": count(rng, 1, 5)}, mask_zero=[True, False])
    if kind == "STFTSpectrogram":
        body = {"frame_length": count(rng, 2, 5), "mode": one_of(rng, ["magnitude", "psd", "real", "imag", "stft"])}
        return some(rng, body, frame_step=[1, 2, None], padding=["valid", "same"], expand_dims=[True, False])
    if kind == "RepeatVector":
        return {"n": count(rng, 1, 4)}
    if kind == "Flatten":
        return data_format(rng)
    if kind == "Reshape":
        return {"target_shape": reshaped(rng, shape)}
    return verb(rng, kind, shape)


def reshaped(rng: Rng, shape: Shape) -> list[int]:
    """Sizes of neighbours multiplied, sizes divided, and unit sizes put in."""
    sizes = [size if isinstance(size, int) else -1 for _, size in shape]
    if len(sizes) > 1 and flag(rng) and -1 not in sizes:
        i = count(rng, 0, len(sizes) - 2)
        sizes[i : i + 2] = [sizes[i] * sizes[i + 1]]
    i = int(rng.integers(len(sizes)))
    parts = [d for d in range(1, max(sizes[i], 1) + 1) if sizes[i] % d == 0]
    if sizes[i] > 0:
        part = one_of(rng, parts)
        sizes[i : i + 1] = [part, sizes[i] // part]
    return sizes


def verb(rng: Rng, kind: str, shape: Shape) -> Item:
    names = [name for name, _ in shape]
    shuffled = [names[i] for i in rng.permutation(len(names))]
    fresh = f"axis{count(rng, 0, 99)}"
    if kind == "permute":
        return {"order": shuffled}
    if kind == "Permute":
        return {"dims": [one_of(rng, [name, names.index(name) + 1]) for name in shuffled]}
    if kind == "merge":
        start = count(rng, 0, max(0, len(names) - 2))
        return {fresh: names[start : start + count(rng, 2, 3)]}
    if kind == "split":
        name, size = one_of(rng, shape)
        parts = [d for d in range(1, size + 1) if size % d == 0] if isinstance(size, int) else [1, 2]
        part = one_of(rng, parts)
        return {name: {f"{fresh}a": size // part if isinstance(size, int) else None, f"{fresh}b": part}}
    if kind == "insert":
        return {fresh: 1}
    if kind == "drop":
        return {"axis": one_of(rng, [name for name, size in shape if size == 1] or names)}
    if kind == "rename":
        return {one_of(rng, names): fresh}
    return {}


# ------------------------------------------------------------------------------------------------ networks

UNARY = [kind for kind in REGISTRY if REGISTRY[kind].arity[0] == 1]
JOINS = [kind for kind in REGISTRY if REGISTRY[kind].arity[0] == 2]
KEEPING = ["Dense", "Activation", "BatchNormalization", "Conv1D", "LayerNormalization", "PReLU", "ELU", "Conv2D", "GRU"]
INPUTS: list[dict[str, int | str]] = [
    {"time": 7, "feature": 3},
    {"time": 12, "feature": 4},
    {"time": "T", "feature": 5},
    {"time": "T", "feature": 1},
    {"feature": 6},
    {"height": 6, "width": 5, "channel": 2},
    {"height": 6, "width": 1, "channel": 4},
    {"time": 8, "row": 5, "channel": 3},
    {"time": "T", "row": 4, "channel": 3},
    {"part": 2, "time": 7, "channel": 3},
    {"part": "P", "time": 6, "channel": 2},
    {"frame": 2, "height": 5, "width": 4, "channel": 3},
    {"frame": 3, "part": 2, "time": "T", "channel": 2},
    {"depth": 4, "height": 5, "width": 3, "channel": 2},
    {"depth": "D", "height": 3, "width": 4, "channel": 2},
]


def checked(spec: Item, folder: Path) -> pipeline.Checked | None:
    """The checked spec, or None where the checker has something against it."""
    path = folder / "network.yaml"
    path.write_text(json.dumps(spec), encoding="utf-8")
    try:
        return pipeline.check(path)
    except SpecError:
        return None


def shape_of(value: Value) -> Shape:
    return [(axis.name, axis.size if isinstance(axis.size, int) else str(axis.size)) for axis in value.axes]


def weight_of(kind: str, shape: Shape) -> float:
    """How often a kind is tried on a tensor of this shape."""
    rank = rank_of(kind)
    if kind == "TimeDistributed":
        return 4.0 if len(shape) > 2 else 0.5
    if kind in ("Conv1D", "Conv2D", "LSTM", "GRU", "Bidirectional", "Masking", "Dense", "BatchNormalization"):
        return 3.0 if rank is None or len(shape) == rank + 1 else 0.0
    if rank is not None:
        return 1.0 if len(shape) == rank + 1 else 0.0
    return 0.5 if "Dropout" in kind or kind in ("Identity", "GaussianNoise", "ActivityRegularization") else 1.0


def join(rng: Rng, values: dict[str, Value], head: str) -> Item | None:
    """A layer that joins the last tensor with another one."""
    axes = values[head].axes
    kind = one_of(rng, JOINS)
    others = [n for n, v in values.items() if n != head and len(v.axes) == len(axes) and v.dtype == values[head].dtype]
    if kind not in ("Concatenate", "Dot"):
        others = [n for n in others if [a.size for a in values[n].axes] == [a.size for a in axes]]
    if not others:
        return None
    names = [head, one_of(rng, others)]
    if flag(rng):
        names.reverse()
    shape = shape_of(values[head])
    if kind == "Concatenate":
        return {kind: {"from": names, "axis": axis_of(rng, shape)}}
    if kind == "Dot":
        return {kind: {"from": names, "axes": axis_of(rng, shape), "normalize": flag(rng)}}
    return {kind: {"from": names}}


def network(rng: Rng, folder: Path) -> pipeline.Checked:
    """A legal network, grown layer by layer: what the checker refuses is tried otherwise."""
    inputs: Item = {"x": {"axes": dict(one_of(rng, INPUTS))}}
    first: list[Item] = [{"Identity": {"name": "n0"}}]
    if flag(rng, 0.12):
        inputs = {"x": {"axes": {"time": one_of(rng, [6, "T"])}, "dtype": one_of(rng, ["int32", "int64"])}}
        first = [{"Embedding": {**item(rng, "Embedding", []), "name": "n0"}}]
    elif flag(rng, 0.25):
        first = [{"Masking": {"name": "n0", **item(rng, "Masking", list(inputs["x"]["axes"].items()))}}]
    if flag(rng, 0.2):
        inputs["z"] = {"axes": dict(inputs["x"]["axes"] if flag(rng) else one_of(rng, INPUTS))}
    model = [{k: {"from": "x", **v} for k, v in first[0].items()}]
    spec: Item = {
        "nnspec": 1,
        "name": "network",
        "inputs": inputs,
        "model": model,
        "outputs": {"y": {"task": "regression", "from": "n0"}},
    }
    unused = {"z"} & set(inputs)
    best = None
    head = "n0"
    values: dict[str, Value] = {}
    goal = count(rng, 3, 8)
    for _ in range(80):
        result = checked(spec, folder) if best is None else best
        if result is None:
            spec["model"] = model = [{"Identity": {"name": "n0", "from": "x"}}]
            inputs.pop("z", None)
            unused = set()
            result = checked(spec, folder)
            assert result is not None
        best = result
        values = {**best.graph.inputs, **{n.name: n.outputs[0] for n in best.graph.nodes}}
        if len(model) > goal:
            break
        name = f"n{len(model)}"
        made: Item | None = None
        if unused or flag(rng, 0.2):
            made = join(rng, values, head)
        if made is None:
            source = head if flag(rng, 0.85) else one_of(rng, list(values))
            shape = shape_of(values[source])
            if sum(s if isinstance(s, int) else 8 for _, s in shape) > 60:
                kinds, weights = ["GlobalAveragePooling1D", "Dense", "Flatten"], [1.0, 1.0, 1.0]
            else:
                kinds, weights = UNARY, [weight_of(kind, shape) for kind in UNARY]
            if not values[source].dtype.startswith("float"):
                kinds, weights = ["Embedding"], [1.0]
            kind = str(rng.choice(kinds, p=np.asarray(weights) / sum(weights)))
            if not shape:
                break
            body = item(rng, kind, shape)
            if REGISTRY[kind].makes is not None and flag(rng, 0.6) and kind != "Embedding":
                body["as"] = f"made{len(model)}"
            layer = {kind: {**body, "from": source, "name": name}}
            made = layer
        else:
            next(iter(made.values()))["name"] = name
        trial = {**spec, "model": [*model, made], "outputs": {"y": {"task": "regression", "from": name}}}
        found = checked(trial, folder)
        if found is not None:
            spec, model, best, head = trial, trial["model"], found, name
            unused = unused - {v.node for node in found.graph.nodes for v in node.inputs}
    return best_of(spec, folder)


def best_of(spec: Item, folder: Path) -> pipeline.Checked:
    """The network with all that is read by nobody as further outputs."""
    read = {name for layer in spec["model"] for body in layer.values() for name in _list(body["from"])}
    ends = [next(iter(layer.values()))["name"] for layer in spec["model"]]
    ends = [name for name in ends if name not in read]
    for name in [n for n in spec["inputs"] if n not in read]:
        spec["model"].append({"Identity": {"from": name, "name": f"of_{name}"}})
        ends.append(f"of_{name}")
    outputs = {f"y{i}": {"task": "regression", "from": name} for i, name in enumerate(ends)}
    result = checked({**spec, "outputs": outputs}, folder)
    assert result is not None
    return result


def _list(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


# ------------------------------------------------------------------------------------------------ what must hold


def arrays(rng: Rng, graph: Graph, batch: int, length: int) -> dict[str, np.ndarray]:
    """Random inputs with runs of padding at the end and single padded steps in between."""
    result = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(axis.size if isinstance(axis.size, int) else length for axis in value.axes))
        made = rng.integers(0, 12, size=shape) if value.dtype.startswith("int") else rng.normal(size=shape)
        if len(shape) > 1 and flag(rng, 0.7):
            for row in made:
                row[int(rng.integers(1, len(row) + 1)) :] = 0
                if flag(rng, 0.3):
                    row[int(rng.integers(len(row)))] = 0
        result[name] = made.astype(value.dtype)
    return result


def verify(result: pipeline.Checked, seed: int) -> None:
    """Builds the network twice and compares."""
    graph = result.graph
    keras.utils.set_random_seed(seed)
    compiled = build_model(graph)
    randomize(compiled.model, seed)
    counted = [int(np.prod(w.shape)) for w in compiled.model.weights if "seed" not in w.path]
    assert sum(counted) == graph.parameters
    for node in graph.nodes:
        is_masked = getattr(compiled.tensors[node.name], "_keras_mask", None) is not None
        assert is_masked == (node.outputs[0].mask is not None), f"{node.name}: Keras has {is_masked=}"
    weights = {n.shared or n.name: read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    exported = export_graph(graph, weights)
    assert set(exported.lowered_by.values()) == {"nnspec"}
    model = exported.builder.to_model({}, "test")
    onnx.checker.check_model(model, full_check=True)
    symbolic = any(not isinstance(axis.size, int) for value in graph.inputs.values() for axis in value.axes)
    ops = {node.op_type for node in model.graph.node}
    assert not (NEVER if symbolic else FORBIDDEN) & ops, f"dear ops: {ops & FORBIDDEN}"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(seed)
    longer = [(3, 36), (1, 48)] if graph.constraints else [(3, 36), (1, 31), (2, 29)]
    for batch, length in [(1, 24), (3, 24)] + (longer if symbolic else []):
        values = arrays(rng, graph, batch, length)
        by_keras = predict(compiled.model, graph, values)
        by_onnx = session.run(None, {port.name: values[port.name] for port in session.get_inputs()})
        for (name, wanted), got in zip(by_keras.items(), by_onnx, strict=True):
            assert got.dtype == wanted.dtype
            finite = np.isfinite(wanted)
            assert got.shape == wanted.shape, f"{name} is {got.shape}, not {wanted.shape}, at batch {batch}"
            error = relative_error(np.where(finite, got, 0), np.where(finite, wanted, 0))
            if not error < TOLERANCE and not is_ill_conditioned(compiled.model, graph, values, name, error):
                raise AssertionError(f"{name}: ONNX differs by {error:.2g} at batch {batch}, length {length}")


@pytest.mark.parametrize("seed", range(60))
def test_random_network(seed: int, tmp_path: Path) -> None:
    result = network(np.random.default_rng(seed), tmp_path)
    try:
        verify(result, seed)
    except Exception as error:
        error.add_note(result.text)
        raise
