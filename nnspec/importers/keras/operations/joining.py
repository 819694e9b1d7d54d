"""Concatenation, stacking and splitting of values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.operation import Operation, Rule


def _concatenate(op: Operation) -> Read | None:
    if op.constants or not op.reads:
        return None
    return _end_to_end(op, op.reads, op.place(op.config.get("axis", -1), len(op.axes(op.reads[0]))))


def _end_to_end(op: Operation, reads: list[Read], place: int) -> Read:
    if len(reads) == 1:
        return reads[0]
    is_last = place == len(op.axes(reads[0])) - 1
    return op.add("Concatenate", {} if is_last else {"axis": op.name(reads[0], place)}, reads)


def _stack(op: Operation) -> Read | None:
    if op.constants or not op.reads:
        return None
    place = op.place(op.config.get("axis", 0), len(op.axes(op.reads[0])) + 1)
    return _end_to_end(op, [op.inserted(read, place, "part") for read in op.reads], place)


def _split(op: Operation) -> list[Read] | None:
    """Parts of an axis one after the other."""
    read, said = op.read, op.config["indices_or_sections"]
    place = op.place(op.config.get("axis", 0), len(op.axes(read)))
    size = op.sizes(read)[place]
    if isinstance(said, int):
        if size is None:
            return None
        bounds = [size // said * i for i in range(said + 1)]
    else:
        bounds = [0, *(int(bound) for bound in said)]
        bounds.append(size if size is not None else -1)
    name = op.name(read, place)
    made = []
    for i, (start, stop) in enumerate(pairwise(bounds)):
        part: dict[str, int] = {"start": start} if start else {}
        if stop not in (size, -1):
            part["stop"] = stop
        made.append(op.add("slice", {name: part}, [read]) if part and i in op.wanted else read)
    return made


def _unstack(op: Operation) -> list[Read] | None:
    """Every position of an axis by itself."""
    read = op.read
    place = op.place(op.config.get("axis", 0), len(op.axes(read)))
    count = op.config.get("num") or op.sizes(read)[place]
    if not isinstance(count, int):
        return None
    name = op.name(read, place)
    return [op.add("slice", {name: i}, [read]) if i in op.wanted else read for i in range(count)]


RULES: Mapping[str, Rule] = {
    "Concatenate": _concatenate,
    "Stack": _stack,
    "Split": _split,
    "Unstack": _unstack,
}
