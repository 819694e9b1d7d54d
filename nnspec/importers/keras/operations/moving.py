"""Operations that permute, insert, drop, merge, split, reverse and repeat axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.operations.operation import Operation, Rule
from nnspec.ir import axes as ax


def _as_list(given: Any | Sequence[Any]) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _transpose(op: Operation) -> Read:
    read = op.read
    rank = len(op.axes(read))
    order = [int(i) % (rank + 1) for i in op.config.get("axes") or range(rank, -1, -1)]
    if order[0] != 0:
        raise op.over_batch()
    return op.permuted(read, [i - 1 for i in order[1:]])


def _swap_axes(op: Operation) -> Read:
    read = op.read
    rank = len(op.axes(read))
    first, second = op.place(op.config["axis1"], rank), op.place(op.config["axis2"], rank)
    order = list(range(rank))
    order[first], order[second] = second, first
    return op.permuted(read, order)


def _move_axes(op: Operation) -> Read:
    read = op.read
    rank = len(op.axes(read))
    sources, targets = (op.places(op.config[key], rank) for key in ("source", "destination"))
    order = [place for place in range(rank) if place not in sources]
    for target, source in sorted(zip(targets, sources, strict=True)):
        order.insert(target, source)
    return op.permuted(read, order)


def _reshape(op: Operation) -> Read | None:
    read = op.read
    said = op.config.get("newshape") or op.config.get("new_shape") or op.config.get("shape") or ()
    sizes = [-1 if size is None else int(size) for size in said][1:]
    if op.call.distributed or not sizes:
        return None
    if sizes.count(-1) > 1:
        raise ImportFault(
            f"{op.description} leaves {sizes.count(-1)} sizes open, where a spec can leave one",
            help="give the model's input a fixed size there",
        )
    _refuse_batch_in_axes(op, sizes)
    return op.add_reshape(op.call, read, sizes)


def _refuse_batch_in_axes(op: Operation, sizes: Sequence[int]) -> None:
    """Refuses a reshape that makes samples of positions, such as windows, or positions of samples.

    Raises:
        ImportFault: where the values of one sample do not fill the sizes, none of which is open.
    """
    known = op.sizes(op.read)
    is_open = None in known
    held, wanted = (math.prod(size or 1 for size in listed) for listed in (known, sizes))
    if -1 in sizes or (held == wanted and not is_open):
        return
    sample, made = ax.describe(op.axes(op.read)), f"({', '.join(map(str, sizes))})"
    if is_open or (held > wanted and held % wanted == 0):
        count = -1 if is_open else held // wanted
        raise ImportFault(
            f"{op.description} moves positions into the batch: one sample of {sample} becomes "
            f"{'several' if is_open else count} of {made}",
            help=f"keep them as an axis: `({', '.join(map(str, (-1, count, *sizes)))})`; layers work at every position "
            "of it alike",
        )
    raise ImportFault(
        f"{op.description} moves samples into other axes: those of {sample} become parts of {made}",
        help="keep what the batch was multiplied by as a separate axis before the others",
    )


def _expand_dims(op: Operation) -> Read:
    """One or more axes of size 1 put in."""
    read = op.read
    given = _as_list(op.config["axis"])
    rank = len(op.axes(read)) + len(given)
    for place in sorted(op.places(given, rank)):
        read = op.inserted(read, place)
    return read


def _squeeze(op: Operation) -> Read:
    read, given = op.read, op.config.get("axis")
    if given is None:
        return op.dropped(read, [place for place, size in enumerate(op.sizes(read)) if size == 1])
    return op.dropped(read, op.places(given, len(op.axes(read))))


def _as_it_is(op: Operation) -> Read:
    """A value whose gradient a spec does not stop."""
    if op.kind == "StopGradient":
        op.note(f"{op.description} is left out: the values are the same, but gradients pass where the spec is trained")
    return op.read


def _flip(op: Operation) -> Read:
    read = op.read
    names = [op.name(read, place) for place in op.places(op.config.get("axis"), len(op.axes(read)))]
    return op.add("slice", {name: {"step": -1} for name in names}, [read])


def _roll(op: Operation) -> Read:
    read = op.read
    places = op.places(op.config.get("axis"), len(op.axes(read)))
    shifts = _as_list(op.config["shift"])
    shifts = shifts * len(places) if len(shifts) == 1 else shifts
    body = {op.name(read, place): int(shift) for place, shift in zip(places, shifts, strict=True)}
    return op.add("roll", body, [read])


def _repeat(op: Operation) -> Read | None:
    """Every position several times in a row."""
    read, count = op.read, op.config.get("repeats")
    place = op.place(op.config.get("axis"), len(op.axes(read)))
    if isinstance(count, list | tuple) and len(count) == 1:
        count = count[0]
    if isinstance(count, int):
        return _copy_positions(op, read, place, count, in_a_row=True)
    size = op.sizes(read)[place]
    if not isinstance(count, list | tuple) or size != len(count):
        return None
    taken = [position for position, times in enumerate(count) for _ in range(int(times))]
    return op.add("take", {op.name(read, place): taken}, [read])


def _tile(op: Operation) -> Read | None:
    """Whole axes several times end to end."""
    read = op.read
    repeats = [int(count) for count in _as_list(op.config["repeats"])]
    rank = len(op.axes(read))
    repeats = [1] * (rank + 1 - len(repeats)) + repeats
    if len(repeats) > rank + 1 or repeats[0] != 1:
        raise op.over_batch()
    for place, count in enumerate(repeats[1:]):
        if count > 1:
            read = _copy_positions(op, read, place, count, in_a_row=False)
    return read


def _copy_positions(op: Operation, read: Read, place: int, count: int, *, in_a_row: bool) -> Read:
    """An axis repeated: in a row each position, else all of it end to end."""
    name = op.name(read, place)
    if op.sizes(read)[place] == 1:
        return op.add("expand", {name: count}, [read])
    made = op.inserted(read, place + in_a_row, "copy")
    copy = op.name(made, place + in_a_row)
    made = op.add("expand", {copy: count}, [made])
    return op.add("merge", {name: [name, copy] if in_a_row else [copy, name]}, [made])


def _broadcast(op: Operation) -> Read | None:
    read, shape = op.read, list(op.config["shape"])
    sizes = op.sizes(read)
    if len(shape) != len(sizes) + 1:
        return None
    return expand_axes(op, read, shape[1:])


def expand_axes(op: Operation, read: Read, shape: Sequence[int | None]) -> Read | None:
    """The value repeated along axes of size 1 until it has these sizes; None where another axis is not so long."""
    pairs = list(zip(op.sizes(read), shape, strict=True))
    if any(mine != theirs and mine != 1 for mine, theirs in pairs if theirs not in (None, -1)):
        return None
    body = {
        op.name(read, place): int(theirs)
        for place, (mine, theirs) in enumerate(pairs)
        if theirs is not None and mine == 1 and theirs > 1
    }
    return op.add("expand", body, [read]) if body else read


RULES: Mapping[str, Rule] = {
    "Transpose": _transpose,
    "Swapaxes": _swap_axes,
    "Moveaxis": _move_axes,
    "Reshape": _reshape,
    "ExpandDims": _expand_dims,
    "Squeeze": _squeeze,
    "Flip": _flip,
    **dict.fromkeys(("Copy", "StopGradient"), _as_it_is),
    "Roll": _roll,
    "Repeat": _repeat,
    "Tile": _tile,
    "BroadcastTo": _broadcast,
}
