"""Names of nodes, as the spec writes them and as a framework takes them."""

from __future__ import annotations


def keras_name(name: str) -> str:
    """A node's name as Keras takes it: `blocks/1/conv` becomes `blocks.1.conv`, for Keras allows no slash."""
    return name.replace("/", ".")
