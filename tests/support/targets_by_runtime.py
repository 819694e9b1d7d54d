"""What runtimes themselves say of an exported file, in the form in which it is foreseen."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import onnx
from onnxruntime.tools.mobile_helpers import usability_checker

from nnspec.backends.targets import Foreseen

Refused = dict[str, set[str]]  # by layer, the operators


@dataclass(frozen=True)
class Said:
    """Figures, and what is refused by layer."""

    nodes: int
    taken: int
    partitions: int
    verdict: str
    refused: Refused


def foreseen(found: Foreseen) -> Said:
    refused = {layer: set(operators) for layer, operators in found.refused.items()}
    return Said(found.nodes, found.taken, found.partitions, found.verdict, refused)


def by_checker(model: onnx.ModelProto, target: str) -> Said | None:
    """ONNX Runtime's usability checker; None where it wants shapes and ONNX infers none."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    if not inferred.graph.value_info and len(inferred.graph.node) > 1:
        return None
    if target == "coreml":
        info = usability_checker.check_coreml_partitions(inferred, True, "coreml_supported_mlprogram_ops.md")
    else:
        info = usability_checker.check_nnapi_partitions(inferred, True)
    taken = {node.name for group in info.supported_groups for node in group}
    verdict = info.suitability().name.lower() if info.num_nodes else "no"
    refused = refusals(model.graph, taken)
    return Said(info.num_nodes, info.num_supported_nodes, info.num_partitions, verdict, refused)


def refusals(graph: onnx.GraphProto, taken: set[str]) -> Refused:
    """The operators that are not taken, by layer: nodes are called `LAYER/OPERATOR`, and bodies are their layer's."""
    found: Refused = {}
    for node in graph.node:
        layer = node.name.rpartition("/")[0]
        if node.name not in taken:
            found.setdefault(layer, set()).add(node.op_type)
        for attribute in node.attribute:
            if attribute.HasField("g") and (inner := refusals(attribute.g, taken)):
                found.setdefault(layer, set()).update(*inner.values())
    return found


def by_openvino(model: onnx.ModelProto) -> Refused:
    """What OpenVINO converts in no way."""
    from openvino.frontend import FrontEndManager

    frontend = FrontEndManager().load_by_framework("onnx")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save(model, path)
        made = frontend.convert_partially(frontend.load(str(path)))
        kinds = ("ONNXFrameworkNode", "NotSupportedONNXNode")
        left = {each.get_friendly_name() for each in made.get_ops() if each.get_type_name() in kinds}
    return refusals(model.graph, {node.name for node in model.graph.node if not left & set(node.output)})
