"""How a kind comes out of a Keras model: its class, its configuration in a spec's words, what Keras does beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from nnspec.ir.graph import Args

if TYPE_CHECKING:
    pass


class Importing:
    """How a kind comes out of a Keras model.

    Attributes:
        keras_class: the Keras class that it is made of, as `package.module.Class`; empty for that of `keras.layers`
            which has the kind's name.
        left_out: why an import leaves the layer out; empty where it takes it.
        reads_ids: whether its class takes floats for ids, so that an input which only such layers read is of integers.
        joins_masks: whether its class makes one mask of those of all that it reads.
        is_recorded_in_training: whether Keras writes `training: True` into its calls by itself.
        ignores_query_mask: whether its class takes a `query_mask` and goes by the mask of its query all the same.
        loses_mask_with_states: whether its class uses a mask only where it reads nothing but its sequence.
    """

    keras_class: ClassVar[str] = ""
    left_out: ClassVar[str] = ""
    reads_ids: ClassVar[bool] = False
    joins_masks: ClassVar[bool] = False
    is_recorded_in_training: ClassVar[bool] = False
    ignores_query_mask: ClassVar[bool] = False
    loses_mask_with_states: ClassVar[bool] = False

    def from_keras(self, config: Args) -> Args:
        """The class' configuration by the names of the kind's arguments; what has Keras' default is left out later."""
        return config
