"""A second format to export to: an .npz archive of arrays and a list of steps, which NumPy alone computes.

It shares nothing with ONNX: few kinds of layers, plain formulas, scaling and labels done around the steps.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnspec.backends.base import Deployable
from nnspec.data.deployment import Deployment, class_position, label_axes
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.ir import axes as ax
from nnspec.ir.graph import Graph, Node, Output

Array = np.ndarray
Steps = list[dict[str, Any]]

# ------------------------------------------------------------------------------------------------------ the formulas


def activated(values: Array, name: str | None) -> Array:
    return np.asarray(FUNCTIONS[name or "linear"](values), np.float32)


def softmax(values: Array) -> Array:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softmax": softmax,
}


def dense(x: Array, weights: Mapping[str, Array], args: Mapping[str, Any]) -> Array:
    return activated(x @ weights["kernel"] + weights["bias"], args["activation"])


def convolve(x: Array, weights: Mapping[str, Array], args: Mapping[str, Any]) -> Array:
    """A causal or unpadded convolution over time: axes `batch time channel`, kernel `tap in out`."""
    kernel = weights["kernel"]
    if args["padding"] == "causal":
        x = np.pad(x, [(0, 0), (len(kernel) - 1, 0), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(x, len(kernel), axis=1)
    return activated(np.einsum("btik,kio->bto", windows, kernel) + weights["bias"], args["activation"])


def flatten(x: Array, weights: Mapping[str, Array], args: Mapping[str, Any]) -> Array:
    return x.reshape(len(x), -1)


OPERATIONS = {"Dense": dense, "Conv1D": convolve, "Flatten": flatten}
KEPT = {"Dense": ("activation",), "Conv1D": ("activation", "padding"), "Flatten": ()}
PLAIN = {"strides": 1, "dilation_rate": 1, "groups": 1, "use_bias": True, "data_format": "channels_last"}


def is_known(node: Node) -> bool:
    args = node.args
    return (
        node.kind in OPERATIONS
        and args.get("activation") in (None, *FUNCTIONS)
        and args.get("padding") in (None, "valid", "causal")
        and all(args.get(name, value) in (value, (value,), [value], None) for name, value in PLAIN.items())
    )


# -------------------------------------------------------------------------------------------------------- the format


@dataclass(frozen=True)
class NumpyFormat:
    """An `ExportBackend` of which nnspec itself knows nothing."""

    name: str = "numpy"
    title: str = "NumPy"
    runtime: str = "NumPy"
    suffix: str = ".npz"
    packages: tuple[str, ...] = ()

    def lower(self, network: Deployable) -> NumpyModel:
        steps, arrays = [], {}
        for node in network.graph.nodes:
            if not is_known(node):
                message = f"`{node.kind}` has no lowering to NumPy, so `{node.name}` cannot be exported"
                raise SpecError.single("NN601", message, node.span)
            owner = node.owner
            names = {weight: f"{owner}/{weight}" for weight in network.weights[owner]}
            arrays |= {names[weight]: value for weight, value in network.weights[owner].items()}
            args = {name: node.args[name] for name in KEPT[node.kind]}
            reads = [value.node for value in node.inputs]
            steps.append({"name": node.name, "kind": node.kind, "reads": reads, "weights": names, "args": args})
        content = {
            "inputs": {name: _port(network, name, ["batch", *ax.names(v.axes)]) for name, v in _inputs(network)},
            "outputs": {name: _output(network, output) for name, output in network.graph.outputs.items()},
            "steps": steps,
            "deployment": network.deployment.to_json(),
        }
        return NumpyModel(content, arrays, network, {node.name: "nnspec" for node in network.graph.nodes})

    def parse(self, data: bytes) -> NumpyModel:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            content = json.loads(str(archive["content"]))
            return NumpyModel(content, {name[2:]: archive[name] for name in archive.files if name.startswith("w:")})


def _inputs(network: Deployable) -> list[tuple[str, Any]]:
    return list(network.graph.inputs.items())


def _port(network: Deployable, name: str, axes: list[str]) -> dict[str, Any]:
    """The axes as the network has them, and as the file gives or takes them."""
    order = [axis for axis in network.layout.get(name, axes) if axis in axes]
    value = network.graph.inputs.get(name)
    found = {"axes": axes, "order": order}
    if value is not None:
        sizes = {"batch": None, **{a.name: a.size if isinstance(a.size, int) else None for a in value.axes}}
        found["sizes"] = [sizes[axis] for axis in order]
    return found


def _output(network: Deployable, output: Output) -> dict[str, Any]:
    axes = ["batch", *ax.names(output.value.axes)]
    found = {**_port(network, output.name, axes), "reads": output.value.node}
    classes = network.deployment.labels(output)
    if classes is not None:
        kept = label_axes(output)
        order = [axis for axis in network.layout.get(output.name, kept) if axis in kept]
        position = None if output.task == "binary" else 1 + class_position(output)
        label = {"classes": classes, "position": position, "threshold": output.threshold}
        found["label"] = {**label, "axes": kept, "order": order}
    return found


@dataclass(frozen=True, eq=False)
class NumpyModel:
    """The steps, as JSON, and the arrays that they read."""

    content: dict[str, Any]
    arrays: Mapping[str, Array]
    source: Deployable | None = None
    lowered_by: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    backend: NumpyFormat = field(default_factory=NumpyFormat)

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        return self.content.get("metadata")

    def embed(self, metadata: Mapping[str, Any]) -> None:
        self.content["metadata"] = json.loads(json.dumps(metadata))

    def interface(self) -> tuple[dict[str, int], dict[str, int]]:
        outputs = {name: len(port["order"]) for name, port in self.content["outputs"].items()}
        labels = {
            f"{name}_label": len(port["label"]["order"])
            for name, port in self.content["outputs"].items()
            if "label" in port
        }
        return {name: len(port["order"]) for name, port in self.content["inputs"].items()}, outputs | labels

    def check_form(self, graph: Graph) -> None:
        """Every step has an operation, and what it reads stands before it."""
        known = set(self.content["inputs"])
        for step in self.content["steps"]:
            lost = [*(set(step["reads"]) - known), *(set(step["weights"].values()) - self.arrays.keys())]
            if step["kind"] not in OPERATIONS or lost:
                raise fault(f"the step `{step['name']}` of the NumPy model cannot be run: {lost or step['kind']}")
            known.add(step["name"])

    def describe(self, graph: Graph) -> dict[str, Any]:
        return {"steps": self.operators()}

    def operators(self) -> dict[str, int]:
        return dict(Counter(step["kind"] for step in self.content["steps"]))

    def open(self) -> NumpySession:
        return NumpySession(self.content, self.arrays)

    def to_bytes(self) -> bytes:
        stream = io.BytesIO()
        arrays = {f"w:{name}": array for name, array in self.arrays.items()}
        np.savez(stream, content=np.asarray(json.dumps(self.content)), **arrays)
        return stream.getvalue()


@dataclass(frozen=True, eq=False)
class NumpySession:
    content: Mapping[str, Any]
    arrays: Mapping[str, Array]

    @property
    def inputs(self) -> dict[str, list[int | None]]:
        return {name: port["sizes"] for name, port in self.content["inputs"].items()}

    def run(self, feed: Mapping[str, Array]) -> dict[str, Array]:
        deployment = Deployment.from_json(self.content["deployment"])
        ports = self.content["inputs"]
        raw = {name: moved(feed[name], port["order"], port["axes"]) for name, port in ports.items()}
        values = deployment.to_network(raw)
        for step in self.content["steps"]:
            weights = {name: self.arrays[place] for name, place in step["weights"].items()}
            values[step["name"]] = OPERATIONS[step["kind"]](values[step["reads"][0]], weights, step["args"])
        results = {}
        for name, port in self.content["outputs"].items():
            value = values[port["reads"]]
            transform = deployment.outputs.get(name)
            restored = value if transform is None else transform.restore(value, raw)
            results[name] = moved(restored, port["axes"], port["order"])
            if "label" in port:
                results[f"{name}_label"] = labelled(value, port["label"])
        return results


def moved(array: Array, given: list[str], wanted: list[str]) -> Array:
    return np.transpose(array, [given.index(axis) for axis in wanted])


def labelled(scores: Array, label: Mapping[str, Any]) -> Array:
    is_binary = label["position"] is None
    chosen = (scores > np.float32(label["threshold"])).astype(int) if is_binary else scores.argmax(label["position"])
    return moved(np.asarray(label["classes"])[chosen], label["axes"], label["order"])


def fault(message: str) -> SpecError:
    return SpecError.single("NN702", message, Span(Source("model.npz", "")))


NUMPY = NumpyFormat()
