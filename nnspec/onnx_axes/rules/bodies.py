"""Operators that run a graph of their own: loops over steps, as exporters write recurrent layers, and choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nnspec.ir.axes import Axis, Size, derived
from nnspec.onnx_axes.call import BodyRun, Call, Rule, position_of
from nnspec.onnx_axes.tensors import UNKNOWN, Tensor, numbers_of, scalar

_MOST_STEPS = 2**31 - 1  # what stands for no bound


def loop(call: Call) -> Sequence[Tensor]:
    """`Loop`: states that run through it, and what it collects, of which the steps are the first axis."""
    count = len(call.node.outputs)
    states = [call[i] for i in range(2, len(call.node.inputs))]
    step = scalar(None, is_constant=False)
    run = call.run_body("body", [step, step, *_entering(call, states, 2, 1)])
    if run is None:
        return [UNKNOWN] * count
    bound = numbers_of(call[0]) if call.has(0) else None
    most = bound[0] if bound else None
    length = None if isinstance(most, int) and most >= _MOST_STEPS else most
    steps = _followed_axis(run, length) or call.new(derived(f"steps of {call.owner}") if length is None else length, 0)
    results = run.outputs[1:]
    kept = [_after(call, first, last) for first, last in zip(states, results, strict=False)]
    collected = [_stack_steps(call, steps, made, 0) for made in results[len(states) :]]
    return [*kept, *collected][:count]


def scan(call: Call) -> Sequence[Tensor]:
    """`Scan`: the same, where the steps are an axis of operands."""
    count, scanned = len(call.node.outputs), call.integer("num_scan_inputs", 0)
    cut = len(call.operands) - scanned
    states, rows = call.operands[:cut], call.operands[cut:]
    places = call.integers("scan_input_axes", (0,) * scanned)
    slices, steps = list[Tensor](), None
    for operand, place in zip(rows, places, strict=False):
        position = None if operand.axes is None else position_of(place, len(operand.axes))
        if operand.axes is None or position is None:
            slices.append(UNKNOWN)
            continue
        steps = steps or operand.axes[position]
        slices.append(Tensor(axes=(*operand.axes[:position], *operand.axes[position + 1 :])))
    run = call.run_body("body", [*_entering(call, states, 0, 0), *slices])
    if run is None or len(slices) != scanned:
        return [UNKNOWN] * count
    steps = steps or call.new(derived(f"steps of {call.owner}"), 0)
    kept = [_after(call, first, last) for first, last in zip(states, run.outputs, strict=False)]
    made = run.outputs[len(states) :]
    where = call.integers("scan_output_axes", (0,) * len(made))
    return [*kept, *(_stack_steps(call, steps, value, place) for value, place in zip(made, where, strict=False))][
        :count
    ]


def choose(call: Call) -> Sequence[Tensor]:
    """`If`: what both graphs give alike."""
    runs = [call.run_body(name, ()) for name in ("then_branch", "else_branch")]
    known = [run for run in runs if run is not None]
    if len(known) < 2:
        return [UNKNOWN] * len(call.node.outputs)
    return [_after(call, first, last) for first, last in zip(known[0].outputs, known[1].outputs, strict=False)]


def _entering(call: Call, states: Sequence[Tensor], inputs: int, outputs: int) -> list[Tensor]:
    """States as every step of a loop finds them: their numbers hold where no step changes them.

    Args:
        inputs, outputs: how many of the body's come before its states.
    """
    body = call.node.bodies.get("body")
    if body is None:
        return list(states)
    same = {node.outputs[0]: node.inputs[0] for node in body.calls if node.op == "Identity"}
    pairs = zip(list(body.inputs)[inputs:], body.outputs[outputs:], strict=False)
    is_kept = [same.get(behind, behind) == before for before, behind in pairs]
    kept = zip(states, [*is_kept, *([False] * len(states))], strict=False)
    return [state if keeps else Tensor(axes=state.axes) for state, keeps in kept]


def _after(call: Call, first: Tensor, last: Tensor) -> Tensor:
    """A state behind a loop: as after one step, where this leaves its sizes as they are."""
    if first.axes is None or last.axes is None or len(first.axes) != len(last.axes):
        return UNKNOWN
    pairs = zip(first.axes, last.axes, strict=True)
    return Tensor(axes=tuple(new if old.size == new.size else call.resized(new, None) for old, new in pairs))


def _stack_steps(call: Call, steps: Axis, made: Tensor, place: int) -> Tensor:
    if made.axes is None:
        return UNKNOWN
    position = position_of(place, len(made.axes) + 1)
    if position is None:
        return UNKNOWN
    return Tensor(axes=(*made.axes[:position], steps, *made.axes[position:]))


def _followed_axis(run: BodyRun, length: Size | None) -> Axis | None:
    """The one axis of which each step of a loop reads the next position, if there is one and the loop reads all."""
    found = {axis.atoms: axis for axis in _read_by_steps(run)}
    whole = [axis for axis in found.values() if length in (None, axis.size)]
    return whole[0] if len(whole) == 1 else None


def _read_by_steps(run: BodyRun) -> Iterator[Axis]:
    counters = set(run.graph.inputs)
    for node in run.graph.calls:
        if node.op in ("Cast", "Identity", "Unsqueeze", "Squeeze") and node.inputs[0] in counters:
            counters.update(node.outputs)
        if node.op != "Gather" or node.inputs[1] not in counters or run.value(node.inputs[1]).is_constant:
            continue
        data, place = run.value(node.inputs[0]).axes, node.attributes.get("axis", 0)
        position = None if data is None or not isinstance(place, int) else position_of(place, len(data))
        if data is not None and position is not None:
            yield data[position]


RULES: dict[str, Rule] = {"If": choose, "Loop": loop, "Scan": scan}
