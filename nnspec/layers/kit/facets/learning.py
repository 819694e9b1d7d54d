"""What a layer learns from the training data before training: statistics, bins, vocabularies."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from nnspec.data.arrays.joined import concatenate_chunks
from nnspec.ir.graph import Args, Node

if TYPE_CHECKING:
    import numpy as np

    from nnspec.backends.types import KerasLayer


class Learning:
    """What a kind's nodes take from the training data.

    Attributes:
        adapts_within: whether a layer that it wraps is shown the training data (`adapts`).
        mixes_samples: whether, in training, what it makes of a sample depends on the others of its batch.
    """

    kind: ClassVar[str]
    adapts_within: ClassVar[bool] = False
    mixes_samples: ClassVar[bool] = False

    def adapts(self, node: Node) -> bool:
        """Whether the node takes what it knows from the training data before training starts."""
        return False

    def adapt(self, layer: KerasLayer, node: Node, data: np.ndarray) -> None:
        """Shows the node's Keras layer what it reads in training, axes `sample *axes`, masked where that is padding."""
        layer.adapt(data)

    def adapt_in_chunks(self, layer: KerasLayer, node: Node, read: Callable[[], Iterator[np.ndarray]]) -> None:
        """As `adapt`, of samples that are too many to be read at once.

        Args:
            read: goes through them in chunks, as often as it is called.
        """
        self.adapt(layer, node, concatenate_chunks(read))

    def lacks_vocabulary(self, node: Node) -> bool:
        """Whether the node's words are still to be taken from the training data: they become arguments, not weights."""
        return False

    def vocabulary_of(self, node: Node, read: Sequence[np.ndarray]) -> Args:
        """The arguments that a node without a vocabulary takes from all that it reads in training.

        Args:
            read: an array for each use of the layer, axes `sample *axes of the input`.

        Raises:
            SpecError: NN352 where there is no word in it.
        """
        raise TypeError(f"layer `{self.kind}` has `lacks_vocabulary` without a `vocabulary_of`")

    def index_count(self, node: Node) -> int | None:
        """How many indices, from 0, the integers that the node makes may be; None where that is not known."""
        return None
