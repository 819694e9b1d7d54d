"""Sorting, the largest values, medians, and positions that another value says."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.formulas import align_axes
from nnspec.importers.keras.operations.moving import expand_axes
from nnspec.importers.keras.operations.operation import Operation, Rule
from nnspec.importers.keras.operations.reductions import reduce_axes


def _largest(op: Operation) -> list[Read] | None:
    """Keras takes the last axis, which is a spec's default too."""
    read = op.read
    if not op.axes(read) or op.call.distributed:
        return None
    made = op.add("top_k", {"k": int(op.config["k"])}, [read])
    return [made, op.port(made, "positions")]


def _sort(op: Operation) -> Read:
    made = _in_order(op, op.place(op.config.get("axis", -1), len(op.axes(op.read))))
    return made if op.kind == "Sort" else op.port(made, "positions")


def _in_order(op: Operation, place: int) -> Read:
    is_last = place == len(op.axes(op.read)) - 1
    return op.add("sort", {} if is_last else {"axis": op.name(op.read, place)}, [op.read])


def _median(op: Operation) -> Read | None:
    """The middle of the sorted values, or the mean of the middle two."""
    read = op.read
    places = op.places(op.config.get("axis"), len(op.axes(read)))
    size = op.sizes(read)[places[0]]
    if len(places) != 1 or size is None:
        return None
    (place,) = places
    name = op.name(read, place)
    first = (size - 1) // 2
    middle = op.add("slice", {name: {"start": first, "stop": size // 2 + 1}}, [_in_order(op, place)])
    return reduce_axes(op, middle, "mean", [place], keepdims=bool(op.config.get("keepdims")))


def _taken_along(op: Operation) -> Read | None:
    """Each sample's own positions. Keras repeats axes of size 1; a spec's positions lack those."""
    if len(op.reads) != 2 or len(op.tensors) != 2 or op.call.distributed:
        return None
    value, positions = op.reads
    rank = len(op.axes(value))
    if rank != len(op.axes(positions)):
        return None
    place = op.place(op.config.get("axis"), rank)
    (value, positions), _ = align_axes(op, [value, positions], always=True)
    pairs = list(zip(op.sizes(value), op.sizes(positions), strict=True))
    others = [pair for i, pair in enumerate(pairs) if i != place]
    if (1, None) in others:  # as many as a spec cannot say
        return None
    wide = expand_axes(
        op, value, [theirs if mine == 1 and i != place else mine for i, (mine, theirs) in enumerate(pairs)]
    )
    if wide is None:
        return None
    gone = [i for i, (mine, theirs) in enumerate(pairs) if i != place and theirs == 1 and mine != 1]
    axis = op.name(wide, place)
    positions = op.dropped(positions, gone)
    return op.add("take_along", {} if place == rank - 1 else {"axis": axis}, [wide, positions])


RULES: Mapping[str, Rule] = {
    "TopK": _largest,
    "Sort": _sort,
    "Argsort": _sort,
    "Median": _median,
    "TakeAlongAxis": _taken_along,
}
