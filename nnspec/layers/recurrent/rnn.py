"""RNN: any cell, or a stack of cells, along a sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.document import Sequence as SequenceNode
from nnspec.ir.graph import Node
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.recurrent.arguments import sequence_arguments
from nnspec.layers.recurrent.base import Recurrent, loop_notes, without_unrolling
from nnspec.layers.recurrent.cells import CellLayer, StackedRNNCells, cell_node, stack_cells
from nnspec.layers.recurrent.reading import read_steps
from nnspec.layers.recurrent.states import StateSpec
from nnspec.layers.wrappers.time_distributed import keras_inner
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.types import KerasCallable, KerasTensor
    from nnspec.layers.recurrent.cell_types import AnyCell

CELL = {
    "if": {"type": "array"},
    "then": {"items": {"$ref": "#/definitions/layer"}, "minItems": 1},
    "else": {"$ref": "#/definitions/layer"},
}


class RNN(Recurrent):
    """Runs a cell along a sequence: `RNN: {cell: {LSTMCell: {units: 4}}}`, or a stack of cells, given as a list.

    In a stack, each cell reads the output of the previous one at every step, like stacked recurrent layers. The output
    is that of the last cell after the last step, or of every step with `return_sequences`. Masked steps keep all states
    and repeat the previous output, or give zeros with `zero_output_for_mask`. With `return_state` the states follow:
    `hidden`, `cell`; numbered in a list: `hidden_1`, `cell_1`, `hidden_2`. It starts from zeros, or from further inputs
    in that order. With `stateful` the deployed graph takes the states as inputs and gives the next ones as outputs.

    Input axes:  `batch step feature`
    Output axes: `batch unit`, with `return_sequences` `batch step unit`
    Weights:     those of the cell; in a list `cell_1_kernel` and so on
    """

    kind = "RNN"
    args = {
        "cell": a.Arg(CELL, "The cell, or a list of cells that read each other's outputs."),
        **sequence_arguments(),
    }

    def infer(self, call: Call) -> Inferred:
        read_steps(call)
        call.require_float()
        cell = self.cell_of(call)
        layer = cell.layer
        assert isinstance(layer, CellLayer)
        made = cell.outputs[0].axes[-1]
        return self.infer_sequence(
            call,
            (made.renamed(call.axis_name) if call.axis_name else made,),
            layer.states_of(cell),
            windows={1: WHOLE},
            notes=loop_notes(layer.loop_reason(cell), call.axes[0].size),
            weights=cell.weights,
            formula=cell.formula,
            inner=cell,
        )

    def cell_of(self, call: Call) -> Node:
        """The cell as a node; a list of several is a StackedRNNCells."""
        source = call.node("cell")
        assert source is not None, "the schema requires it"
        value = replace(call.input, axes=call.axes[1:], mask=None)
        if not isinstance(source, SequenceNode):
            cell = cell_node(call, source, value, "cell")
            return cell.cells[0] if len(cell.cells) == 1 else cell
        cells = stack_cells(call, source.items, value, "cell")
        if len(cells) == 1:
            return cells[0]
        stack = StackedRNNCells()
        inner = replace(call, kind=stack.kind, inputs=(value,), args={"cells": None}, axis_name=None)
        inferred = stack.infer_stack(inner, cells)
        assert call.make_node is not None
        return call.make_node(stack, call.name, inner, inferred, call.item_span, call.path)

    def states_of(self, node: Node) -> tuple[StateSpec, ...]:
        cell, layer = _cell(node)
        return layer.states_of(cell)

    # -------------------------------------------------------------------------------------------- Keras

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        cell, _ = _cell(node)
        ready = without_unrolling(node) if node.inputs[0].mask and node.args["zero_output_for_mask"] else node
        arguments = {name: ready.args[name] for name in self.args if name != "cell"}
        return keras.layers.RNN(keras_inner(cell), name=keras_name(node.name), **arguments)  # type: ignore[no-any-return]

    def nested(self, node: Node, states: list[KerasTensor]) -> list[KerasTensor]:
        cell, layer = _cell(node)
        return layer.nested(cell, states)

    # -------------------------------------------------------------------------------------------- ONNX

    def loop_reason(self, node: Node) -> str | None:
        cell, layer = _cell(node)
        return layer.loop_reason(cell)

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        cell, layer = _cell(node)
        return layer.cells(cell, weights, is_backwards=is_backwards)


def _cell(node: Node) -> tuple[Node, CellLayer]:
    cell = node.inner
    assert cell is not None
    assert isinstance(cell.layer, CellLayer)
    return cell, cell.layer


LAYERS = (RNN(),)
