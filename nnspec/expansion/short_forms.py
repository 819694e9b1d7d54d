"""Short forms: a layer's body can be just its main argument; `Dense: 10` becomes `Dense: {units: 10}`."""

from __future__ import annotations

from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.layers.registry import REGISTRY


def written_out(kind: str, key: Scalar, body: Node) -> Node:
    """The body as a mapping, if it is written as just its main argument.

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
