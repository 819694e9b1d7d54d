"""YAML text to a tree of nodes with spans: `reading` a file, `parsing` its text, `nodes` of the tree."""

from __future__ import annotations

from nnspec.document.nodes import MAX_DEPTH, MAX_NODES, Mapping, Node, Scalar, Sequence, format_path, locate, to_plain
from nnspec.document.parsing import parse
from nnspec.document.reading import MAX_BYTES, read_source
from nnspec.document.scalars import resolve_scalar

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "format_path",
    "locate",
    "parse",
    "read_source",
    "resolve_scalar",
    "to_plain",
]
