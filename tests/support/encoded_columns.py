"""A column's encoding as the deployed graph has it, run by itself in ONNX Runtime."""

from __future__ import annotations

import numpy as np
import onnxruntime

from nnspec.backends.onnx.builder import GraphBuilder, Port
from nnspec.backends.onnx.columns import columns_opset, encode_columns
from nnspec.backends.onnx.lowering import Lowering
from nnspec.data.deployment import Deployment
from nnspec.data.prepare.encodings.base import Encoding
from nnspec.data.prepare.encodings.columns import FEATURE, STEP, EncodedInput
from nnspec.ir.opset import DEFAULT


def run_graph(encoding: Encoding, raw: np.ndarray) -> np.ndarray:
    """Raw values, axes `batch` or `batch step`, through the nodes of a column: axes `batch *step feature`."""
    encoded = EncodedInput({"raw": encoding}, (*[STEP] * (raw.ndim - 1), FEATURE))
    opset = max(DEFAULT, columns_opset(Deployment(columns={"x": encoded})))
    builder = GraphBuilder(name="column", opset=opset)
    lowering = Lowering(builder)
    lowering.stem = "column"
    dims = [(lowering.factor(name, size), size) for name, size in zip(("batch", "step"), raw.shape, strict=False)]
    port = lowering.declare_input("raw", encoding.dtype, dims)
    view = encode_columns(lowering, encoded, {"raw": port})
    builder.outputs.append(Port(view.tensor, "float32", (*raw.shape, len(encoding.features))))
    model = builder.to_model({}, "")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"raw": raw})
    return np.asarray(found)
