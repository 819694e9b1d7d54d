"""tf2onnx for a single layer without a lowering in nnspec, merged into the graph as a fragment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.backends.onnx.lowering import Lowering
from nnspec.backends.onnx.view import Group, View
from nnspec.backends.types import KerasLayer, Tensor
from nnspec.diagnostics import Fix, SpecError
from nnspec.ir.axes import Size
from nnspec.ir.graph import Node, Value

if TYPE_CHECKING:
    import onnx


def lower_by_tf2onnx(lowering: Lowering, node: Node, views: list[View], layer: KerasLayer) -> list[View]:
    """The node's outputs by tf2onnx.

    Raises:
        SpecError: NN601 where tf2onnx cannot convert the layer either, or Keras does not run on TensorFlow.
    """
    import keras
    import numpy as np

    if keras.backend.backend() != "tensorflow":
        raise SpecError.single(
            "NN601",
            f"`{node.kind}` has no lowering to ONNX, and tf2onnx only converts what runs on TensorFlow",
            node.span,
            notes=[f"Keras runs on `{keras.backend.backend()}`"],
            fixes=[Fix("train on TensorFlow: `backend: tensorflow`")],
        )
    import tf2onnx
    from onnx import numpy_helper

    from nnspec.backends.keras.tensorflow.backend import TENSORFLOW

    flat = [lowering.canonical(view) for view in views]

    def call(*tensors: Tensor) -> Tensor:
        return node.layer.call_keras(layer, node, list(tensors))

    fragment, signature = TENSORFLOW.traced(call, [(_shape(value), value.dtype) for value in node.inputs])
    try:
        proto, _ = tf2onnx.convert.from_function(fragment, signature, opset=min(lowering.graph.opset, 18))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError.single(
            "NN601",
            f"`{node.kind}` has no lowering to ONNX, and tf2onnx cannot convert `{node.name}`: {reason}",
            node.span,
        ) from None
    control = sorted({made.op_type for made in proto.graph.node} & {"Loop", "If", "Scan"})
    if control:
        raise SpecError.single(
            "NN601",
            f"`{node.kind}` has no lowering to ONNX for these arguments, and tf2onnx would write a {control[0]} for "
            f"`{node.name}`, which few runtimes support",
            node.span,
        )
    names = {port.name: view.tensor for port, view in zip(proto.graph.input, flat, strict=True)}
    for initializer in proto.graph.initializer:
        array = np.array(numpy_helper.to_array(initializer))
        names[initializer.name] = lowering.constant(array, initializer.name.replace("/", "_"))
    for made in proto.graph.node:
        attributes = {a.name: _attribute(a) for a in made.attribute}
        inputs = [names[i] if i else "" for i in made.input]
        outputs = lowering.graph.add(
            made.op_type,
            inputs,
            stem=lowering.stem,
            outputs=len(made.output),
            attributes=attributes,
            domain=made.domain,
        )
        names.update(zip(made.output, outputs, strict=True))
    for entry in proto.opset_import:
        if entry.domain not in ("", "ai.onnx"):
            lowering.graph.domains[entry.domain] = entry.version
    return [
        _view(lowering, value, names[port.name], views[0].axes[0])
        for value, port in zip(node.outputs, proto.graph.output, strict=True)
    ]


def _shape(value: Value) -> list[int | None]:
    return [None, *(axis.size if isinstance(axis.size, int) else None for axis in value.axes)]


def _attribute(attribute: onnx.AttributeProto) -> object:
    from onnx import helper

    return helper.get_attribute_value(attribute)


def _view(lowering: Lowering, value: Value, tensor: str, batch: Group) -> View:
    sizes: list[tuple[str, Size]] = [(axis.name, axis.size) for axis in value.axes]
    groups = (batch, *(lowering.factor(name, size) for name, size in sizes))
    return View(tensor, groups, groups, value.dtype)
