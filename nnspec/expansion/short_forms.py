"""Short forms: the body of a layer or a Keras object can be just its main argument.

`Dense: 10` becomes `Dense: {units: 10}`, and `{L2: 0.01}` becomes `{L2: {l2: 0.01}}`.
"""

from __future__ import annotations

from nnspec.catalogue import keras_objects
from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.layers.registry import REGISTRY


def written_out(kind: str, key: Scalar, body: Node) -> Node:
    """The body as a mapping, if it is written as just its main argument.

    The words of axis operations (`permute: [a, b]`) stay as they are: they are read where the axes are known.
    """
    if isinstance(body, Mapping) or (isinstance(body, Scalar) and body.value is None) or kind not in REGISTRY:
        return body
    layer = REGISTRY[kind]
    argument = None if layer.is_axis_operation else layer.main_argument
    is_list = isinstance(body, Sequence) or (isinstance(body.value, str) and body.value.startswith("$"))
    if argument is None or (argument == "from" and not is_list):
        return body
    return Mapping({argument: body}, {argument: Scalar(argument, body.span)}, body.span, 1 + body.size)


def object_written_out(key: str, node: Node) -> Node:
    """What stands under `optimizer`, `loss`, `kernel_regularizer` and their like, with its argument under its name.

    A value that could be one of several arguments stays as it is, which the schema speaks of.
    """
    if not isinstance(node, Mapping) or len(node.entries) != 1 or (family := keras_objects.family_of(key)) is None:
        return node
    ((written, body),) = node.entries.items()
    if not isinstance(body, Scalar) or body.value is None or written not in keras_objects.names(family):
        return node
    argument = keras_objects.main_argument(family, written)
    if argument is None:
        return node
    whole = Mapping({argument: body}, {argument: Scalar(argument, body.span)}, body.span, 1 + body.size)
    return Mapping({written: whole}, node.keys, node.span, 1 + node.size)
