"""The explanation of a node in `nnspec show --why` and editors, besides its axes and weights."""

from __future__ import annotations

from nnspec.ir.graph import Node


class Explanation:
    """What is told of a kind's nodes.

    Attributes:
        package: the package that the kind comes from, with its version; empty for nnspec's own.
    """

    package: str = ""

    def why(self, node: Node) -> dict[str, str]:
        """What `nnspec show --why` tells of a node: sentences by argument or weight, under "" what it did as a whole.

        An argument without a sentence that the spec sets is told by its description.
        """
        return {}
