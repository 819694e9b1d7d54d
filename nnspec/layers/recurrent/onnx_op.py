"""The recurrent ops of ONNX: one `LSTM`, `GRU` or `RNN` node for all steps, in one or both directions.

The ops read (step, batch, feature) and give every step as (step, direction, batch, unit), the last state as
(direction, batch, unit). Gates differ from Keras' in their order, which `Gates.gate_order` says. What the ops do not
know runs step by step instead (recurrent_loop).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nnspec.layers.recurrent.cell_types import Cell
from nnspec.layers.recurrent.onnx_mask import pack_steps
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Mask, View

DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}


@dataclass(frozen=True, eq=False)
class OpOutput:
    """What the op gave.

    Attributes:
        steps: of (batch, step, direction, unit); zeros from where a masked sequence has ended.
        last: for each state (hidden first) of (batch, direction, unit), after the last step.
    """

    steps: View
    last: tuple[View, ...]
    mask: Mask | None
    lengths: str | None


def write_op(
    lowering: Lowering, view: View, mask: Mask | None, cells: Sequence[Cell], starts: Sequence[Sequence[View]]
) -> OpOutput:
    """The op over a view (batch, step, feature), in the directions of `cells`; `starts` for each, or none."""
    lengths = None
    if mask is not None:
        view, lengths = pack_steps(lowering, view, mask)
    ready = lowering.arrange(view, (view.axes[1], view.axes[0], view.in_memory_order(2)))
    return replace(_run_op(lowering, ready, cells, starts, lengths), mask=mask)


def _run_op(
    lowering: Lowering, view: View, cells: Sequence[Cell], starts: Sequence[Sequence[View]], lengths: str | None
) -> OpOutput:
    first = cells[0]
    order = view.flat_order(2)
    kernels = np.stack([cell.kernel[order].T for cell in cells])
    weights = [lowering.constant(kernels, "W"), lowering.constant(np.stack([c.recurrent for c in cells]), "R")]
    biases = [cell.bias for cell in cells if cell.bias is not None]
    weights.append(lowering.constant(np.stack(biases), "B") if biases else "")
    names = [_stacked(lowering, views) for views in zip(*starts, strict=True)]
    operands = [view.tensor, *weights, lengths or "", *names]
    while not operands[-1]:
        operands.pop()
    outputs = lowering.nodes(first.op, *operands, outputs=1 + first.count, **_attributes(cells))
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
    return OpOutput(steps, tuple(last), None, lengths)


def _attributes(cells: Sequence[Cell]) -> dict[str, Any]:
    first = cells[0]
    directions = [cell.is_backwards for cell in cells]
    result: dict[str, Any] = {
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


def _stacked(lowering: Lowering, views: Sequence[View]) -> str:
    """Initial states of the directions as the op reads them: (direction, batch, unit)."""
    parts = [lowering.arrange(view, ((), view.axes[0], view.axes[1])).tensor for view in views]
    return parts[0] if len(parts) == 1 else lowering.node("Concat", *parts, axis=0)
