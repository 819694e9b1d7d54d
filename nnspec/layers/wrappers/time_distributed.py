"""Wrappers: what all of them share, and TimeDistributed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix, Reason
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Scalar
from nnspec.document.types import JsonSchema
from nnspec.ir import axes as ax
from nnspec.ir.graph import Args, Node
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred, Layer, is_deep
from nnspec.layers.kit.contracts import reorder_fixes
from nnspec.layers.kit.held_layer import HeldLayer
from nnspec.layers.wrappers import nested_masks
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np

    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasLayer, KerasTensor, KerasVariable


def layer_argument(what: str) -> JsonSchema:
    return {"allOf": [{"$ref": "#/definitions/layer"}], "description": what}


def wrapped_kind(source: SourceNode) -> str:
    """The kind of a layer that stands as an argument."""
    if isinstance(source, MappingNode) and len(source.entries) == 1:
        return next(iter(source.entries))
    return str(source.value) if isinstance(source, Scalar) else ""


def check_inner_body(call: Call, source: SourceNode, arg: str) -> None:
    """The wrapper is the node: it has the name and reads."""
    body = next(iter(source.entries.values())) if isinstance(source, MappingNode) and source.entries else None
    for key in ("name", "from", "when"):
        if isinstance(body, MappingNode) and key in body.entries:
            call.fail("NN208", f"`{key}` belongs to the `{call.kind}`, not to the layer that it wraps", arg)
    from nnspec.layers.registry import REGISTRY

    kind = wrapped_kind(source)
    for key in REGISTRY[kind].references if kind in REGISTRY else ():
        if isinstance(body, MappingNode) and key in body.entries:
            call.fail("NN208", f"`{call.kind}` wraps a layer with one input, but `{key}` names another", arg)


def layer_source(call: Call, arg: str = "layer") -> SourceNode:
    source = call.node(arg)
    assert source is not None, "the schema requires it"
    check_inner_body(call, source, arg)
    return source


@dataclass(eq=False)
class Distributed(HeldLayer):
    """What computes a TimeDistributed in Keras: the wrapped layer, called on what is folded into batch."""

    inner: Node

    def adapt(self, data: KerasTensor) -> None:
        """Shows the wrapped layer every position of the first axis."""
        self.inner.layer.adapt(self.layer, self.inner, data.reshape(-1, *data.shape[2:]))


def keras_inner(node: Node) -> KerasLayer:
    """The Keras layer of a wrapped node."""
    layer: KerasLayer = node.layer.to_keras(node)
    if node.args.get("trainable") is False:
        layer.trainable = False
    return layer


class TimeDistributed(Layer):
    """Applies a layer to every position of the first axis separately, with the same weights: that axis counts as batch.

    Keras' own class loops over the steps and is wrong if their number is unknown; nnspec folds the axis into batch, in
    Keras and in ONNX, with the same result. Any layer with one input can be wrapped, and any axis can come first;
    `over` states which one is intended, and is checked. A mask along that axis is kept. A mask along the next axis,
    which differs by position (the words of each sentence), belongs to the wrapped layer; if that reduces the axis,
    positions without any data are masked after it.

    Input axes:  `batch feature time channel`
    Output axes: `batch feature time filter` with `layer: {Conv1D: …}`
    Weights:     those of the layer
    """

    kind = "TimeDistributed"
    repeats_inner = True
    adapts_within = True
    reads_text = True
    steps = True
    args = {"layer": a.Arg(layer_argument("The layer to apply."), "The layer to apply.")}

    def infer(self, call: Call) -> Inferred:
        from nnspec.layers.registry import REGISTRY

        source = layer_source(call)
        kind = wrapped_kind(source)
        if REGISTRY[kind].arity[0] > 1:
            call.fail("NN404", f"`TimeDistributed` wraps layers with one input, but `{kind}` joins several", "layer")
        if len(call.axes) < 2:
            call.fail(
                "NN310",
                f"`TimeDistributed` needs an axis to iterate over and at least one for its layer, but its input is "
                f"{ax.describe(call.axes)}",
                notes=("the batch axis is not counted",),
                fixes=[Fix(f"leave out `TimeDistributed`: `{kind}` alone reads all of its input")],
                about=[*call.axes],
            )
        first = call.axes[0]
        if call.over is not None and call.over != (first.name,):
            self.fail_over(call)
        value = nested_masks.each_position(call.input)
        inner = call.infer_inner(call, source, (value,), stripped=first.name) if call.infer_inner else None
        assert inner is not None
        if inner.is_stateful:
            call.fail(
                "NN208",
                f"`{kind}` cannot be stateful here: its batch includes all positions of `{first.name}`",
                "layer",
            )
        outer = nested_masks.output_masks(call.input, inner)
        if outer is None:
            self.warn_of_inner_mask(call, inner)
        plain = call.input.mask if is_positionwise(inner) or call.input.mask == first.name else None
        outputs = tuple(call.require_unique((first, *made.axes)) for made in inner.outputs)
        return Inferred(
            outputs,
            dtypes=tuple(made.dtype for made in inner.outputs),
            ports=tuple(made.port for made in inner.outputs),
            weights=inner.weights,
            formula=inner.formula,
            mask=plain,
            masks=() if outer is None else tuple(mask for mask, _ in outer),
            outer=() if outer is None else tuple(before for _, before in outer),
            notes=inner.notes,
            inner=inner,
            windows={place + 1: window for place, window in inner.windows.items()},
        )

    def warn_of_inner_mask(self, call: Call, inner: Node) -> None:
        """The input has a mask along the first axis; one that the wrapped layer makes behind it ends here: NN319."""
        lost = next((made.mask for made in inner.outputs if made.mask is not None), None)
        if lost is not None:
            call.warn(
                "NN319",
                f"`TimeDistributed` drops the mask that its `{inner.kind}` creates along `{lost}`: padding "
                f"counts as data",
                "layer",
                notes=[f"its input has a mask along `{call.input.mask}` already"],
                about=[lost],
            )

    def why(self, node: Node) -> dict[str, str]:
        assert node.inner is not None
        first = node.inputs[0].axes[0]
        return {
            "layer": f"`{node.inner.kind}` is applied to each position of {say.with_size(first)} separately, "
            f"with the same weights; one reads {ax.describe(node.inner.inputs[0].axes)} and makes "
            f"{ax.describe(node.inner.outputs[0].axes)}."
        }

    def fail_over(self, call: Call) -> None:
        """`over` names another axis than the first."""
        names = call.over or ()
        first = call.axes[0].name
        wanted = [call.axes[call.axis_index(name, "over")] for name in names]
        call.fail(
            "NN309",
            f"`TimeDistributed` is meant to run over {', '.join(f'`{name}`' for name in names)}, "
            f"but it runs over the first axis, `{first}`",
            "over",
            notes=[f"it reads {ax.describe(call.axes)}"],
            fixes=reorder_fixes(call, wanted, (0,)) if len(wanted) == 1 else [],
            about=[first, *names],
            reason=Reason.AXES_RUN_ALONG,
        )

    def opset(self, node: Node) -> int:
        assert node.inner is not None
        return node.inner.layer.opset(node.inner)

    def adapts(self, node: Node) -> bool:
        assert node.inner is not None
        return node.inner.layer.adapts(node.inner)

    def lacks_vocabulary(self, node: Node) -> bool:
        assert node.inner is not None
        return node.inner.layer.lacks_vocabulary(node.inner)

    def vocabulary_of(self, node: Node, read: Sequence[np.ndarray]) -> Args:
        assert node.inner is not None
        return node.inner.layer.vocabulary_of(node.inner, [data.reshape(-1, *data.shape[2:]) for data in read])

    def index_count(self, node: Node) -> int | None:
        assert node.inner is not None
        return node.inner.layer.index_count(node.inner)

    def examples(self, node: Node) -> Sequence[str | int]:
        assert node.inner is not None
        return node.inner.layer.examples(node.inner)

    # -------------------------------------------------------------------------------------------- Keras

    def to_keras(self, node: Node) -> KerasCallable:
        assert node.inner is not None
        return Distributed(keras_inner(node.inner), node.inner)  # type: ignore[return-value]

    def call_keras(self, layer: KerasLayer, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        assert node.inner is not None
        whole = tensors[0]
        if is_positionwise(node.inner) and not is_deep(node.outputs[0].axes):
            return node.inner.layer.call_keras(layer.layer, node.inner, [whole])
        folded = _fold_into_batch(node, whole)
        made = node.inner.layer.call_keras(layer.layer, node.inner, [folded])
        parts = list(made) if isinstance(made, list | tuple) else [made]
        results = [
            nested_masks.unfold_keras_mask(node, i, folded, part, _unfold_from_batch(node, part, whole, i))
            for i, part in enumerate(parts)
        ]
        return results if isinstance(made, list | tuple) else results[0]

    def keras_weights(self, layer: KerasLayer) -> list[KerasVariable]:
        return list(layer.inner.layer.keras_weights(layer.layer))

    # -------------------------------------------------------------------------------------------- ONNX

    def control_flow(self, node: Node) -> Mapping[str, str]:
        assert node.inner is not None
        return node.inner.layer.control_flow(node.inner)

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        assert node.inner is not None
        view = replace(inputs[0], mask=None)
        if is_positionwise(node.inner):
            return node.inner.layer.to_onnx(node.inner, [view], lowering)
        batch, first = view.axes[0], view.axes[1]
        mask = nested_masks.folded_mask(node, inputs[0], lowering)
        folded = replace(view, axes=((*batch, *first), *view.axes[2:]), mask=mask)
        result = []
        for i, made in enumerate(node.inner.layer.to_onnx(node.inner, [folded], lowering)):
            around = nested_masks.unfolded_mask(node, i, made.mask or mask, (batch, first), lowering)
            made = replace(made, mask=None)
            if made.axes[0] != folded.axes[0]:  # the layer renamed its batch
                assert len(made.axes[0]) == 1
                made = made.substituted({made.axes[0][0]: folded.axes[0]})
            result.append(replace(made, axes=(batch, first, *made.axes[1:]), mask=around))
        return result


def is_positionwise(inner: Node) -> bool:
    return inner.layer.is_positionwise


def _fold_into_batch(node: Node, whole: KerasTensor) -> KerasTensor:
    """The Keras tensor with the first axis in batch."""
    from keras import ops

    rest = [axis.size for axis in node.inputs[0].axes[1:]]
    if all(isinstance(size, int) for size in rest):
        folded = ops.reshape(whole, (-1, *rest))
    else:
        from nnspec.backends.keras.layers.axes import FoldIntoBatch

        folded = FoldIntoBatch()(whole)
    return nested_masks.fold_keras_mask(node, whole, folded)


def _unfold_from_batch(node: Node, made: KerasTensor, whole: KerasTensor, index: int) -> KerasTensor:
    from keras import ops

    sizes = [axis.size for axis in node.outputs[index].axes]
    if all(isinstance(size, int) for size in sizes) and node.outputs[index].mask is None:
        return ops.reshape(made, (-1, *sizes))
    from nnspec.backends.keras.layers.axes import UnfoldFromBatch

    return UnfoldFromBatch()([made, whole])


LAYERS = (TimeDistributed(),)
