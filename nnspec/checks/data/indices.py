"""Checks that every index that a layer outputs is within the table of the layer that looks it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.ir.graph import Node, Value


def check_indices(context: Context) -> Iterator[Diagnostic]:
    """NN351: an Embedding with fewer vectors than there are indices, or whose indices nobody has counted."""
    tables = [node for node in context.graph.nodes if (node.inner or node).layer.looks_up_ids]
    by_name = {node.name: node for node in context.graph.nodes} if tables else {}
    for node in tables:
        for source in _makers(by_name, node.inputs[0]):
            yield from _compare_sizes(source, node, (node.inner or node).args["input_dim"])


def _compare_sizes(source: Node, node: Node, size: int) -> Iterator[Diagnostic]:
    count = source.layer.index_count(source)
    if count is not None and count > size:
        yield Diagnostic(
            "NN351",
            (
                f"`{source.name}` produces indices 0 to {count - 1}, but `{node.name}` only has vectors for 0 "
                f"to {size - 1}"
            ),
            node.span,
            fixes=(Fix(f"set `input_dim: {count}`"),),
        )
    elif count is None and source.layer.lacks_vocabulary(source):
        yield Diagnostic(
            "NN351",
            f"the vocabulary size of `{source.name}` depends on the data, but `{node.name}` has {size} vectors",
            source.span,
            fixes=(
                Fix(f"set `max_tokens: {size}`: less frequent words then count as unknown"),
                Fix("or list the words: `vocabulary: [red, green]`"),
            ),
        )


def tables_of_inputs(context: Context) -> Iterator[tuple[str, Node]]:
    """The inputs whose values are ids as they come, each with a layer that looks them up."""
    by_name = {node.name: node for node in context.graph.nodes}
    for node in context.graph.nodes:
        if (node.inner or node).layer.looks_up_ids:
            read = node.inputs[0].node
            while read in by_name and by_name[read].layer.moves_values:
                read = by_name[read].inputs[0].node
            if read in context.graph.inputs:
                yield read, node


def _makers(by_name: Mapping[str, Node], value: Value) -> list[Node]:
    """The nodes whose integers a value holds; none for those that come straight from an input."""
    found: list[Node] = []
    seen: set[str] = set()
    waiting = [value]
    while waiting:
        read = waiting.pop()
        node = by_name.get(read.node)
        if node is None or node.name in seen or not read.dtype.startswith("int"):
            continue
        seen.add(node.name)
        if node.layer.moves_values:
            waiting += node.inputs
        else:
            found.append(node)
    return found
