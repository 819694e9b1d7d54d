"""Which layer is the first whose ONNX result differs from Keras'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.backends.keras import as_array, as_model_inputs, build_model, read_weights
from nnspec.backends.onnx.deploy import scale_input
from nnspec.backends.onnx.export import Exported, export_graph
from nnspec.graph import Graph, Node, Output
from nnspec.verify.comparison import differences
from nnspec.verify.form import open_session

if TYPE_CHECKING:
    from nnspec.verify.gate import Gate


@dataclass(frozen=True)
class Difference:
    node: Node
    error: float


def first_difference(gate: Gate, exported: Exported, raw: Mapping[str, np.ndarray]) -> Difference | None:
    """Cuts the graph after each node in turn, exports the piece and compares it; the first node that differs.

    Cutting changes nothing of the layers before, so folding and layout are those of the whole graph up to there.
    """
    compiled = build_model(gate.graph)
    compiled.model.set_weights(gate.model.get_weights())
    weights = {(n.shared or n.name): read_weights(n, compiled.layers[n.name]) for n in gate.graph.nodes}
    tolerance = gate.tolerance
    for i, node in enumerate(gate.graph.nodes):
        piece = _until(gate.graph, i)
        made = export_graph(
            piece,
            weights,
            opset=exported.builder.opset,
            before=scale_input(gate.deployment),
            layout=_inputs_only(gate),
        )
        session = open_session(made.builder.to_model({}, "bisect"))
        got = session.run(None, gate.feed(session, {k: v for k, v in raw.items() if k in piece.inputs}))[0]
        wanted = _keras_value(gate, compiled, node, raw)
        error = differences(got, wanted)[1]
        if not error <= tolerance:
            return Difference(node, error)
    return None


def _inputs_only(gate: Gate) -> dict[str, list[str]]:
    return {name: list(order) for name, order in gate.layout.items() if name in gate.graph.inputs}


def _until(graph: Graph, last: int) -> Graph:
    """The graph up to one node, whose first output is its only one."""
    node = graph.nodes[last]
    output = Output("value", node.outputs[0], "regression", node.span)
    return Graph(graph.name, graph.inputs, graph.nodes[: last + 1], {"value": output}, graph.input_spans)


def _keras_value(gate: Gate, compiled: Any, node: Node, raw: Mapping[str, np.ndarray]) -> np.ndarray:
    import keras

    port = node.outputs[0].port
    tensor = compiled.tensors[node.name if port == "output" else f"{node.name}.{port}"]
    probe = keras.Model(compiled.model.input, tensor)
    return as_array(probe(as_model_inputs(gate.graph, gate.deployment.to_network(raw)), training=False))
