"""The Keras lowering of a layer: its constructor, call and weights. Keras is imported inside the methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.layers.kit.args import Arg

if TYPE_CHECKING:
    from nnspec.backends.types import KerasCallable, KerasConfig, KerasLayer, KerasTensor, KerasVariable


class KerasLowering:
    """A kind in Keras: by default the class of `keras.layers` that is called like the kind, on its inputs.

    Attributes:
        call_arguments: those of `args` that Keras takes when the layer is called: a shared layer is given them at each
            use.
        has_one_kernel: whether its Keras layer has one `kernel` or `embeddings`, which SpectralNormalization divides.
        needs_tensorflow: whether Keras computes it by TensorFlow whichever engine it runs on, or fails on others.
    """

    kind: ClassVar[str]
    args: ClassVar[Mapping[str, Arg]]
    arity: ClassVar[tuple[int, int | None]]
    call_arguments: ClassVar[tuple[str, ...]] = ()
    has_one_kernel: ClassVar[bool] = False
    needs_tensorflow: ClassVar[bool] = False

    def runs_only_on_tensorflow(self, node: Node) -> bool:
        """`needs_tensorflow`, or an argument with which it does."""
        return self.needs_tensorflow

    def to_keras(self, node: Node) -> KerasCallable:
        """A Keras layer (or a callable over Keras tensors) for the node, not yet called."""
        import keras

        return getattr(keras.layers, self.kind)(name=keras_name(node.name), **self.keras_arguments(node))  # type: ignore[no-any-return]

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        """The Keras layer's outputs on Keras tensors: a tensor, or a list where the node has several."""
        return layer(tensors[0] if self.arity == (1, 1) else tensors)

    def keras_arguments(self, node: Node) -> KerasConfig:
        """The node's arguments as Keras' constructor takes them."""
        from nnspec.catalogue import keras_objects

        result: KerasConfig = {}
        for name, arg in self.args.items():
            if name in self.call_arguments:
                continue
            value = node.args[name]
            result[name] = value if arg.family is None else keras_objects.build(arg.family, value)
            if arg.family == "activations" and is_deep(node.outputs[0].axes):
                from nnspec.backends.keras.layers.axes import for_many_axes

                result[name] = for_many_axes(result[name])
        return result

    def computes_in_float32(self, node: Node) -> bool:
        """Whether it does so in mixed precision too; TensorFlow has no 16-bit kernels for channels first on a CPU."""
        return node.args.get("data_format") == "channels_first"

    def keras_weights(self, layer: KerasLayer) -> list[KerasVariable]:
        """The Keras layer's variables in the order of the node's weights."""
        return list(layer.weights)


def is_deep(axes: Axes) -> bool:
    """Whether a tensor has more axes than TensorFlow's softmax takes on a CPU: five, with batch."""
    return len(axes) > 4
