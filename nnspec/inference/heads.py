"""Finds the head of an output: the function that its values last went through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nnspec.catalogue.losses import FRACTIONS, LOGARITHMS, SCORE_LOSSES, SHARES, loss_of
from nnspec.ir.graph import Node, Output, Value
from nnspec.ir.probabilities import FORMULA, SIGMOID, WEIGHTED

Head = tuple[str, Node | None]
_FAR = 100  # so many means and products before an output are looked through


def head_function(nodes: Iterable[Node], output: Output) -> Head:
    """The last activation before an output, behind what only moves values or acts in training; `linear` where none.

    Attention scores are the probabilities of a classification, as in a pointer network, or values like any others. And
    where probabilities are wanted, those that others are the mean, product or mixture of count.
    """
    value = output.value
    if output.task == "classification" and any(
        n.name == value.node and value.port in n.layer.softmax_ports for n in nodes
    ):
        return "softmax", None
    if output.gives_values and loss_of(output)[0] not in (*FRACTIONS, *SHARES, *LOGARITHMS):
        return head_of(nodes, value)
    function, head = _head_behind({node.name: node for node in nodes}, value, {})
    return (SIGMOID if function == WEIGHTED else function), head


def is_signed(nodes: Iterable[Node], value: Value) -> bool:
    """Whether a value can be negative as far as layers tell: weights made it, or it was made of such values.

    Inputs count as counts and exposures do, which are not negative: nothing is known of them.
    """
    return _is_signed({node.name: node for node in nodes}, value, {})


def _is_signed(by_name: Mapping[str, Node], value: Value, known: dict[str, bool]) -> bool:
    node = _deciding(by_name, value)
    if node is None:
        return False
    if node.name not in known:
        known[node.name] = True  # also where so many layers stand before it that nobody looks further
        if len(known) <= _FAR:
            known[node.name] = _gives_negative(by_name, node, known)
    return known[node.name]


def _gives_negative(by_name: Mapping[str, Node], node: Node, known: dict[str, bool]) -> bool:
    if _own_head(node)[0] != "linear":
        return False
    if node.layer.combination(node.args) != FORMULA:
        return bool(node.weights) or any(_is_signed(by_name, read, known) for read in node.inputs)
    heads = [_head_behind(by_name, read, {})[0] for read in node.inputs]
    read = [
        "relu" if head == "linear" and not _is_signed(by_name, value, known) else head
        for head, value in zip(heads, node.inputs, strict=True)
    ]
    return node.layer.head_behind(node, read) is None


def head_of(nodes: Iterable[Node], value: Value) -> Head:
    """The same for any value, whatever is made of probabilities."""
    return _own_head(_deciding({node.name: node for node in nodes}, value))


def _deciding(by_name: Mapping[str, Node], value: Value) -> Node | None:
    """The node that a value was computed by; None where it is an input."""
    node = by_name.get(value.node)
    while node is not None and _is_behind_head(node):
        node = by_name.get(node.inputs[0].node)
    return node


def _own_head(node: Node | None) -> Head:
    if node is None:
        return "linear", None
    if node.layer.own_activation:
        return node.layer.own_activation, node
    source = node.inner if node.inner is not None else node
    said = None if source.layer.keeps_state else source.args.get("activation")  # gates apply after the activation
    if isinstance(said, str):
        return said.lower(), node
    return ("linear" if said is None else next(iter(said), "linear").lower()), node


def _head_behind(by_name: Mapping[str, Node], value: Value, known: dict[str, Head]) -> Head:
    """The head of a value, or what layers that keep probabilities made of those of their inputs.

    Args:
        known: of nodes that were asked before.
    """
    node = _deciding(by_name, value)
    function, head = _own_head(node)
    if node is None or function != "linear":
        return function, head
    source = node.inner if node.inner is not None and node.layer.repeats_inner else node
    if not source.layer.combination(source.args) or len(known) > _FAR:
        return function, head
    if node.name not in known:
        known[node.name] = function, head
        heads = [_head_behind(by_name, read, known) for read in node.inputs]
        found = source.layer.head_behind(source, [function for function, _ in heads])
        of_one = heads[0][1] if len(heads) == 1 else None
        known[node.name] = (function, head) if found is None else (found, of_one)
    return known[node.name]


def _is_behind_head(node: Node) -> bool:
    return node.layer.moves_values or node.layer.is_training_only or node.layer.follows_head


def gives_scores(function: str, output: Output) -> bool:
    """Whether the values are scores rather than probabilities: their loss takes logits, or wants a margin."""
    name, arguments = loss_of(output)
    return bool(arguments.get("from_logits")) or (name in SCORE_LOSSES and function not in ("sigmoid", "softmax"))
