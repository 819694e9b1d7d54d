"""The ONNX lowering of a layer, besides the nodes that `Layer.to_onnx` writes."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.ir.axes import Axes
from nnspec.ir.graph import Node


class OnnxLowering:
    """What a kind's nodes need in the deployed graph."""

    def opset(self, node: Node) -> int:
        """The oldest operator set that the node's lowering can do with."""
        return 17

    def control_flow(self, node: Node) -> Mapping[str, str]:
        """The ops with a body (Scan) that the node cannot do without in ONNX, and why; the gate lets no others pass."""
        return {}

    def state_axes(self, node: Node) -> Mapping[str, Axes]:
        """Axes of the states that the deployed graph takes by these names, and gives with `_next` behind them."""
        return {}
