"""What stands for a Keras layer in a model: it holds one, and calls it on other tensors or with other masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from nnspec.backends.types import KerasLayer


@dataclass(eq=False)
class HeldLayer:
    """A Keras layer that is called in a way of its own; whether it is trained is the layer's own matter."""

    layer: KerasLayer

    @property
    def trainable(self) -> bool:
        return bool(self.layer.trainable)

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.layer.trainable = value
