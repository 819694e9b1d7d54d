"""Layers of a package with a mistake each, such as their authors make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nnspec.ir.graph import Node
from nnspec.layers.kit.base import Call, Inferred, Layer


class Right(Layer):
    """Gives what it reads."""

    kind = "Right"

    def infer(self, call: Call) -> Inferred:
        return Inferred((call.axes,), mask=call.input.mask)

    def to_keras(self, node: Node) -> Callable[..., Any]:
        return lambda x: x * 1.0

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        return [lowering.elementwise("Identity", inputs[0])]


class ReadsView(Right):
    kind = "ReadsView"

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        return [lowering.elementwise("Add", inputs[0], inputs[0])]


class ReturnsNone(Right):
    kind = "ReturnsNone"

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        lowering.elementwise("Identity", inputs[0])


class UnknownOperator(Right):
    kind = "UnknownOperator"

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        return [lowering.elementwise("Squarish", inputs[0])]


class UnknownTensor(Right):
    kind = "UnknownTensor"

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        return [lowering.elementwise("Add", inputs[0], "nowhere")]


class FewAxes(Right):
    kind = "FewAxes"

    def to_onnx(self, node: Node, inputs: list[Any], lowering: Any) -> Any:
        return [replace(inputs[0], axes=inputs[0].axes[:1])]


class TwoTensors(Right):
    kind = "TwoTensors"

    def to_keras(self, node: Node) -> Callable[..., Any]:
        return lambda x: (x, x)


class InfersNone(Right):
    kind = "InfersNone"

    def infer(self, call: Call) -> Any:
        return None


class InfersFlat(Right):
    kind = "InfersFlat"

    def infer(self, call: Call) -> Any:
        return Inferred(call.axes)  # type: ignore[arg-type]


class Exits(Right):
    kind = "Exits"

    def infer(self, call: Call) -> Any:
        raise SystemExit(3)


class ListedArguments(Right):
    kind = "ListedArguments"
    args = ["slope"]  # type: ignore[assignment]


class Repeat(Right):
    kind = "repeat"


class Undescribed(Right):
    kind = "Undescribed"

    def why(self, node: Node) -> dict[str, str]:
        return None  # type: ignore[return-value]
