"""Values to test a layer with, for verification and for checks of padding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from nnspec.ir.graph import Node

if TYPE_CHECKING:
    import numpy as np

MOVES_ZERO = frozenset({"bias", "beta", "mean", "moving_mean"})  # weights by which a step of zeros is no longer one
# Those that make another number of 0; of all others 0 stays 0.
MOVES_ZERO_ACTIVATIONS = frozenset(
    (
        *("exponential", "hard_sigmoid", "log_sigmoid", "log_softmax", "sigmoid", "softmax", "softplus"),
        *("sparse_sigmoid", "sparsemax"),
    )
)


class Verification:
    """What a node makes of given values, or needs to make them, as far as that is known without running it.

    Attributes:
        is_scaling: whether it only scales and shifts what it reads: `invert_scaling` takes that back.
        only_compares: whether it compares what it reads, with numbers or with each other, before it computes anything:
            any two right programs decide alike.
        examples_place: which of its inputs `examples` are of.
    """

    is_scaling: ClassVar[bool] = False
    only_compares: ClassVar[bool] = False
    examples_place: ClassVar[int] = 0

    def examples(self, node: Node) -> Sequence[str | int]:
        """Words or integers that the node knows what to make of, to try it with; none where any number will do."""
        return ()

    def numbers_within(self, node: Node) -> Collection[float]:
        """The numbers that arguments hold as text, as a formula does: limits and markers, to try it with."""
        return ()

    def invert_scaling(self, node: Node, values: np.ndarray, weights: Mapping[str, np.ndarray]) -> np.ndarray | None:
        """What a node that only scales would have to read to give `values` (batch, …); None from all others.

        Args:
            weights: the node's; empty where they are not known.
        """
        return None

    def padding_behind(self, node: Node, value: float) -> float | None:
        """What the node makes of a step of nothing but `value`; None where weights or statistics decide that."""
        moves = any(weight.name in MOVES_ZERO for weight in node.weights)
        if moves or (node.weights and value):
            return None
        activation = node.args.get("activation", node.layer.own_activation)
        keeps = activation in (None, "linear") or (not value and isinstance(activation, str))
        return value if keeps and activation not in MOVES_ZERO_ACTIVATIONS else None

    def joined_padding(self, node: Node, values: Sequence[float | None]) -> Sequence[float | None]:
        """What a node makes of steps of its inputs that are nothing but `values`, one each: one number.

        None stands for one that weights or statistics decide; nothing is given where not even that is known.
        """
        return ()

    def has_bounded_domain(self, node: Node) -> bool:
        """Whether there are finite numbers of which the node makes none, as a logarithm does of those below 0."""
        return False
