"""Finds the first layer whose exported result differs from Keras', or is not a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from nnspec.backends.base import Deployable, ExportBackend, ExportedModel
from nnspec.backends.keras.model import Compiled, as_array, as_model_inputs, build_model
from nnspec.ir.graph import Graph, Node, Output
from nnspec.verify.comparison import differences
from nnspec.verify.subject import Subject

PIECE = "value"  # the only output of a graph that is cut


@dataclass(frozen=True)
class Difference:
    node: Node
    error: float


def first_difference(subject: Subject, exported: ExportedModel, raw: Mapping[str, np.ndarray]) -> Difference | None:
    """Cuts the graph after a node, exports the piece and compares it; one that differs, while what it reads does not.

    Halves what is left each time, then goes up along inputs that differ too. Cutting changes nothing of the layers
    before, so folding and layout are those of the whole graph up to there. A model that was read from a file is not
    cut: what nnspec lowers today need not be what stands in it.
    """
    source = exported.source
    if source is None:
        return None
    compiled = build_model(subject.graph)
    compiled.model.set_weights(subject.model.get_weights())
    nodes = subject.graph.nodes
    places = {node.name: i for i, node in enumerate(nodes)}
    found: dict[int, float] = {}

    def error(i: int) -> float:
        if i not in found:
            found[i] = _error_after(subject, exported.backend, source, compiled, i, raw)
        return found[i]

    def differs(i: int) -> bool:
        return not error(i) <= subject.tolerance

    ends = [places[output.value.node] for output in subject.graph.outputs.values() if output.value.node in places]
    last = next((i for i in sorted(ends) if differs(i)), None)
    if last is None:
        return None
    first = 0
    while first < last:
        middle = (first + last) // 2
        first, last = (first, middle) if differs(middle) else (middle + 1, last)
    while True:
        before = [places[value.node] for value in nodes[last].inputs if value.node in places]
        wrong = next((i for i in before if differs(i)), None)
        if wrong is None:
            return Difference(nodes[last], error(last))
        last = wrong


def first_not_finite(subject: Subject, raw: Mapping[str, np.ndarray]) -> Node | None:
    """The first node of the Keras model that gives infinity or no number where it reads numbers."""
    import keras

    compiled = build_model(subject.graph)
    compiled.model.set_weights(subject.model.get_weights())
    nodes = [node for node in subject.graph.nodes if node.outputs[0].dtype.startswith("float")]
    tensors = [compiled.tensors[_key(node)] for node in nodes]
    given = as_model_inputs(subject.graph, subject.deployment.to_network(raw))
    made = keras.Model(compiled.model.input, tensors)(given, training=False)
    values = made if isinstance(made, list | tuple) else [made]
    return next((n for n, v in zip(nodes, values, strict=True) if not np.isfinite(as_array(v)).all()), None)


def _key(node: Node) -> str:
    """Where the first output of a node stands among the compiled tensors."""
    port = node.outputs[0].port
    return node.name if port == "output" else f"{node.name}.{port}"


def _error_after(
    subject: Subject,
    backend: ExportBackend,
    source: Deployable,
    compiled: Compiled,
    last: int,
    raw: Mapping[str, np.ndarray],
) -> float:
    """How far the first output of a node differs (relative), in a graph that ends with it."""
    graph = _until(subject.graph, last)
    scaled_alone = replace(source.deployment, outputs={})
    piece = backend.lower(replace(source, graph=graph, deployment=scaled_alone, layout=_inputs_only(subject)))
    session = piece.open()
    got = session.run(subject.feed(session, dict(raw)))[PIECE]
    return differences(got, _keras_value(subject, compiled, subject.graph.nodes[last], raw))[1]


def _inputs_only(subject: Subject) -> dict[str, list[str]]:
    return {name: list(order) for name, order in subject.layout.items() if name in subject.graph.inputs}


def _until(graph: Graph, last: int) -> Graph:
    """The graph up to one node, whose first output is its only one."""
    node = graph.nodes[last]
    output = Output(name=PIECE, value=node.outputs[0], task="regression", span=node.span)
    return Graph(
        name=graph.name,
        inputs=graph.inputs,
        nodes=graph.nodes[: last + 1],
        outputs={PIECE: output},
        input_spans=graph.input_spans,
    )


def _keras_value(subject: Subject, compiled: Compiled, node: Node, raw: Mapping[str, np.ndarray]) -> np.ndarray:
    import keras

    probe = keras.Model(compiled.model.input, compiled.tensors[_key(node)])
    return as_array(probe(as_model_inputs(subject.graph, subject.deployment.to_network(raw)), training=False))
