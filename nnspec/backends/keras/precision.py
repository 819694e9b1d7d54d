"""Mixed precision: which layers compute in 16 bits, and the float32 network that is deployed.

Weights are float32 throughout; what is rounded is what a layer computes with. The range or the digits of 16 bits do
not do for raw data, nor for the probabilities that a loss takes the logarithm of: what stands before the first trained
weights and behind the last ones computes in float32, as Keras' guide to mixed precision advises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from nnspec.backends.types import KerasModel
from nnspec.ir.graph import Graph, Node

FLOAT32 = "float32"


def policies(graph: Graph, precision: str) -> dict[str, str]:
    """The name of the dtype policy of each node, by the node's name.

    Nodes that share a layer have one policy: that of float32 if one of them needs it.
    """
    if precision == FLOAT32:
        return dict.fromkeys((node.name for node in graph.nodes), FLOAT32)
    wide = _before_weights(graph) | _behind_weights(graph) | {n.name for n in graph.nodes if _is_float32(n)}
    shared = {node.shared for node in graph.nodes if node.name in wide and node.shared is not None}
    return {node.name: FLOAT32 if node.name in wide or node.shared in shared else precision for node in graph.nodes}


def _is_float32(node: Node) -> bool:
    """Whether a layer, or one inside of it, has no 16-bit form."""
    inside = (node.inner, node.backward, *node.cells)
    return node.layer.computes_in_float32(node) or any(held is not None and _is_float32(held) for held in inside)


def _before_weights(graph: Graph) -> set[str]:
    """The nodes that read only inputs and one another, up to the first weights; statistics of the data are none."""
    found = set(graph.inputs)
    for node in graph.nodes:
        is_plain = not node.weights or node.layer.adapts(node)
        if is_plain and all(value.node in found for value in node.inputs):
            found.add(node.name)
    return found


def _behind_weights(graph: Graph) -> set[str]:
    """The nodes from each output back to those that have weights, these among them."""
    by_name = {node.name: node for node in graph.nodes}
    found: set[str] = set()
    waiting = [output.value.node for output in graph.outputs.values()]
    while waiting:
        name = waiting.pop()
        if name in found or name not in by_name:
            continue
        found.add(name)
        if not by_name[name].weights:
            waiting += [value.node for value in by_name[name].inputs]
    return found


@contextmanager
def computing_in(policy: str) -> Iterator[None]:
    """Layers that are made and called inside have this dtype policy."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def copy_weights(source: KerasModel, target: KerasModel) -> None:
    """All weights of a model to one of the same graph that computes in another precision."""
    for variable, value in zip(target.weights, source.weights, strict=True):
        variable.assign(np.asarray(value).astype(str(variable.dtype)))
    for layer in target.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
