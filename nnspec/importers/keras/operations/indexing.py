"""Indices and slices, `x[:, 2:-1, None, ..., 0]`, and positions taken from an axis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from nnspec.importers.keras.items import Read
from nnspec.importers.keras.network import Config, Constant, ImportFault
from nnspec.importers.keras.operations.operation import Operand, Operation, Rule
from nnspec.importers.keras.operations.tables import flatten

Key = slice | int | None | list[int]


def _index(op: Operation) -> Read | None:
    read = op.read
    rank = len(op.axes(read))
    keys = _keys(op, op.argument(1, "key"), 1 + rank)
    if not isinstance(keys[0], slice) or keys[0] not in (slice(None), slice(0, None), slice(None, None, 1)):
        raise op.over_batch()
    parts: dict[str, int | dict[str, int]] = {}
    taken: dict[str, list[int]] = {}
    kept: list[bool] = []  # for each axis of the result whether it is a new one
    place = 0
    for key in keys[1:]:
        if key is None:
            kept.append(True)
            continue
        name, size = op.name(read, place), op.sizes(read)[place]
        place += 1
        if isinstance(key, int):
            parts[name] = key
            continue
        kept.append(False)
        if isinstance(key, list):
            taken[name] = key
        elif (said := _said(op, key, size)) is not None:
            parts[name] = said
    made = op.add("slice", parts, [read]) if parts else read
    if len(taken) > 1:
        return None  # which Python pairs
    made = op.add("take", taken, [made]) if taken else made
    for i, is_new in enumerate(kept):
        if is_new:
            made = op.inserted(made, i)
    return made


def _said(op: Operation, key: slice, size: int | None) -> dict[str, int] | None:
    """A slice as the verb has it, cut to what there is as Python does; None where it keeps everything."""
    if key == slice(None) or key == slice(None, None, 1):
        return None
    start, stop, step = key.start, key.stop, key.step or 1
    if size is not None:
        chosen = range(*key.indices(size))
        if not len(chosen):
            raise ImportFault(f"{op.description} leaves nothing of an axis of {size}")
        if len(chosen) == size and step == 1:
            return None
        start = chosen.start
        stop = chosen.stop if 0 <= chosen.stop < size and (step > 0 or chosen.stop >= 0) else None
        if start == (0 if step > 0 else size - 1):
            start = None
    said = {"start": start or None if step > 0 else start, "stop": stop, "step": None if step == 1 else step}
    return {word: number for word, number in said.items() if number is not None} or None


def _keys(op: Operation, given: Operand, rank: int) -> list[Key]:
    """An index for each axis, batch first, and None for each new one.

    Raises:
        ImportFault: where it is of another kind, such as a tensor of truth values.
    """
    listed = list(given) if isinstance(given, list | tuple) else [given]
    used = sum(1 for key in listed if key is not None and not _is(key, "__ellipsis__"))
    found: list[Key] = []
    for key in listed:
        if _is(key, "__ellipsis__"):
            found += [slice(None)] * (rank - used)
        elif _is(key, "__slice__"):
            config = key["config"]
            bounds = (config["start"], config["stop"], config["step"])
            if any(not isinstance(bound, int | None) for bound in bounds):
                raise ImportFault(f"{op.description} has computed bounds, which a spec cannot contain")
            found.append(slice(*bounds))
        elif key is None or (isinstance(key, int) and not isinstance(key, bool)):
            found.append(key)
        elif numbers := _integers(key):
            found.append(numbers)
        elif isinstance(key, Constant) and key.is_integers and key.rank == 1:
            found.append([int(one) for one in flatten(key.value)])
        else:
            raise ImportFault(f"{op.description} has a computed index, which a spec cannot contain")
    found += [slice(None)] * (rank - sum(key is not None for key in found))
    return found


def _is(key: Operand, class_name: str) -> TypeGuard[Config]:
    return isinstance(key, Mapping) and key.get("class_name") == class_name


def _take(op: Operation) -> Read | None:
    """Positions that do not depend on the data."""
    if len(op.reads) != 1 or not isinstance(op.arguments[0], Read):
        return None
    read, indices = op.reads[0], op.argument(1, "indices")
    place = op.place(op.config.get("axis"), len(op.axes(read)))
    name = op.name(read, place)
    if isinstance(indices, Constant):
        if not indices.is_integers or indices.rank > 1:
            return None
        return _take_at(op, read, name, indices.value)
    return _take_at(op, read, name, indices)


def _take_at(op: Operation, read: Read, name: str, indices: object) -> Read | None:
    if isinstance(indices, int):
        return op.add("slice", {name: indices}, [read])
    numbers = _integers(indices)
    return op.add("take", {name: numbers}, [read]) if numbers else None


def _integers(value: object) -> list[int]:
    """The whole numbers of a list; none where it has others."""
    listed = value if isinstance(value, list | tuple) else []
    return [int(one) for one in listed] if all(isinstance(one, int) for one in listed) else []


def _diagonal(op: Operation) -> Read | None:
    """The positions at which two axes meet, along a last axis: those axes merged, and every so many of them taken."""
    read, rank = op.read, len(op.axes(op.read))
    first, second = op.places([op.config.get("axis1", 0), op.config.get("axis2", 1)], rank)
    rows, columns = (op.sizes(read)[place] for place in (first, second))
    shift = int(op.config.get("offset", 0))
    if rows is None or columns is None or first == second:
        return None
    top, left = max(0, -shift), max(0, shift)
    taken = [(top + i) * columns + left + i for i in range(min(rows - top, columns - left))]
    if not taken:
        return None
    rest = [place for place in range(rank) if place not in (first, second)]
    moved = op.permuted(read, [*rest, first, second])
    pair, name = [op.name(moved, rank - 2), op.name(moved, rank - 1)], op.new_name("diagonal", moved)
    return op.add("take", {name: taken}, [op.add("merge", {name: pair}, [moved])])


RULES: Mapping[str, Rule] = {"GetItem": _index, "Take": _take, "Diagonal": _diagonal}
