"""Names of nodes, in specs and in frameworks."""

from __future__ import annotations


def keras_name(name: str) -> str:
    """A node's name as Keras takes it: `blocks/1/conv` becomes `blocks.1.conv`, for Keras allows no slash."""
    return name.replace("/", ".")
