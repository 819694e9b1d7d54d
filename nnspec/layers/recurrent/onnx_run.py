"""Runs a recurrent layer in ONNX: its stacked cells, in one direction or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from nnspec.backends.onnx.view import Packing, group_size
from nnspec.ir.graph import Node
from nnspec.layers.recurrent.cell_types import AnyCell, Cell, SteppedCell
from nnspec.layers.recurrent.onnx_loop import is_written_out, write_loop
from nnspec.layers.recurrent.onnx_mask import (
    How,
    last_of_data,
    mask_as_bool,
    reverse,
    show_zeros,
    unless_empty,
    unpack_steps,
)
from nnspec.layers.recurrent.onnx_op import OpOutput, write_held_op, write_op, write_packed_op
from nnspec.layers.recurrent.onnx_states import keep_state, starts_of
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View
    from nnspec.layers.recurrent.states import StateSpec


@dataclass(frozen=True, eq=False)
class OutputOptions:
    """What a direction must return.

    Attributes:
        every: every step's output, or the last one's.
        in_place: every step's output where it is of; else in the order in which they were computed.
        zero: masked steps give zeros; else they repeat the output before them.
    """

    every: bool
    in_place: bool = False
    zero: bool = False


BETWEEN = OutputOptions(every=True, in_place=True, zero=True)


@dataclass(frozen=True, eq=False)
class DirectionOutput:
    """The result of a direction: (batch, step, …) or (batch, …), and all states after the last step."""

    output: View
    states: tuple[View, ...]


class Steps(Protocol):
    """What is asked of a layer that is run: the states of a node, and the cells that its steps go through."""

    def states_of(self, node: Node) -> Sequence[StateSpec]: ...

    def cells(self, node: Node, weights: Mapping[str, np.ndarray], *, is_backwards: bool) -> Sequence[AnyCell]: ...


def run_layer(lowering: Lowering, layer: Steps, node: Node, inputs: list[View]) -> list[View]:
    """A layer in one direction: its output, then its states if it returns them."""
    args = node.args
    specs, stateful = layer.states_of(node), args["stateful"]
    cells = layer.cells(node, lowering.weights, is_backwards=args["go_backwards"])
    starts = starts_of(lowering, node, inputs, specs, stateful=stateful)
    wanted = OutputOptions(args["return_sequences"], zero=args.get("zero_output_for_mask", False))
    made = run_direction(lowering, inputs[0], step_mask(node, inputs[0]), cells, starts, wanted)
    states = made.states
    if stateful and len(inputs) == 1:
        states = keep_states(lowering, node, specs, states)
    return [made.output, *(states if args["return_state"] else ())]


def step_mask(node: Node, view: View) -> Mask | None:
    """The mask of the steps, if there is one."""
    value = node.inputs[0]
    return view.mask if value.mask is not None and value.mask == value.axes[0].name else None


def keep_states(lowering: Lowering, node: Node, specs: Sequence[StateSpec], states: Sequence[View]) -> tuple[View, ...]:
    return tuple(keep_state(lowering, node, spec, view) for spec, view in zip(specs, states, strict=True))


def run_direction(
    lowering: Lowering,
    view: View,
    mask: Mask | None,
    cells: Sequence[AnyCell],
    starts: Sequence[View],
    wanted: OutputOptions,
) -> DirectionOutput:
    """Cells one above the other; what lies between two of them is only read where data are."""
    states: list[View] = []
    for i, cell in enumerate(cells):
        own = starts[len(states) : len(states) + cell.count] if starts else []
        is_last = i == len(cells) - 1
        made = _run_cell(lowering, view, mask, cell, own, wanted if is_last else BETWEEN)
        states += made.states
        view = made.output
    return DirectionOutput(view, tuple(states))


def as_run(cell: AnyCell, view: View) -> AnyCell:
    """A cell as it is run over a view (batch, step, …): written out where that is faster than its op."""
    written, size = cell.written if isinstance(cell, Cell) else None, group_size(view.axes[1])
    if written is not None and size is not None and is_written_out(size, written.most):
        return written
    return cell


def _run_cell(
    lowering: Lowering, view: View, mask: Mask | None, cell: AnyCell, starts: Sequence[View], wanted: OutputOptions
) -> DirectionOutput:
    cell = as_run(cell, view)
    if isinstance(cell, SteppedCell):
        looped = write_loop(lowering, view, cell, starts, mask, zero=wanted.zero)
        if not wanted.every:
            return DirectionOutput(looped.output, looped.states)
        steps = looped.steps
        if cell.is_backwards and not wanted.in_place:
            steps = _reverse_steps(lowering, steps)
        return DirectionOutput(steps, looped.states)
    many = [starts] if starts else []
    if mask is None:
        return _plain(lowering, write_op(lowering, view, [cell], many), wanted, is_backwards=cell.is_backwards)
    if cell.keeps_state:
        held = write_held_op(lowering, view, mask, [cell], many)
        return _apply_held_mask(lowering, held, mask, cell, starts, wanted)
    packing = Packing(is_reversed=cell.is_backwards, pads_first=not starts and cell.op == "LSTM" and bool(cell.hold))
    ran = write_packed_op(lowering, view, mask, [cell], many, packing)
    return _unpack_steps(lowering, ran, mask, packing, starts, wanted)


def _plain(lowering: Lowering, ran: OpOutput, wanted: OutputOptions, *, is_backwards: bool) -> DirectionOutput:
    states = tuple(without_direction(state) for state in ran.last)
    if not wanted.every:
        return DirectionOutput(states[0], states)
    steps = without_direction(ran.steps)
    return DirectionOutput(_reverse_steps(lowering, steps) if is_backwards and not wanted.in_place else steps, states)


def _apply_held_mask(
    lowering: Lowering, ran: OpOutput, mask: Mask, cell: Cell, starts: Sequence[View], wanted: OutputOptions
) -> DirectionOutput:
    """What Keras gives of an op that kept its state at masked steps, and showed it there."""
    states = tuple(without_direction(state) for state in ran.last)
    if not wanted.every:
        output = states[0]
        if wanted.zero:
            output = _zero_if_masked(lowering, output, mask, is_backwards=cell.is_backwards)
        elif starts:  # Keras shows zeros where there were no data
            output = unless_empty(lowering, mask, output, None)
        return DirectionOutput(output, states)
    steps = without_direction(ran.steps)
    if wanted.zero:
        steps = show_zeros(lowering, steps, mask, how="masked")
    elif starts:
        steps = show_zeros(lowering, steps, mask, how="behind" if cell.is_backwards else "before")
    if cell.is_backwards and not wanted.in_place:
        steps = _reverse_steps(lowering, steps)
    lowering.harmless.add((steps.tensor, mask.view.tensor))
    return DirectionOutput(steps, states)


def _unpack_steps(
    lowering: Lowering, ran: OpOutput, mask: Mask, packing: Packing, starts: Sequence[View], wanted: OutputOptions
) -> DirectionOutput:
    """What Keras gives of an op that ran over packed steps.

    With padding first, the states are zeros until data come, and the op ends with the last of them. With padding behind
    them the output is that of the last data step; the cell's state was kept.
    """
    steps = without_direction(ran.steps)
    states = [without_direction(state) for state in ran.last]
    shown = states[0]
    if not packing.pads_first:
        last = last_of_data(lowering, steps, mask)
        shown = unless_empty(lowering, mask, last, None)
        states[0] = unless_empty(lowering, mask, last, starts[0]) if starts else shown
    if not wanted.every:
        if wanted.zero:
            shown = _zero_if_masked(lowering, shown, mask, is_backwards=packing.is_reversed)
        return DirectionOutput(shown, tuple(states))
    turned = packing.is_reversed and not wanted.in_place
    how: How = "zero" if wanted.zero else "turned" if turned else "repeat"
    output = unpack_steps(lowering, steps, mask, packing, how)
    return DirectionOutput(_reverse_steps(lowering, output) if turned and how == "zero" else output, tuple(states))


def without_direction(view: View) -> View:
    """A single direction is a dimension of size 1, which no axis needs."""
    return view.with_axes((*view.axes[:-2], view.axes[-1]))


def _reverse_steps(lowering: Lowering, view: View) -> View:
    ready, place = lowering.with_axis_alone(view, 1)
    return replace(ready, tensor=reverse(lowering, ready.tensor, place))


def _zero_if_masked(lowering: Lowering, view: View, mask: Mask, *, is_backwards: bool) -> View:
    """Zeros for the sequences whose last step, in the order of computation, is masked."""
    index = lowering.constant(np.asarray([0 if is_backwards else -1], np.int64), "last")
    flag = lowering.node("Gather", mask_as_bool(lowering, mask), index, axis=1)
    ready = lowering.arrange(view, view.axes)
    return replace(ready, tensor=lowering.node("Where", flag, ready.tensor, lowering.scalar(0.0, view.dtype)))
