"""Steps without a recurrent ONNX op: unrolled, or the body of a Scan.

Where the number of steps is known and not large they are written out, and share their weights: every runtime takes
that. Else only a Scan can do it, which the layers declare (`Layer.control_flow`). Either way what depends on the input
alone is computed for all steps at once before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.view import Mask, View, group_size
from nnspec.ir.axes import Size
from nnspec.layers.recurrent.cell_types import WRITTEN_OUT, SteppedCell
from nnspec.layers.recurrent.onnx_mask import mask_as_bool
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering


def is_written_out(steps: Size, most: int = WRITTEN_OUT) -> bool:
    return isinstance(steps, int) and steps <= most


@dataclass(frozen=True, eq=False)
class LoopOutput:
    """What the steps gave.

    Attributes:
        steps: every step's output where it is of, (batch, step, …).
        output: that of the last step.
        states: after the last step.
    """

    steps: View
    output: View
    states: tuple[View, ...]


def write_loop(
    lowering: Lowering, view: View, cell: SteppedCell, starts: Sequence[View], mask: Mask | None, *, zero: bool
) -> LoopOutput:
    """All steps of one direction over a view (batch, step, …).

    Args:
        starts: the initial states; empty: zeros.
        zero: whether masked steps give zeros; else they repeat the output before them (zeros before the first).
    """
    rows = cell.project(lowering, view)
    starts = [lowering.arrange(start, cell.state_dims(start)) for start in starts]
    valid = None
    if mask is not None:
        own = replace(mask.view, tensor=mask_as_bool(lowering, mask), dims=mask.view.axes)
        units = ((),) * (len(rows.dims) - 2)
        valid = lowering.arrange(own, (mask.view.axes[1], mask.view.axes[0], *units))
    size = group_size(rows.axes[1])
    if size is not None and is_written_out(size, cell.most):
        return _written_out(lowering, rows, cell, starts, valid, size, zero=zero)
    return _scan(lowering, rows, cell, starts, valid, zero=zero)


@dataclass(frozen=True, eq=False)
class _Step:
    """A step's states, and the output that is shown: of its own where masked steps leave the two apart."""

    states: list[View]
    shown: View


def _advance(
    lowering: Lowering,
    cell: SteppedCell,
    row: View,
    before: _Step | None,
    starts: list[View],
    valid: str,
    *,
    zero: bool,
) -> _Step:
    old = before.states if before else starts
    new = cell.advance(lowering, row, old)
    if not valid:
        return _Step(new, new[0])
    nothing = lowering.scalar(0.0, row.dtype)

    def where(made: View, other: str) -> View:
        return replace(made, tensor=lowering.node("Where", valid, made.tensor, other))

    kept = [where(view, old[i].tensor if old else nothing) for i, view in enumerate(new)]
    if zero:
        return _Step(kept, where(new[0], nothing))
    if not starts:
        return _Step(kept, kept[0])
    return _Step(kept, where(new[0], before.shown.tensor if before else nothing))


# ------------------------------------------------------------------------------------------------------ written out


def _written_out(
    lowering: Lowering, rows: View, cell: SteppedCell, starts: list[View], valid: View | None, size: int, *, zero: bool
) -> LoopOutput:
    batch, step = rows.axes[0], rows.axes[1]
    order = range(size)[::-1] if cell.is_backwards else range(size)
    now: _Step | None = None
    made: dict[int, str] = {}
    for i in order:
        index = lowering.constant(np.asarray(i, np.int64), "step")
        row = _row(lowering, rows, index)
        flag = lowering.node("Gather", valid.tensor, index, axis=0) if valid is not None else ""
        now = _advance(lowering, cell, row, now, starts, flag, zero=zero)
        made[i] = now.shown.tensor
    assert now is not None, "an axis has at least one position"
    last = now.shown
    tensor = lowering.node("Concat", *(made[i] for i in range(size)), axis=1) if size > 1 else made[0]
    dims = (batch, (*step, *last.dims[1]), *last.dims[2:])
    steps = replace(last, tensor=tensor, dims=dims, axes=(batch, step, *last.axes[1:]))
    return LoopOutput(steps, last, tuple(now.states))


def _row(lowering: Lowering, rows: View, index: str) -> View:
    tensor = lowering.node("Gather", rows.tensor, index, axis=0)
    return replace(rows, tensor=tensor, dims=rows.dims[1:], axes=(rows.axes[0], *rows.axes[2:]))


# ------------------------------------------------------------------------------------------------------ scanned


def _scan(
    lowering: Lowering, rows: View, cell: SteppedCell, starts: list[View], valid: View | None, *, zero: bool
) -> LoopOutput:
    batch, step = rows.axes[0], rows.axes[1]
    given = bool(starts)
    with lowering.body() as body:
        row = replace(
            rows, tensor=body.input("row", rows.dtype), dims=rows.dims[1:], axes=(rows.axes[0], *rows.axes[2:])
        )
        flag = body.input("valid", "bool") if valid is not None else ""
        shapes = starts or cell.shapes(lowering, row)
        olds = [replace(view, tensor=body.input("state", view.dtype)) for view in shapes]
        holds = valid is not None and given and not zero  # then the output before is no longer a state
        before = _Step(olds, replace(olds[0], tensor=body.input("shown", rows.dtype)) if holds else olds[0])
        now = _advance(lowering, cell, row, before, olds if given else [], flag, zero=zero)
        shown = [now.shown] * (2 if holds else 1)
        for view in (*now.states, *shown):
            body.output(view.tensor)
    carried = starts or [_zeros(lowering, rows, view) for view in shapes]
    if holds:
        carried = [*carried, _zeros(lowering, rows, shapes[0])]
    first = [view.tensor for view in carried]
    scanned = [rows.tensor, *([valid.tensor] if valid is not None else [])]
    body.inputs = [*body.inputs[len(scanned) :], *body.inputs[: len(scanned)]]
    backwards = int(cell.is_backwards)
    outputs = lowering.nodes(
        "Scan",
        *first,
        *scanned,
        outputs=len(carried) + 1,
        body=body,
        num_scan_inputs=len(scanned),
        scan_input_directions=[backwards] * len(scanned),
        scan_output_directions=[backwards],
    )
    states = [replace(view, tensor=name) for view, name in zip(now.states, outputs, strict=False)]
    dims = (step, *now.shown.dims)
    steps = replace(now.shown, tensor=outputs[-1], dims=dims, axes=(batch, step, *now.shown.axes[1:]))
    if holds:
        output = replace(now.shown, tensor=outputs[-2])
    elif valid is not None and zero:  # zeros where the last step is masked
        output = _last(lowering, steps, is_backwards=cell.is_backwards)
    else:
        output = states[0]
    return LoopOutput(steps, output, tuple(states))


def _last(lowering: Lowering, steps: View, *, is_backwards: bool) -> View:
    index = lowering.constant(np.asarray(0 if is_backwards else -1, np.int64), "last")
    tensor = lowering.node("Gather", steps.tensor, index, axis=0)
    return replace(steps, tensor=tensor, dims=steps.dims[1:], axes=(steps.axes[0], *steps.axes[2:]))


def _zeros(lowering: Lowering, rows: View, like: View) -> View:
    """A state of zeros for as many sequences as there are."""
    sizes = [group_size(dim) or 1 for dim in like.dims[1:]]

    def make() -> str:
        batch = lowering.node("Shape", rows.tensor, start=1, end=2)
        shape = lowering.node("Concat", batch, lowering.constant(np.asarray(sizes, np.int64), "sizes"), axis=0)
        return lowering.node("Expand", lowering.scalar(0.0, rows.dtype), shape)

    return replace(like, tensor=lowering.once(f"zeros {sizes}", rows.tensor, make))
