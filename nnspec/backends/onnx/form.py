"""Checks of an ONNX model before its values are compared: well-formed, only standard operators, no loops."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnspec.diagnostics import Source, Span, SpecError
from nnspec.ir.graph import Graph

if TYPE_CHECKING:
    import onnx

STANDARD_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
CONTROL_FLOW = {"Loop", "If", "Scan"}


def check_form(proto: onnx.ModelProto, graph: Graph) -> None:
    """Well-formed, of standard operators, and without control flow that no layer declares.

    Raises:
        SpecError: NN702.
    """
    import onnx

    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise fault(f"the ONNX model is not well-formed: {str(error).splitlines()[0]}") from None
    declared = {opset.domain for opset in proto.opset_import}
    used = {node.domain for node in all_nodes(proto.graph)}
    foreign = (declared | used) - STANDARD_DOMAINS
    if foreign or used - declared - {""}:
        raise fault(f"the ONNX model uses operators outside the standard: {', '.join(sorted(foreign))}")
    control = {node.op_type for node in all_nodes(proto.graph)} & CONTROL_FLOW
    undeclared = sorted(control - {op for needs in control_flow(graph).values() for op in needs})
    if undeclared:
        raise fault(f"the ONNX model has control flow ({', '.join(undeclared)}), which few runtimes support")


def holds_text(proto: onnx.ModelProto) -> bool:
    """Whether a constant or an input holds text."""
    import onnx

    text = onnx.TensorProto.STRING
    return any(tensor.data_type == text for tensor in proto.graph.initializer) or any(
        port.type.tensor_type.elem_type == text for port in proto.graph.input
    )


def control_flow(graph: Graph) -> dict[str, dict[str, str]]:
    """Per node, the ops with a body that its layer declares that it cannot do without, and why."""
    needs = {node.name: dict(node.layer.control_flow(node)) for node in graph.nodes}
    return {name: ops for name, ops in needs.items() if ops}


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Every node, and those in the bodies of loops and branches."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from all_nodes(attribute.g)


def fault(message: str) -> SpecError:
    """NN702 of a model that has no place in a spec."""
    return SpecError.single("NN702", message, Span(Source("model.onnx", "")))
