"""The base class of layers: schema, inference of axes and weights, Keras lowering and ONNX lowering.

`Layer.infer` sees a `Call` (inputs with named axes, arguments with places in the source) and returns an `Inferred`.
Frameworks are imported only inside `to_keras`; `to_onnx` works on a builder and never imports onnx itself:

    class Double(Layer):  # its docstring is the kind's page
        kind = "Double"

        def infer(self, call: Call) -> Inferred:
            call.require_float()
            return Inferred((call.axes,), mask=call.input.mask)

        def to_keras(self, node: Node) -> KerasCallable:
            return lambda tensor: tensor * 2

        def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
            return [lowering.elementwise("Mul", inputs[0], lowering.scalar(2.0))]
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from nnspec.ir.graph import Node, Window
from nnspec.ir.layer_failure import NoLowering
from nnspec.layers.kit.args import Arg
from nnspec.layers.kit.call import Call, insert_items
from nnspec.layers.kit.facets.explanation import Explanation
from nnspec.layers.kit.facets.importing import Importing
from nnspec.layers.kit.facets.keras_lowering import KerasLowering, is_deep
from nnspec.layers.kit.facets.learning import Learning
from nnspec.layers.kit.facets.onnx_lowering import OnnxLowering
from nnspec.layers.kit.facets.reading import Reading
from nnspec.layers.kit.facets.verification import Verification
from nnspec.layers.kit.facets.writing import Writing
from nnspec.layers.kit.fault import Fault
from nnspec.layers.kit.inferred import Inferred

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View


class Layer(Writing, Reading, Explanation, KerasLowering, OnnxLowering, Importing, Learning, Verification):
    """A layer of the language. Subclasses define what is declared here; what is optional has a default in a facet.

    Attributes:
        kind: the key in a spec; for Keras' layers, Keras' name.
        args: Keras' arguments in Keras' order.
    """

    kind: ClassVar[str]
    args: ClassVar[Mapping[str, Arg]] = {}

    @abstractmethod
    def infer(self, call: Call) -> Inferred:
        """Axes, dtypes and weights of the outputs.

        Raises:
            Fault: where the inputs or arguments do not fit.
        """

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        """Writes ONNX nodes that compute the node from its inputs; returns its outputs.

        Raises:
            NoLowering: where the layer has none.
        """
        raise NoLowering(f"{self.kind} has no ONNX lowering")


def sum_formula(*parts: str) -> str:
    return " + ".join(part for part in parts if part)


__all__ = [
    "Call",
    "Fault",
    "Inferred",
    "Layer",
    "Window",
    "insert_items",
    "is_deep",
    "sum_formula",
]
