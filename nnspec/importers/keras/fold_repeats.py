"""Folds repeated structure into blocks: the longest stretches that differ only in values.

A stretch can be a block where it reads at most `MAX_INPUTS` values from outside and only its last layer is read from
outside. Stretches are compared by what they compute and by how they are wired, never by their names; what differs
becomes a parameter. Writing the blocks out again gives the very same list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nnspec.expansion.naming import snake_case
from nnspec.importers.keras.units import Block, Unit, is_simple
from nnspec.layers.kit.args import REQUIRED

MAX_LENGTH = 96
MAX_INPUTS = 2
MAX_PARAMETERS = 6
MAX_ROUNDS = 64
_LARGE = 1 << 60
_HEAVY = ("Conv", "Dense", "LSTM", "GRU", "Attention")
_ACTIVATIONS = frozenset({"Activation", "ReLU", "LeakyReLU", "ELU", "PReLU", "Softmax"})
_JOINS = {"Add": "residual", "Multiply": "gate", "Concatenate": "branches"}


@dataclass(frozen=True)
class _Group:
    """Places where one stretch stands, and the vectors of values in which they differ."""

    starts: tuple[int, ...]
    length: int
    columns: dict[tuple[int, str], tuple[object, ...]]
    gain: float


def fold_blocks(units: list[Unit], ends: Sequence[Unit]) -> tuple[list[Unit], list[Block], list[Unit]]:
    """The list with blocks in the place of what repeats, the blocks, inner ones first, and what became of the ends."""
    blocks: list[Block] = []
    taken: set[str] = set()
    now = list(ends)
    for _ in range(MAX_ROUNDS):
        group = _best(units, set(map(id, now)))
        if group is None:
            break
        units, moved = _replace(units, group, blocks, taken)
        now = [moved.get(id(unit), unit) for unit in now]
    return units, blocks, now


def _best(units: list[Unit], kept: set[int]) -> _Group | None:
    """The group whose folding saves most."""
    found: dict[tuple[int, int], list[int]] = {}
    place = {id(unit): i for i, unit in enumerate(units)}
    last = _last_readers(units, place, kept)
    for start in range(len(units)):
        _extend(units, place, last, start, found)
    bounds = sorted(
        (
            ((len(starts) - 1) * key[0] - len(starts) - 1, key[0], key)
            for key, starts in found.items()
            if len(starts) > 1
        ),
        reverse=True,
    )
    best: _Group | None = None
    for bound, length, key in bounds:
        if best is not None and bound <= best.gain:
            break
        group = _group(units, _apart(found[key], length), length)
        if group is not None and group.gain > (best.gain if best is not None else 1.0):
            best = group
    return best


def _last_readers(units: Sequence[Unit], place: dict[int, int], kept: set[int]) -> list[int]:
    """For each unit the place of the last one that reads it; a very large one where an output does."""
    last = [_LARGE if id(unit) in kept else -1 for unit in units]
    for i, unit in enumerate(units):
        for source, _ in unit.reads:
            if isinstance(source, Unit):
                last[place[id(source)]] = max(last[place[id(source)]], i)
    return last


def _extend(
    units: Sequence[Unit],
    place: dict[int, int],
    last: Sequence[int],
    start: int,
    found: dict[tuple[int, int], list[int]],
) -> None:
    """Enters every stretch from `start` on that can be a block, under its length and its signature."""
    signature, outside, farthest = 0, dict[tuple[int | str, int], int](), -1
    for i in range(start, min(start + MAX_LENGTH, len(units))):
        wiring = []
        for source, port in units[i].reads:
            j = place[id(source)] if isinstance(source, Unit) else -1
            if j >= start:
                wiring.append((True, j - start, port))
            else:
                key = (id(source) if isinstance(source, Unit) else source, port)
                wiring.append((False, outside.setdefault(key, len(outside)), 0))
        if len(outside) > MAX_INPUTS or any(port for _, port in outside):
            return
        signature = hash((signature, units[i].shape, tuple(wiring)))
        if i > start and farthest <= i and len(units[i].ports) == 1:  # it gives one value, made by its last layer
            found.setdefault((i - start + 1, signature), []).append(start)
        farthest = max(farthest, last[i])


def _apart(starts: Sequence[int], length: int) -> tuple[int, ...]:
    kept: list[int] = []
    for start in starts:
        if not kept or start >= kept[-1] + length:
            kept.append(start)
    return tuple(kept)


def _group(units: Sequence[Unit], starts: tuple[int, ...], length: int) -> _Group | None:
    if len(starts) < 2:
        return None
    columns: dict[tuple[int, str], tuple[object, ...]] = {}
    for offset in range(length):
        column = [units[start + offset] for start in starts]
        for key in dict.fromkeys(key for unit in column for key in unit.values):
            values = tuple(unit.value(key) for unit in column)
            if all(value == values[0] and isinstance(value, bool) == isinstance(values[0], bool) for value in values):
                continue
            if any(value is REQUIRED or not is_simple(value) for value in values):
                return None
            columns[offset, key] = values
    distinct = {_frozen(values) for values in columns.values()}
    if len(distinct) > MAX_PARAMETERS:
        return None
    count = len(starts)
    stretch = units[starts[0] : starts[0] + length]
    if _is_periodic(stretch):
        return None  # its period is the block, and a repeat does the rest
    more_inputs = len(_outside(stretch)) - 1
    gain = (count - 1) * length - count * (1 + 0.15 * len(distinct) + 2 * more_inputs - _grace(stretch)) - 1
    return _Group(starts, length, columns, gain) if gain > 1 else None


def _is_periodic(stretch: Sequence[Unit]) -> bool:
    said = [(unit.shape, repr(sorted(unit.values.items()))) for unit in stretch]
    return any(
        len(said) % period == 0 and all(a == b for a, b in zip(said, said[period:], strict=False))
        for period in range(1, len(said) // 2 + 1)
    )


def _grace(stretch: Sequence[Unit]) -> float:
    """How much a stretch looks like what people call a block: from a layer with weights to a join or an activation."""
    first, last = stretch[0], stretch[-1]
    begins = first.verb == "block" or any(word in first.kind for word in _HEAVY)
    ends = not last.verb and (last.kind in _JOINS or last.kind in _ACTIVATIONS)
    return 0.2 * begins + 0.2 * ends


def _frozen(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(repr(value) for value in values)


def _replace(
    units: list[Unit], group: _Group, blocks: list[Block], taken: set[str]
) -> tuple[list[Unit], dict[int, Unit]]:
    """The list with the group's stretches replaced by uses of a new block, by the identity of their last units."""
    names = _parameter_names(group)
    first = units[group.starts[0] : group.starts[0] + group.length]
    outside = _outside(first)
    labels = ("input",) if len(outside) == 1 else tuple(f"input_{i + 1}" for i in range(len(outside)))
    body = _body(first, group, names, outside, labels)
    name = _block_name(first, taken)
    defaults = {parameter: _common(values) for parameter, values in _by_name(group, names).items()}
    blocks.append(Block(name, body, defaults, labels))
    moved: dict[int, Unit] = {}
    result: list[Unit] = []
    i = 0
    starts = {start: number for number, start in enumerate(group.starts)}
    while i < len(units):
        if i not in starts:
            result.append(units[i])
            i += 1
            continue
        stretch = units[i : i + group.length]
        values = {p: column[starts[i]] for p, column in _by_name(group, names).items()}
        use = Unit(kind=name, verb="block", values=values, reads=_outside(stretch), label=stretch[-1].label)
        moved[id(stretch[-1])] = use
        result.append(use)
        i += group.length
    for unit in result:
        unit.reads = [
            (moved.get(id(source), source) if isinstance(source, Unit) else source, p) for source, p in unit.reads
        ]
    return result, moved


def _outside(stretch: Sequence[Unit]) -> list[tuple[Unit | str, int]]:
    """What a stretch reads from outside, each once, in order."""
    inside = set(map(id, stretch))
    found: dict[tuple[int | str, int], tuple[Unit | str, int]] = {}
    for unit in stretch:
        for source, port in unit.reads:
            if not isinstance(source, Unit) or id(source) not in inside:
                found.setdefault((id(source) if isinstance(source, Unit) else source, port), (source, port))
    return list(found.values())


def _body(
    stretch: Sequence[Unit],
    group: _Group,
    names: dict[tuple[int, str], str],
    outside: list[tuple[Unit | str, int]],
    labels: Sequence[str],
) -> list[Unit]:
    """Copies of the stretch's units that read the block's inputs and say parameters where values differ."""
    copies: dict[int, Unit] = {}
    for offset, unit in enumerate(stretch):
        keys = dict.fromkeys([*unit.values, *(key for place, key in names if place == offset)])
        values = {key: f"${names[offset, key]}" if (offset, key) in names else unit.values[key] for key in keys}
        reads: list[tuple[Unit | str, int]] = []
        for source, port in unit.reads:
            if isinstance(source, Unit) and id(source) in copies:
                reads.append((copies[id(source)], port))
            else:
                number = next(i for i, (o, p) in enumerate(outside) if (o is source and p == port) or o == source)
                reads.append((labels[number], 0))
        copies[id(unit)] = Unit(
            kind=unit.kind,
            verb=unit.verb,
            values=values,
            rest=unit.rest,
            reads=reads,
            label=unit.label,
            ports=unit.ports,
        )
    return list(copies.values())


def _parameter_names(group: _Group) -> dict[tuple[int, str], str]:
    """A parameter for every distinct vector of values, called after the argument that it fills first."""
    names: dict[tuple[str, ...], str] = {}
    result: dict[tuple[int, str], str] = {}
    for place, values in group.columns.items():
        key = _frozen(values)
        if key not in names:
            stem, number = place[1], 1
            while (stem if number == 1 else f"{stem}_{number}") in names.values():
                number += 1
            names[key] = stem if number == 1 else f"{stem}_{number}"
        result[place] = names[key]
    return result


def _by_name(group: _Group, names: dict[tuple[int, str], str]) -> dict[str, tuple[object, ...]]:
    return {names[place]: values for place, values in group.columns.items()}


def _common(values: Sequence[object]) -> object:
    """The value that most uses have, as a default; None where there is no such."""
    counted = sorted(values, key=lambda value: -sum(repr(value) == repr(other) for other in values))
    return counted[0] if sum(repr(counted[0]) == repr(v) for v in values) * 2 > len(values) else None


def _block_name(stretch: Sequence[Unit], taken: set[str]) -> str:
    kinds = [unit.kind for unit in stretch if not unit.verb]
    stem = next((_JOINS[unit.kind] for unit in stretch[:-4:-1] if not unit.verb and unit.kind in _JOINS), None)
    if stem is None:
        heavy = next((k for k in kinds if any(word in k for word in _HEAVY)), None)
        stem = f"{snake_case(heavy or (kinds[0] if kinds else stretch[0].kind))}_block"
    number, name = 1, stem
    while name in taken:
        number, name = number + 1, f"{stem}_{number + 1}"
    taken.add(name)
    return name
