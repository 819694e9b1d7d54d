"""Cells: one step of a recurrent layer, used in an RNN or on its own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.diagnostics import Edit, Fix, lists
from nnspec.document import Mapping as MappingNode
from nnspec.document import Node as SourceNode
from nnspec.document import Sequence as SequenceNode
from nnspec.ir import axes as ax
from nnspec.ir.graph import Node, Value
from nnspec.ir.names import keras_name
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import args as a
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Fault, Inferred, Layer
from nnspec.layers.recurrent.arguments import GRU_STEP, LSTM_STEP, SIMPLE_STEP
from nnspec.layers.recurrent.base import add_prefix, check_initial_states, strip_prefix
from nnspec.layers.recurrent.explanations import gate_sentences
from nnspec.layers.recurrent.gates import Gates, GRUGates, LSTMGates, SimpleGates
from nnspec.layers.recurrent.states import StateSpec
from nnspec.layers.wrappers.time_distributed import check_inner_body, keras_inner, wrapped_kind
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor
    from nnspec.layers.recurrent.cell_types import AnyCell

CELL_KINDS = ("LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells")


class CellLayer(Layer):
    """Base of cells: a step reads features and states, and returns an output and the new states."""

    makes = "unit"
    keeps_state = True
    arity = (2, None)
    arity_note = (
        "a cell computes one step; for a sequence use `RNN: {cell: …}`, or the layer without `Cell` in its name"
    )

    def states_of(self, node: Node) -> tuple[StateSpec, ...]:
        return tuple(StateSpec(value.port, value.axes) for value in node.outputs[1:])

    def infer_step(self, call: Call, output: ax.Axes, states: Sequence[StateSpec], **inferred: Any) -> Inferred:
        """One step: every position of the output sees all features. Inside an RNN no states are given."""
        check_initial_states(call, states)
        return Inferred(
            (call.require_unique(output), *(state.axes for state in states)),
            ports=("output", *(state.name for state in states)),
            windows={0: WHOLE},
            **inferred,
        )

    @abstractmethod
    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        """What runs the step in ONNX, from the input to the output."""

    @abstractmethod
    def loop_reason(self, node: Node) -> str | None:
        """Why no ONNX op runs many of its steps."""

    def nested(self, node: Node, states: list[KerasTensor]) -> list[KerasTensor]:
        """States in the structure in which Keras' cell takes them."""
        return states

    def call_keras(self, layer: KerasCallable, node: Node, tensors: list[KerasTensor]) -> KerasTensor:
        from keras import tree

        if any(cell.args[drop] for cell in node.cells or [node] for drop in ("dropout", "recurrent_dropout")):
            from nnspec.backends.keras.layers.axes import OneStep

            layer = OneStep(layer, name=keras_name(f"{node.name}/step"))
        return tree.flatten(layer(tensors[0], self.nested(node, tensors[1:])))

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        from nnspec.layers.recurrent.onnx_run import OutputOptions, run_direction

        batch, feature = inputs[0].axes
        view = inputs[0].with_axes((batch, (), feature))  # a sequence of one step
        cells = self.cells(node, lowering.weights, is_backwards=False)
        made = run_direction(lowering, view, None, cells, inputs[1:], OutputOptions(every=False))
        return [made.output, *made.states]


class GatedCell(CellLayer, Gates):
    """LSTMCell, GRUCell and SimpleRNNCell."""

    def why(self, node: Node) -> dict[str, str]:
        told = gate_sentences(node, self.gates, self.states)
        states = lists.quoted(self.states)
        return {
            **told,
            "units": (
                f"It reads {states} of the previous step and returns {say.with_count(node.args['units'], 'number')}."
            ),
        }

    def infer(self, call: Call) -> Inferred:
        call.require_rank(1, what="features")
        call.require_float()
        features = call.require_size(call.axes[0], "its kernel has a row for each position")
        made = ax.fresh(call.axis_name or "unit", call.args["units"], call.name, is_learned=True)
        states = [StateSpec(name, (made,)) for name in self.states]
        weights, formula = self.weights_rule(call.args, features), self.formula(call.args, features)
        return self.infer_step(call, (made,), states, weights=weights, formula=formula)

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        return [self.cell(node.args, weights, is_backwards=is_backwards)]

    def loop_reason(self, node: Node) -> str | None:
        return self.foreign_reason(node.args)


class LSTMCell(LSTMGates, GatedCell):
    """One step of an LSTM: reads features and the states `hidden` and `cell`, and gives the output and the new states.

    It is mostly used as the `cell` of an RNN. On its own it reads three values, `from: [features, hidden, cell]`, and
    the new states are its outputs `hidden` (the same as the output) and `cell`.

    Input axes:  `batch feature`, and the states, `batch unit` each
    Output axes: `batch unit`
    Weights:     kernel (feature, 4 · units), recurrent_kernel (units, 4 · units), bias (4 · units); columns i f c o
    """

    kind = "LSTMCell"
    args = LSTM_STEP


class GRUCell(GRUGates, GatedCell):
    """One step of a GRU: reads features and the state `hidden`, and gives the output and the new state.

    It is mostly used as the `cell` of an RNN. On its own it reads two values, `from: [features, hidden]`, and the new
    state is its output `hidden` (the same as the output).

    Input axes:  `batch feature`, and the state, `batch unit`
    Output axes: `batch unit`
    Weights:     kernel (feature, 3 · units), recurrent_kernel (units, 3 · units), bias (2, 3 · units), or (3 · units)
                 with `reset_after: false`; columns z r h
    """

    kind = "GRUCell"
    args = GRU_STEP


class SimpleRNNCell(SimpleGates, GatedCell):
    """One step of a SimpleRNN: reads features and the state `hidden`, and gives the output, which is the new state.

    It is mostly used as the `cell` of an RNN. On its own it reads two values, `from: [features, hidden]`.

    Input axes:  `batch feature`, and the state, `batch unit`
    Output axes: `batch unit`
    Weights:     kernel (feature, units), recurrent_kernel (units, units), bias (units)
    """

    kind = "SimpleRNNCell"
    args = SIMPLE_STEP


class StackedRNNCells(CellLayer):
    """Stacks cells: each reads the output of the previous one and has separate states.

    An RNN takes a list of cells as well: `RNN: {cell: [{LSTMCell: {units: 8}}, {GRUCell: {units: 4}}]}`. The states are
    numbered like the cells: `hidden_1`, `cell_1`, `hidden_2`. On its own it is one step, and reads all states.

    Input axes:  `batch feature`, and the states, `batch unit` each
    Output axes: `batch unit`
    Weights:     those of the cells in their order, `cell_1_kernel` and so on
    """

    kind = "StackedRNNCells"
    args = {"cells": a.Arg({"type": "array", "items": {"$ref": "#/definitions/layer"}, "minItems": 1}, "The cells.")}

    def infer(self, call: Call) -> Inferred:
        call.require_rank(1, what="features")
        source = call.node("cells")
        assert isinstance(source, SequenceNode), "the schema requires it"
        cells = stack_cells(call, list(source.items), call.input, "cells")
        return self.infer_stack(call, cells)

    def infer_stack(self, call: Call, cells: Sequence[Node]) -> Inferred:
        states: list[StateSpec] = []
        for i, cell in enumerate(cells, 1):
            assert isinstance(cell.layer, CellLayer)
            states += [StateSpec(f"{state.name}_{i}", state.axes) for state in cell.layer.states_of(cell)]
        last = cells[-1].outputs[0].axes[-1]
        made = last.renamed(call.axis_name) if call.axis_name else last
        return self.infer_step(
            call,
            (made,),
            states,
            weights=tuple(w for i, cell in enumerate(cells, 1) for w in add_prefix(f"cell_{i}_", cell.weights)),
            formula=" + ".join(cell.formula for cell in cells),
            cells=tuple(cells),
        )

    def to_keras(self, node: Node) -> KerasCallable:
        import keras

        return keras.layers.StackedRNNCells(  # type: ignore[no-any-return]
            [keras_inner(cell) for cell in node.cells], name=keras_name(node.name)
        )

    def nested(self, node: Node, states: list[KerasTensor]) -> list[KerasTensor]:
        rest = iter(states)
        return [[next(rest) for _ in cell.outputs[1:]] for cell in node.cells]

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]:
        result: list[AnyCell] = []
        for i, cell in enumerate(node.cells, 1):
            assert isinstance(cell.layer, CellLayer)
            own = strip_prefix(f"cell_{i}_", weights)
            result += cell.layer.cells(cell, own, is_backwards=is_backwards)
        return result

    def loop_reason(self, node: Node) -> str | None:
        reasons = (cell.layer.loop_reason(cell) for cell in node.cells if isinstance(cell.layer, CellLayer))
        return next((reason for reason in reasons if reason is not None), None)


def stack_cells(call: Call, sources: Sequence[SourceNode], value: Value, arg: str) -> list[Node]:
    """The cells of a stack; a stack inside a stack is as well its cells one after the other."""
    cells: list[Node] = []
    for source in sources:
        cell = cell_node(call, source, value, arg)
        cells += cell.cells or [cell]
        value = replace(cells[-1].outputs[0], node=call.input.node)
    return cells


def cell_node(call: Call, source: SourceNode, value: Value, arg: str) -> Node:
    """A cell that stands as an argument, over the features of one step.

    Raises:
        Fault: NN207 where it is no cell.
    """
    from nnspec.layers.registry import REGISTRY

    check_inner_body(call, source, arg)
    kind = wrapped_kind(source)
    if not isinstance(REGISTRY[kind], CellLayer):
        meant = f"{kind}Cell" if f"{kind}Cell" in CELL_KINDS else None
        span = source.key_span(kind) if isinstance(source, MappingNode) else source.span
        edits = (Edit(span, meant),) if meant else ()
        diagnostic = call.diagnostic(
            "NN207",
            f"`{call.kind}` needs a cell ({', '.join(CELL_KINDS)}), but `{kind}` is not one",
            arg,
            fixes=[Fix(f"use `{meant}`", edits)] if meant else [],
        )
        raise Fault(replace(diagnostic, span=span))
    assert call.infer_inner is not None
    return call.infer_inner(call, source, (value,), arg=arg)


LAYERS = (LSTMCell(), GRUCell(), SimpleRNNCell(), StackedRNNCells())
