"""SpectralNormalization, a wrapper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.ir.graph import Node, Weight
from nnspec.ir.names import keras_name
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred, Layer
from nnspec.layers.wrappers.time_distributed import keras_inner, layer_argument, layer_source, wrapped_kind

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable


class SpectralNormalization(Layer):
    """Divides the wrapped layer's kernel by its largest singular value at each training step, which bounds the layer's
    Lipschitz constant (Miyato et al., Spectral Normalization for GANs, 2018).

    The value comes from `power_iterations` steps of the power method, which start where the last training step ended.
    At inference the kernel is fixed, and the wrapper does nothing.

    Input axes:  those of the wrapped layer
    Output axes: likewise
    Weights:     the kernel (or embeddings), vector_u (1, last axis of the kernel), then the layer's others
    """

    kind = "SpectralNormalization"
    needs_tensorflow = True  # JAX forgets the kernel that a training step divided, so it would deploy another
    args = {
        "layer": a.Arg(layer_argument("The layer with the kernel."), "The layer with the kernel."),
        "power_iterations": a.integer("Number of power iterations per training step.", 1),
    }

    def infer(self, call: Call) -> Inferred:
        source = layer_source(call)
        from nnspec.layers.registry import REGISTRY

        kind = wrapped_kind(source)
        if kind not in REGISTRY or not REGISTRY[kind].has_one_kernel:
            call.fail(
                "NN208",
                f"`SpectralNormalization` needs a layer with exactly one kernel, which `{kind}` does not have",
                "layer",
                notes=["it wraps dense layers, convolutions and embeddings"],
            )
        inner = call.infer_inner(call, source, call.inputs) if call.infer_inner else None
        assert inner is not None
        if inner.args.get("lora_rank"):
            call.fail("NN208", "`SpectralNormalization` does not support a kernel with `lora_rank`", "layer")
        first, *others = inner.weights
        vector = Weight("vector_u", (1, first.shape[-1]), False)
        return Inferred(
            tuple(made.axes for made in inner.outputs),
            dtypes=tuple(made.dtype for made in inner.outputs),
            weights=(first, vector, *others),
            formula=f"{inner.formula} + {first.shape[-1]}",
            windows=inner.windows,
            notes=inner.notes,
            inner=inner,
        )

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        from nnspec.backends.keras.layers.attention import FloatSpectralNormalization

        assert node.inner is not None
        reads_ids = not node.inputs[0].dtype.startswith("float")
        made = FloatSpectralNormalization if reads_ids else keras.layers.SpectralNormalization
        layer: KerasCallable = made(
            keras_inner(node.inner), power_iterations=node.args["power_iterations"], name=keras_name(node.name)
        )
        return layer

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        assert node.inner is not None
        return node.inner.layer.to_onnx(node.inner, inputs, lowering)


LAYERS = (SpectralNormalization(),)
