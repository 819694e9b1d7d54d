"""Mixed precision: which layers compute in 16 bits.

Weights are float32 throughout; what is rounded is what a layer computes with. The range or the digits of 16 bits do
not do for raw data, nor for the probabilities that a loss takes the logarithm of: what stands before the first trained
weights and behind the last ones computes in float32, as Keras' guide to mixed precision advises.
"""

from __future__ import annotations

from nnspec.ir.graph import Graph, Node

FLOAT32, FLOAT16 = "float32", "mixed_float16"
LARGEST = 65504.0
"""The largest number of float16; beyond it are infinite ones."""


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
