"""What `trainable: false` on the use of a block, or on a repeat, says of the layers in it."""

from __future__ import annotations

from collections.abc import Callable

from nnspec.document import Mapping, Node, to_plain

KEY = "trainable"


def declares_trainable(definition: Mapping) -> bool:
    """Whether a block has a parameter of this name, which its uses then set."""
    parameters = definition.get("parameters")
    return isinstance(parameters, Mapping) and KEY in parameters.entries


def is_frozen_by(body: Mapping, substituted: Callable[[Node], Node] | None = None) -> bool:
    """Whether the body of a use or a repeat keeps the weights in it as they are.

    Args:
        substituted: replaces variables, where that is still to be done.
    """
    node = body.get(KEY)
    return node is not None and to_plain(node if substituted is None else substituted(node)) is False
