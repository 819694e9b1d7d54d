"""Layers whose body is their main argument: `Dense: 10` is `Dense: {units: 10}` from here on, at the same place."""

from __future__ import annotations

from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.layers.registry import REGISTRY


def written_out(kind: str, key: Scalar, body: Node) -> Node:
    """The body with its argument named, where it is a value alone that stands for one.

    The words of axis operations (`permute: [a, b]`) stay as they are: they are read where the axes are known.
    """
    if isinstance(body, Mapping) or (isinstance(body, Scalar) and body.value is None) or kind not in REGISTRY:
        return body
    layer = REGISTRY[kind]
    argument = None if layer.is_verb else layer.main_argument
    is_list = isinstance(body, Sequence) or (isinstance(body.value, str) and body.value.startswith("$"))
    if argument is None or (argument == "from" and not is_list):
        return body
    return Mapping({argument: body}, {argument: Scalar(argument, body.span)}, body.span, 1 + body.size)
