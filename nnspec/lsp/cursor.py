"""The nodes at a position of a text, from the root of the tree down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.lsp.positions import Positions

Path = tuple[str | int, ...]


@dataclass(frozen=True, eq=False)
class Cursor:
    """The way to a place.

    Attributes:
        path: keys and indices from the root to `node`.
        chain: the nodes along it, root first.
        node: the innermost one; for a key, what stands under it.
        key: the key, where the place is on one.
    """

    path: Path
    chain: tuple[Node, ...]
    node: Node
    key: Scalar | None = None

    def parents(self) -> Iterator[tuple[Path, Node]]:
        """From the innermost node to the root, each with its path."""
        for depth in range(len(self.chain) - 1, -1, -1):
            yield self.path[:depth], self.chain[depth]


def find(root: Node, offset: int, positions: Positions) -> Cursor:
    """The innermost node or key at an offset. Nodes that an alias repeats are found where they stand first."""
    path: list[str | int] = []
    chain = [root]
    while True:
        node = chain[-1]
        for step, key, child in _children(node):
            if key is not None and positions.holds(key.span, offset):
                return Cursor((*path, step), (*chain, child), child, key)
            if positions.holds(child.span, offset) and child.span.end_line >= child.span.line:
                path.append(step)
                chain.append(child)
                break
        else:
            return Cursor(tuple(path), tuple(chain), node)


def _children(node: Node) -> Iterator[tuple[str | int, Scalar | None, Node]]:
    if isinstance(node, Mapping):
        for name, child in node.entries.items():
            yield name, node.keys[name], child
    elif isinstance(node, Sequence):
        for index, child in enumerate(node.items):
            yield index, None, child
