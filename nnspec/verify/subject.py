"""A Keras model with all that a deployed graph of it is compared with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from nnspec.backends.keras.model import predict, read_weights, reset_states
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph, Node
from nnspec.ir.names import keras_name
from nnspec.verify.form import deployed_order

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True, eq=False)
class Subject:
    """What an ONNX model must be equal to.

    Attributes:
        model: the Keras model with the very weights.
        layout: the order of axes in the ONNX model, by input or output, where it is another than the spec's.
    """

    graph: Graph
    model: Any
    deployment: Deployment
    tolerance: float = 1e-4
    layout: Mapping[str, list[str]] = field(default_factory=dict)

    def weights_of(self, node: Node) -> dict[str, np.ndarray]:
        """A node's weights, where the Keras model has a layer of its name."""
        layer = next((layer for layer in self.model.layers if layer.name == keras_name(node.name)), None)
        return read_weights(node, layer) if node.weights and layer is not None else {}

    def predicted(self, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the Keras model gives, before scaling is undone."""
        reset_states(self.model)
        with warnings.catch_warnings():  # Keras warns of every softmax over one position, which an open axis may have
            warnings.filterwarnings("ignore", "You are using a softmax", UserWarning)
            return predict(self.model, self.graph, self.deployment.to_network(raw))

    def feed(self, session: onnxruntime.InferenceSession, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The raw inputs in the axis order of the ONNX model, and zeros for recurrent state."""
        result = {}
        for name, value in raw.items():
            names = ["batch", *(a.name for a in self.graph.inputs[name].axes)]
            order = deployed_order(self.layout, name, names)
            moved = np.ascontiguousarray(np.transpose(value, [names.index(a) for a in order]))
            result[name] = moved.astype(object) if moved.dtype.kind == "U" else moved
        batch = len(next(iter(raw.values())))
        for port in session.get_inputs():
            if port.name not in result:
                shape = [d if isinstance(d, int) else batch for d in port.shape]
                result[port.name] = np.zeros(shape, np.float32)
        return result
