"""Random networks that the checker lets pass, grown item by item: what it says something against is left out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from nnspec import pipeline
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Value
from nnspec.layers.registry import REGISTRY
from tests.support.random_items import Item, Rng, Shape, axis_of, count, flag, item, one_of, rank_of

NOT_GROWN = {"sort", "top_k", "take_along"}  # two outputs; a second input that holds positions
UNARY = [kind for kind in REGISTRY if REGISTRY[kind].arity[0] == 1 and kind not in NOT_GROWN]
JOINS = [kind for kind in REGISTRY if REGISTRY[kind].arity[0] == 2 and kind not in NOT_GROWN]
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
