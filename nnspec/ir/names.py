"""Names in specs, and those of nodes in frameworks."""

from __future__ import annotations

NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_\-]*$"  # of inputs, nodes, axes, kinds, …
STRUCTURE = ("repeat", "block", "share")  # items that are not layers


def keras_name(name: str) -> str:
    """A node's name as Keras takes it: `blocks/1/conv` becomes `blocks.1.conv`, for Keras allows no slash."""
    return name.replace("/", ".")
