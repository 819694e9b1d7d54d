"""The recurrent ops of ONNX: one `LSTM`, `GRU` or `RNN` node for all steps, in one or both directions.

The ops read (step, batch, feature) and give every step as (step, direction, batch, unit), the last state as
(direction, batch, unit). Gates differ from Keras' in their order, which `Gates.gate_order` says. What the ops do not
know runs step by step instead (recurrent_loop).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.layers.recurrent.cell_types import Cell
from nnspec.layers.recurrent.onnx_mask import (
    lengths_of,
    mark_padding,
    onnx_type_of,
    pack_steps,
    step_flags,
    without_padding,
)
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, Packing, View

DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


@dataclass(frozen=True, eq=False)
class OpOutput:
    """What the op gave.

    Attributes:
        steps: of (batch, step, direction, unit); packed where `packing` says how.
        last: for each state (hidden first) of (batch, direction, unit), after the last step.
        mask: that of the steps, where there is one.
    """

    steps: View
    last: tuple[View, ...]
    mask: Mask | None = None
    packing: Packing | None = None


def write_op(lowering: Lowering, view: View, cells: Sequence[Cell], starts: Sequence[Sequence[View]]) -> OpOutput:
    """The op over a view (batch, step, feature), in the directions of `cells`; `starts` for each, or none."""
    ready = lowering.arrange(view, (view.axes[1], view.axes[0], view.in_memory_order(2)))
    return _run_op(lowering, ready, cells, starts)


def write_held_op(
    lowering: Lowering, view: View, mask: Mask, cells: Sequence[Cell], starts: Sequence[Sequence[View]]
) -> OpOutput:
    """The op of cells that keep their state at masked steps (`keeps_state`): nothing is packed."""
    ready = without_padding(lowering, view, mask, (view.axes[1], view.axes[0], view.in_memory_order(2)))
    flags = step_flags(lowering, mask, ready)
    return replace(_run_op(lowering, ready, cells, starts, flags=flags), mask=mask)


def write_packed_op(
    lowering: Lowering,
    view: View,
    mask: Mask,
    cells: Sequence[Cell],
    starts: Sequence[Sequence[View]],
    packing: Packing,
) -> OpOutput:
    """The op over packed steps, in the order in which they are packed unless there are two directions."""
    packed, flags = pack_steps(lowering, view, mask, packing)
    ready = lowering.arrange(packed, (packed.axes[1], packed.axes[0], packed.in_memory_order(2)))
    run = cells if len(cells) > 1 else [replace(cells[0], is_backwards=False)]
    lengths, held = None, all(cell.hold is not None for cell in cells)
    if not held and cells[0].op == "LSTM":  # nothing else ends the cell's state where data end
        lengths = lowering.node("Cast", lengths_of(lowering, mask), to=onnx_type_of("int32"))
    made = _run_op(lowering, ready, run, starts, flags=flags if held else None, lengths=lengths)
    return replace(made, mask=mask, packing=packing)


def _run_op(
    lowering: Lowering,
    view: View,
    cells: Sequence[Cell],
    starts: Sequence[Sequence[View]],
    *,
    flags: str | None = None,
    lengths: str | None = None,
) -> OpOutput:
    """The op over a view with dimensions (step, batch, feature).

    Args:
        flags: which steps are data, (step, batch, 1), where a column holds the cells' gates at the others.
    """
    first = cells[0]
    order = view.flat_order(2)
    kernels = np.stack([cell.kernel[order].T for cell in cells])
    source = view.tensor
    if flags is not None:
        source = mark_padding(lowering, view, flags)
        kernels = np.concatenate([kernels, np.stack([_holding(cell) for cell in cells])], axis=2)
    weights = [lowering.constant(kernels, "W"), lowering.constant(np.stack([c.recurrent for c in cells]), "R")]
    biases = [cell.bias for cell in cells if cell.bias is not None]
    weights.append(lowering.constant(np.stack(biases), "B") if biases else "")
    names = [_stack_states(lowering, views) for views in zip(*starts, strict=True)]
    operands = [source, *weights, lengths or "", *names]
    while not operands[-1]:
        operands.pop()
    outputs = lowering.graph.add(
        first.op, operands, stem=lowering.stem, outputs=1 + first.count, attributes=_attributes(cells)
    )
    made = lowering.factor("unit", first.units)
    direction = lowering.factor("direction", len(cells))
    batch, step = view.axes[0], view.axes[1]
    steps = replace(
        view, tensor=outputs[0], dims=(step, direction, batch, made), axes=(batch, step, direction, made), mask=None
    )
    last = [
        replace(view, tensor=name, dims=(direction, batch, made), axes=(batch, direction, made), mask=None)
        for name in outputs[1:]
    ]
    return OpOutput(steps, tuple(last))


def _holding(cell: Cell) -> np.ndarray:
    """The weights of the column that marks padding: (blocks · units, 1), as large as the largest of the others.

    Quantization in rows or as a whole keeps its steps so.
    """
    assert cell.hold is not None
    largest = max(float(np.abs(cell.kernel).max()), 0.01)
    column = np.repeat(np.asarray(cell.hold, np.float64) * largest, cell.units)
    return column[:, None].astype(cell.kernel.dtype)


def _attributes(cells: Sequence[Cell]) -> dict[str, object]:
    first = cells[0]
    directions = [cell.is_backwards for cell in cells]
    result: dict[str, object] = {
        "hidden_size": first.units,
        "direction": "bidirectional" if len(cells) > 1 else ("reverse" if directions[0] else "forward"),
        **first.attributes,
    }
    functions = [function for cell in cells for function in cell.activations]
    if tuple(name for name, _, _ in functions) != DEFAULTS[first.op] * len(cells):
        result["activations"] = [name for name, _, _ in functions]
        result["activation_alpha"] = [alpha for _, alpha, _ in functions if alpha is not None] or None
        result["activation_beta"] = [beta for _, _, beta in functions if beta is not None] or None
    return result


def _stack_states(lowering: Lowering, views: Sequence[View]) -> str:
    """Initial states of the directions as the op reads them: (direction, batch, unit)."""
    parts = [lowering.arrange(view, ((), view.axes[0], view.axes[1])).tensor for view in views]
    return parts[0] if len(parts) == 1 else lowering.node("Concat", *parts, axis=0)
