"""A Keras model with everything that its deployed graph is compared with."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

import numpy as np

from nnspec.backends.base import Session
from nnspec.backends.keras.model import predict, read_weights, reset_states
from nnspec.backends.types import KerasModel
from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph, Node
from nnspec.ir.names import keras_name
from nnspec.verify.interface import deployed_order


@dataclass(frozen=True, eq=False)
class Subject:
    """What an exported model must be equal to.

    Attributes:
        model: the Keras model with the very weights.
        layout: the order of axes in the exported model, by input or output, where it is another than the spec's.
    """

    graph: Graph
    model: KerasModel
    deployment: Deployment
    _: KW_ONLY
    tolerance: float = 1e-4
    layout: Mapping[str, list[str]] = field(default_factory=dict)

    def weights_of(self, node: Node) -> dict[str, np.ndarray]:
        """A node's weights, where the Keras model has a layer of its name."""
        layer = next((layer for layer in self.model.layers if layer.name == keras_name(node.name)), None)
        return read_weights(node, layer) if node.weights and layer is not None else {}

    def predicted(self, raw: Mapping[str, np.ndarray], *, is_carried: bool = False) -> dict[str, np.ndarray]:
        """What the Keras model gives, before scaling is undone.

        Args:
            is_carried: whether states go on from the call before; they are zeros otherwise.
        """
        if not is_carried:
            reset_states(self.model)
        with warnings.catch_warnings():  # Keras warns of every softmax over one position, which an open axis may have
            warnings.filterwarnings("ignore", "You are using a softmax", UserWarning)
            return predict(self.model, self.graph, self.deployment.to_network(raw))

    def feed(self, session: Session, raw: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The raw inputs in the axis order of the exported model, and zeros for recurrent state."""
        result = {}
        columns = self.deployment.column_ports
        for name, value in raw.items():
            if name in columns:  # whose axes have one order
                result[name] = np.ascontiguousarray(value.astype(object) if value.dtype.kind == "U" else value)
                continue
            names = ["batch", *(a.name for a in self.graph.inputs[name].axes)]
            order = deployed_order(self.layout, name, names)
            moved = np.ascontiguousarray(np.transpose(value, [names.index(a) for a in order]))
            result[name] = moved.astype(object) if moved.dtype.kind == "U" else moved
        batch = len(next(iter(raw.values())))
        for name, sizes in session.inputs.items():
            if name not in result:
                result[name] = np.zeros([batch if size is None else size for size in sizes], np.float32)
        return result
