"""What an ONNX model must be before its values are looked at: well-formed, standard, with its spec's interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.data.deployment import Deployment, label_axes, label_name
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.ir.graph import Graph

if TYPE_CHECKING:
    import onnx
    import onnxruntime

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
        raise fault("NN702", f"the ONNX model is not well-formed: {str(error).splitlines()[0]}") from None
    declared = {opset.domain for opset in proto.opset_import}
    used = {node.domain for node in proto.graph.node}
    foreign = (declared | used) - STANDARD_DOMAINS
    if foreign or used - declared - {""}:
        raise fault("NN702", f"the ONNX model uses operators outside the standard: {', '.join(sorted(foreign))}")
    control = {node.op_type for node in proto.graph.node} & CONTROL_FLOW
    undeclared = sorted(control - {op for needs in control_flow(graph).values() for op in needs})
    if undeclared:
        raise fault("NN702", f"the ONNX model holds control flow ({', '.join(undeclared)}), which few runtimes take")


def control_flow(graph: Graph) -> dict[str, dict[str, str]]:
    """Per node, the ops with a body that its layer declares that it cannot do without, and why."""
    needs = {node.name: dict(node.layer.control_flow(node)) for node in graph.nodes}
    return {name: ops for name, ops in needs.items() if ops}


def check_interface(
    proto: onnx.ModelProto, graph: Graph, deployment: Deployment, layout: Mapping[str, list[str]]
) -> None:
    """Inputs and outputs are those of the spec, each with as many axes.

    Raises:
        SpecError: NN703.
    """
    wanted_in = {
        name: deployed_order(layout, name, ["batch", *(a.name for a in v.axes)]) for name, v in graph.inputs.items()
    }
    wanted_out: dict[str, list[str]] = {}
    for name, output in graph.outputs.items():
        wanted_out[name] = deployed_order(layout, name, ["batch", *(a.name for a in output.value.axes)])
        if deployment.labels(output) is not None:
            wanted_out[label_name(name)] = [
                a for a in deployed_order(layout, name, label_axes(output)) if a in label_axes(output)
            ]
    for what, wanted, ports in (
        ("input", wanted_in, proto.graph.input),
        ("output", wanted_out, proto.graph.output),
    ):
        found = {port.name: len(port.type.tensor_type.shape.dim) for port in ports}
        missing = [name for name in wanted if name not in found]
        if missing:
            raise fault("NN703", f"the ONNX model lacks the {what} `{missing[0]}`; it has {', '.join(found)}")
        for name, axes in wanted.items():
            if found[name] != len(axes):
                raise fault("NN703", f"{what} `{name}` has {found[name]} axes in the ONNX model, not {axes}")


def deployed_order(layout: Mapping[str, list[str]], name: str, axes: list[str]) -> list[str]:
    """The axes of an input or output in the order that the model has them."""
    return list(layout.get(name, axes))


def open_session(proto: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """The model in ONNX Runtime, on one thread, so that results do not depend on their number.

    Raises:
        SpecError: NN702 where it does not load.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise fault("NN702", f"ONNX Runtime does not load the model: {str(error).splitlines()[0]}") from None


def run_session(session: onnxruntime.InferenceSession, feed: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """The model's outputs by name.

    Raises:
        SpecError: NN702 where it fails: what it declares says nothing of what its nodes do with values.
    """
    names = [port.name for port in session.get_outputs()]
    try:
        return dict(zip(names, session.run(None, dict(feed)), strict=True))
    except Exception as error:  # ONNX Runtime has a class of error for each of its status codes
        shapes = ", ".join(f"`{name}` {value.shape}" for name, value in feed.items())
        reason = str(error).splitlines()[0]
        raise fault("NN702", f"ONNX Runtime fails on the model, given {shapes}: {reason}") from None


def arrange(array: np.ndarray, name: str, order: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """An output whose axes are in the model's `order`, with the `wanted` order of the same axes.

    Raises:
        SpecError: NN703 where it has another number of axes.
    """
    if array.ndim != len(order):
        axes = ", ".join(order)
        raise fault("NN703", f"output `{name}` has shape {array.shape} when the model runs, not the axes ({axes})")
    return np.transpose(array, [order.index(axis) for axis in wanted])


def fault(code: str, message: str) -> SpecError:
    return SpecError.single(code, message, Span(Source("model.onnx", "")))
