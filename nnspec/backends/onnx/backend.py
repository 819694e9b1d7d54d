"""ONNX as a format to export to: what the rest of nnspec sees of this package.

    model = ONNX.lower(network)
    model.check_form(network.graph)
    model.open().run({"x": x})

Any other ONNX model can stand in its place, an altered one too: `Gate(...).run(OnnxModel(proto))`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nnspec import __version__
from nnspec.backends.base import Deployable
from nnspec.backends.onnx.builder import GraphBuilder
from nnspec.backends.onnx.columns import column_ports, columns_opset
from nnspec.backends.onnx.deploy import prepare_input, restore_outputs
from nnspec.backends.onnx.doc_strings.model import doc_string
from nnspec.backends.onnx.doc_strings.nodes import describe_nodes
from nnspec.backends.onnx.doc_strings.ports import port_docs
from nnspec.backends.onnx.export import Exported, Fallback, export_graph
from nnspec.backends.onnx.fallback import lower_by_tf2onnx
from nnspec.backends.onnx.form import all_nodes, check_form, control_flow, holds_text
from nnspec.backends.onnx.session import OnnxSession
from nnspec.backends.onnx.targets.sketch import SketchBuilder, stand_in_weights
from nnspec.backends.onnx.targets.supported_nodes import foresee
from nnspec.backends.targets import Foreseen
from nnspec.data.deployment import label_name
from nnspec.diagnostics import SpecError
from nnspec.document.types import JsonObject
from nnspec.ir.graph import Graph
from nnspec.ir.opset import needed_opset
from nnspec.runtime.ports import METADATA_KEY

if TYPE_CHECKING:
    import numpy as np
    import onnx

OLDEST_OPSET, NEWEST_OPSET = 17, 24


@dataclass(frozen=True, kw_only=True)
class OnnxBackend:
    """Lowers graphs to ONNX layer by layer, and reads ONNX files."""

    name: str = "onnx"
    title: str = "ONNX"
    runtime: str = "ONNX Runtime"
    suffix: str = ".onnx"
    packages: tuple[str, ...] = ("onnx", "onnxruntime")
    newest_opset: int = NEWEST_OPSET

    def lower(self, network: Deployable) -> OnnxModel:
        """The network as an ONNX model, with its data scaling and labels.

        Raises:
            SpecError: NN601 where a layer has no lowering and tf2onnx finds none, NN603 where onnx lacks the opset.
        """
        exported = _walk(
            network,
            GraphBuilder(name=network.graph.name, opset=_opset(network)),
            lambda lowering, node, views: lower_by_tf2onnx(lowering, node, views, network.layers[node.name]),
        )
        describe_nodes(network.graph, exported)
        states = {state.input: state.output for state in exported.states}
        proto = exported.builder.to_model({}, __version__)
        return OnnxModel(proto, source=network, lowered_by=exported.lowered_by, states=states)

    def needed_opset(self, network: Deployable) -> int:
        return max(needed_opset(network.graph), columns_opset(network.deployment))

    def foresee(self, network: Deployable, targets: Sequence[str]) -> list[Foreseen]:
        opset = int(network.options.get("opset", self.needed_opset(network)))
        sketch = SketchBuilder(name=network.graph.name, opset=opset)
        _walk(replace(network, weights=stand_in_weights(network.graph)), sketch, None)
        sketch.prune()
        return foresee(sketch, targets)

    def parse(self, data: bytes) -> OnnxModel:
        import onnx

        return OnnxModel(onnx.load_model_from_string(data))


ONNX = OnnxBackend()


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """An ONNX model in memory; `nnspec.backends.base.ExportedModel` says what its members are.

    Attributes:
        proto: the model, which may be altered in place.
    """

    proto: onnx.ModelProto
    source: Deployable | None = None
    lowered_by: Mapping[str, str] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    backend: OnnxBackend = ONNX

    @property
    def metadata(self) -> JsonObject | None:
        text = next((entry.value for entry in self.proto.metadata_props if entry.key == METADATA_KEY), None)
        return None if text is None else dict(json.loads(text))

    def embed(self, metadata: JsonObject) -> None:
        from onnx import helper

        kept = {entry.key: entry.value for entry in self.proto.metadata_props}
        self.proto.doc_string = doc_string(metadata)
        docs = port_docs(metadata)
        for port in (*self.proto.graph.input, *self.proto.graph.output):
            port.doc_string = docs.get(port.name, "")
        helper.set_model_props(self.proto, {**kept, METADATA_KEY: json.dumps(metadata, ensure_ascii=False)})

    def interface(self) -> tuple[dict[str, int], dict[str, int]]:
        inputs, outputs = (
            {port.name: len(port.type.tensor_type.shape.dim) for port in ports}
            for ports in (self.proto.graph.input, self.proto.graph.output)
        )
        return inputs, outputs

    def check_form(self, graph: Graph) -> None:
        if holds_text(self.proto):
            self.open()  # which knows types; onnx' own check reads text as numbers, and ends the process
        check_form(self.proto, graph)

    def describe(self, graph: Graph) -> JsonObject:
        return {
            "nodes": dict(sorted(Counter(node.op_type for node in self.proto.graph.node).items())),
            "opset": {opset.domain or "ai.onnx": opset.version for opset in self.proto.opset_import},
            "control_flow": control_flow(graph),
        }

    def operators(self) -> dict[str, int]:
        return dict(sorted(Counter(node.op_type for node in all_nodes(self.proto.graph)).items()))

    def open(self) -> OnnxSession:
        return OnnxSession(self.proto)

    def convertible(self, variant: str, graph: Graph) -> list[str]:
        from nnspec.backends.onnx.precision.kernels import kernels_for

        return list(dict.fromkeys(kernels_for(variant, self.proto, graph).values()))

    def converted(
        self,
        variant: str,
        graph: Graph,
        samples: Callable[[], Sequence[Mapping[str, np.ndarray]]],
        without: Collection[str] = (),
    ) -> OnnxModel:
        from nnspec.backends.onnx.precision import convert
        from nnspec.backends.onnx.precision.kernels import kernels_for, nodes_at_ends

        kernels = kernels_for(variant, self.proto, graph)
        nodes = {node: layer for node, layer in kernels.items() if layer not in without}
        if variant == "float16":
            made = convert.to_float16(self.proto, nodes_at_ends(self.proto, nodes))
        elif variant == "int8":
            made = convert.to_int8(self.proto, nodes, samples())
        elif variant == "int8_weights":
            made = convert.with_stored_int8(convert.copy_of(self.proto), nodes)
        else:
            made = convert.to_int4(self.proto, nodes)
        convert.keep_docs(self.proto, made)
        result = OnnxModel(made, source=self.source, states=self.states)
        result.embed({**(self.metadata or {}), "variant": variant.removesuffix("_weights")})
        return result

    def to_bytes(self) -> bytes:
        return bytes(self.proto.SerializeToString())


def _walk(network: Deployable, builder: GraphBuilder, fallback: Fallback | None) -> Exported:
    outputs = network.graph.outputs.items()
    labels = {label_name(output): network.layout[name] for name, output in outputs if name in network.layout}
    exported = export_graph(
        network.graph,
        network.weights,
        # labels have the same axis order as their scores
        layout={**network.layout, **labels},
        before=prepare_input(network.deployment),
        after=restore_outputs(network.deployment, network.graph),
        fallback=fallback,
        columns=column_ports(network.deployment),
        builder=builder,
    )
    if (batch := network.options.get("batch")) is not None:
        builder.fix_size("batch", batch)
    return exported


def _opset(network: Deployable) -> int:
    """The operator set to write.

    Raises:
        SpecError: NN603 where the installed onnx does not know it.
    """
    import onnx

    opset = int(network.options.get("opset", ONNX.needed_opset(network)))
    newest = min(onnx.defs.onnx_opset_version(), NEWEST_OPSET)
    if not OLDEST_OPSET <= opset <= newest:
        message = f"opset {opset} is not supported here; use one from {OLDEST_OPSET} to {newest}"
        raise SpecError.single("NN603", message, network.span, path="export.opset")
    return opset
