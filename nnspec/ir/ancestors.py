"""What a value of a graph is computed from."""

from __future__ import annotations

from nnspec.ir.graph import Graph, Value


def names_before(graph: Graph, value: Value) -> set[str]:
    """The names of the nodes and inputs that a value is made of, its own among them."""
    by_name = {node.name: node for node in graph.nodes}
    names: set[str] = set()
    waiting = [value.node]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += [read.node for read in by_name[name].inputs] if name in by_name else []
    return names
