"""`slice` and `take`: select positions of an axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.placement import replace_dims, separate_dims
from nnspec.diagnostics import Applicability, Fix, lists
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axis, Size
from nnspec.ir.graph import Node, Window
from nnspec.ir.receptive_field import WHOLE
from nnspec.layers.kit import explanations as say
from nnspec.layers.kit.base import Call, Inferred
from nnspec.layers.kit.edits import under_axis
from nnspec.layers.shape.axis_operations import MappingOperation
from nnspec.lazy import np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import View
    from nnspec.backends.types import KerasCallable, KerasTensor

_FIRST = -(2**63)  # in ONNX, an end before the first position
_LAST = 2**63 - 1
Bounds = tuple[int, int | None, int]  # start, stop and step as Python's slices have them


class Picking(MappingOperation):
    """Base of `slice` and `take`: selects positions of an axis, or one position without the axis."""

    reads_text = True
    moves_values = True

    def position_in(self, call: Call, axis: Axis, position: int, what: str, *, end: bool = False) -> int:
        """A position of an axis, counted from the start where its size is known.

        Args:
            end: it is one that is left out, so that it may lie right behind the last.

        Raises:
            Fault: NN370 where the axis has no such position.
        """
        size = axis.size
        if not isinstance(size, int):
            least = -position - 1 if position < 0 else position - 1 if end else position
            if least >= 1:
                call.constraints.append(f"{size} > {least}")
            return position
        if not -size <= position < size + end:
            call.fail(
                "NN370",
                f"`{self.kind}` selects {what} {position} of `{axis.name}`, which has "
                f"{say.with_count(size, 'position')}",
                axis.name,
                notes=[f"positions run from 0 to {size - 1}, or from -{size} to -1 counted from the end"],
                about=[axis.name],
            )
        return position + size if position < 0 else position


class Slice(Picking):
    """Keeps part of an axis, `slice: {time: {start: 2, stop: -1, step: 2}}`, or one position: `slice: {time: -1}`.

    Positions are counted from 0, negative ones from the end, and `stop` is excluded, as in Python. A negative `step`
    reverses the axis. A single position removes the axis. The mask is dropped.

    Input axes:  `batch time feature`
    Output axes: `batch time feature`, time shorter, or `batch feature`
    """

    kind = "slice"
    axis_parts = ("start", "stop", "step")
    values = {
        "type": ["integer", "object"],
        "description": "One position, or a range: `{start, stop, step}`.",
        "additionalProperties": False,
        "properties": {
            "start": {"type": "integer", "description": "The first position; default: the beginning."},
            "stop": {"type": "integer", "description": "The first position that is excluded; default: none."},
            "step": {"type": "integer", "description": "Distance between positions.", "default": 1},
        },
    }

    def infer(self, call: Call) -> Inferred:
        axes: list[Axis | None] = list(call.axes)
        windows: dict[int, Window] = {}
        parts: dict[str, int | list[int | None]] = {}
        entries = self.require_axis_entries(call)
        self.refuse_axis_as_key(call, entries)
        for name, said in entries.items():
            place = call.axis_index(name, name)
            axis = call.axes[place]
            if not isinstance(said, Mapping):
                parts[str(place)] = self.position_in(call, axis, int(said), "position")
                axes[place] = None
                continue
            bounds, size = self.bounds(call, axis, said)
            parts[str(place)] = list(bounds)
            if bounds == (0, None, 1):
                continue
            axes[place] = ax.resized(axis, size, call.name)
            start, _, step = bounds
            windows[place] = Window(1, step, start if start >= 0 else None)
        return Inferred((tuple(axis for axis in axes if axis is not None),), windows=windows, keras={"parts": parts})

    def refuse_axis_as_key(self, call: Call, entries: Mapping[str, object]) -> None:
        """NN306 with the axis in its place where it is given as an argument by Keras' index: `axis: -1, start: 2`."""
        index = entries.get("axis")
        if not isinstance(index, int) or ax.index_of(call.axes, "axis") is not None:
            return
        place = index - 1 if index > 0 else index
        if index == 0 or not -len(call.axes) <= place < len(call.axes):
            return
        said, edits = under_axis(call.body, call.axes[place].name, self.axis_parts)
        sure = Applicability.MACHINE if edits else Applicability.MAYBE
        if said:
            call.fail(
                "NN306",
                f"`{self.kind}` has no axis `axis` in its input {ax.describe(call.axes)}",
                "axis",
                fixes=[Fix(f"the axis itself is the key: `{said}`", edits, sure)],
                about=["axis"],
            )

    def picked_position(self, node: Node, place: int) -> int | None:
        chosen = node.args["parts"].get(str(place))
        return chosen if isinstance(chosen, int) else None

    def bounds(self, call: Call, axis: Axis, said: Mapping[str, int]) -> tuple[Bounds, Size]:
        """Start, stop and step, and how many positions that are.

        Raises:
            Fault: NN370 where the axis has no such positions, or none is left; NN313 where an open size decides.
        """
        step = int(said.get("step", 1))
        if step == 0:
            call.fail("NN370", f"`slice` has step 0 along `{axis.name}`", axis.name, about=[axis.name])
        start, stop = said.get("start"), said.get("stop")
        if start is not None:
            start = self.position_in(call, axis, int(start), "start")
        if stop is not None:
            stop = self.position_in(call, axis, int(stop), "stop", end=True)
        size = axis.size
        if isinstance(size, int):
            chosen = range(*slice(start, stop, step).indices(size))
            if not len(chosen):
                call.fail(
                    "NN370",
                    f"`slice` keeps no position of `{axis.name}`: from {start} to {stop} in steps of {step}",
                    axis.name,
                    about=[axis.name],
                )
            is_open = stop is None or chosen.stop < 0 or (step > 0 and chosen.stop == size)
            return (chosen.start, None if is_open else chosen.stop, step), len(chosen)
        if step < 0 and start in (None, -1) and stop is None:
            return (-1, None, step), _steps_in(str(size), size, -step)
        if step < 0:
            call.require_size(axis, "a part of it is reversed")
        return self.open_bounds(call, axis, start or 0, stop, step)

    def open_bounds(self, call: Call, axis: Axis, start: int, stop: int | None, step: int) -> tuple[Bounds, Size]:
        """The same along an axis of open size, from front to back."""
        ends_at_end = stop is None or stop < 0
        if start >= 0 and ends_at_end:
            less = start - (stop or 0)
            text = str(axis.size) if less == 0 else f"({axis.size} - {less})"
            rest = axis.size if less == 0 else ax.derived(text)
            if less:
                call.constraints.append(f"{axis.size} > {less}")
            return (start, stop, step), _steps_in(text, rest, step)
        if start < 0 and ends_at_end:
            count = (stop or 0) - start
        elif start >= 0 and stop is not None:
            count = stop - start
        else:
            count = call.require_size(axis, "a part of it starts near its end and stops near its beginning")
        if count <= 0:
            call.fail(
                "NN370",
                f"`slice` keeps no position of `{axis.name}`: from {start} to {stop}",
                axis.name,
                about=[axis.name],
            )
        return (start, stop, step), -(-count // step)

    def why(self, node: Node) -> dict[str, str]:
        axes = node.inputs[0].axes
        said = []
        for place, part in node.args["parts"].items():
            axis = axes[int(place)]
            if isinstance(part, int):
                said.append(f"position {part} of {say.with_size(axis)}, without the axis")
                continue
            start, stop, step = part
            end = "the end" if stop is None else f"position {stop}, which is left out,"
            pace = "every position" if abs(step) == 1 else f"every position in steps of {abs(step)}"
            said.append(f"of {say.with_size(axis)} {pace} from {start} to {end}{', backwards' if step < 0 else ''}")
        return {"": f"Keeps {lists.joined(said)}."}

    def to_keras(self, node: Node) -> KerasCallable:
        parts = node.args["parts"]
        keys = [parts.get(str(i)) for i in range(len(node.inputs[0].axes))]
        key = (slice(None), *(k if isinstance(k, int) else slice(*(k or (None,))) for k in keys))
        return lambda tensor: tensor[key]

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        parts = {int(place): part for place, part in node.args["parts"].items()}
        chosen = {place: part for place, part in parts.items() if part != [0, None, 1]}
        if not chosen:
            return [inputs[0]]
        axes = [1 + place for place in chosen]
        ready, dims = separate_dims(lowering, inputs[0], axes)
        bounds = [_onnx_bounds(part) for part in chosen.values()]
        columns = [*zip(*bounds, strict=True)]
        starts, ends, steps = (
            lowering.constant(np.asarray(column, np.int64), name)
            for column, name in zip(columns, ("starts", "ends", "steps"), strict=True)
        )
        where = lowering.constant(np.asarray(dims, np.int64), "axes")
        more = [steps] if set(columns[2]) != {1} else []
        tensor = lowering.node("Slice", ready.tensor, starts, ends, where, *more)
        sizes = {axis.name: axis.size for axis in node.outputs[0].axes}
        names = ax.names(node.inputs[0].axes)
        groups = [
            () if isinstance(part, int) else lowering.factor(names[place], sizes[names[place]])
            for place, part in chosen.items()
        ]
        made = replace_dims(ready, tensor, dims, axes, groups)
        gone = {1 + place for place, part in chosen.items() if isinstance(part, int)}
        return [made.with_axes(group for i, group in enumerate(made.axes) if i not in gone)]


def _steps_in(text: str, size: Size, step: int) -> Size:
    """How many positions there are in steps of so many, the first one among them."""
    return size if step == 1 else ax.derived(f"ceil({text}/{step})")


def _onnx_bounds(part: int | Sequence[int | None]) -> tuple[int, int, int]:
    if isinstance(part, int):
        return part, part + 1 if part != -1 else _LAST, 1
    start, stop, step = part
    assert start is not None
    assert step is not None
    if stop is None:
        stop = _LAST if step > 0 else _FIRST
    return start, stop, step


class Take(Picking):
    """Selects positions of an axis in any order: `take: {feature: [2, 0, 0]}`. A position can be repeated.

    Positions are counted from 0, negative ones from the end. The mask is dropped.

    Input axes:  `batch time feature`
    Output axes: `batch time feature`, with as many features as positions are listed
    """

    kind = "take"
    values = {
        "type": "array",
        "description": "The positions, in the new order.",
        "items": {"type": "integer"},
        "minItems": 1,
    }

    def infer(self, call: Call) -> Inferred:
        axes = list(call.axes)
        taken: dict[str, list[int]] = {}
        for name, said in self.require_axis_entries(call).items():
            place = call.axis_index(name, name)
            axis = call.axes[place]
            taken[str(place)] = [self.position_in(call, axis, int(position), "position") for position in said]
            axes[place] = ax.resized(axis, len(said), call.name)
        windows = {int(place): _window_over(positions) for place, positions in taken.items()}
        return Inferred((tuple(axes),), windows=windows, keras={"taken": taken})

    def why(self, node: Node) -> dict[str, str]:
        axes = node.inputs[0].axes
        said = [
            f"{say.with_count(len(positions), 'position')} of {say.with_size(axes[int(place)])}: "
            f"{', '.join(map(str, positions[:12]))}{', …' if len(positions) > 12 else ''}"
            for place, positions in node.args["taken"].items()
        ]
        return {"": f"Takes {lists.joined(said)}."}

    def to_keras(self, node: Node) -> KerasCallable:
        from keras import ops

        def take(tensor: KerasTensor) -> KerasTensor:
            for place, positions in node.args["taken"].items():
                tensor = ops.take(tensor, positions, axis=1 + int(place))
            return tensor

        return take

    def to_onnx(self, node: Node, inputs: list[View], lowering: Lowering) -> list[View]:
        view = inputs[0]
        for place, positions in node.args["taken"].items():
            axis = node.outputs[0].axes[int(place)]
            ready, (dim,) = separate_dims(lowering, view, [1 + int(place)])
            indices = lowering.constant(np.asarray(positions, np.int64), "positions")
            tensor = lowering.node("Gather", ready.tensor, indices, axis=dim)
            view = replace_dims(ready, tensor, [dim], [1 + int(place)], [lowering.factor(axis.name, axis.size)])
        return [view]


def _window_over(positions: Sequence[int]) -> Window:
    """How positions are seen: one by one where they are as far apart as each other, counted from the start."""
    steps = {after - before for before, after in pairwise(positions)} or {1}
    is_even = len(steps) == 1 and 0 not in steps and positions[0] >= 0
    return Window(1, steps.pop(), positions[0]) if is_even else WHOLE


LAYERS = (Slice(), Take())
