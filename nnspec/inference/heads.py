"""Finds the head of an output: the function that its values last went through."""

from __future__ import annotations

from collections.abc import Iterable

from nnspec.catalogue.losses import SCORE_LOSSES, loss_of
from nnspec.ir.graph import Node, Output, Value


def head_function(nodes: Iterable[Node], output: Output) -> tuple[str, Node | None]:
    """The last activation before an output, behind what only moves values or acts in training; `linear` where none.

    Attention scores are the probabilities of a classification, as in a pointer network, or values like any others.
    """
    value = output.value
    if output.task == "classification" and any(
        n.name == value.node and value.port in n.layer.softmax_ports for n in nodes
    ):
        return "softmax", None
    return head_of(nodes, value)


def head_of(nodes: Iterable[Node], value: Value) -> tuple[str, Node | None]:
    """The same for any value."""
    by_name = {node.name: node for node in nodes}
    node = by_name.get(value.node)
    while node is not None and _is_behind_head(node):
        node = by_name.get(node.inputs[0].node)
    if node is None:
        return "linear", None
    if node.layer.own_activation:
        return node.layer.own_activation, node
    source = node.inner if node.inner is not None else node
    said = None if source.layer.keeps_state else source.args.get("activation")  # gates apply after the activation
    if isinstance(said, str):
        return said.lower(), node
    return ("linear" if said is None else next(iter(said), "linear").lower()), node


def _is_behind_head(node: Node) -> bool:
    return node.layer.moves_values or node.layer.is_training_only or node.layer.follows_head


def gives_scores(function: str, output: Output) -> bool:
    """Whether the values are scores rather than probabilities: their loss takes logits, or wants a margin."""
    name, arguments = loss_of(output)
    return bool(arguments.get("from_logits")) or (name in SCORE_LOSSES and function not in ("sigmoid", "softmax"))
