"""Folds consecutive stretches, each of which reads only the previous one, into one `repeat`."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.importers.keras.units import Entry, Repeat, Unit, is_simple
from nnspec.layers.kit.args import REQUIRED

MAX_PERIOD = 12
MAX_COLUMNS = 4


def fold_repeats(units: Sequence[Unit], kept: set[int], start: Unit | str | None) -> list[Entry]:
    """The list with repeats.

    Args:
        kept: identities of units that something outside the list reads.
        start: what the first unit reads where it says nothing.
    """
    readers: dict[int, int] = {}
    for i, unit in enumerate(units):
        for source, _ in unit.reads:
            readers[id(source)] = i
    result: list[Entry] = []
    i = 0
    while i < len(units):
        before = units[i - 1] if i else start
        best = max(
            (_repeat(units, i, period, before, readers, kept) for period in range(1, MAX_PERIOD + 1)),
            key=lambda made: 0 if made is None else (made.rounds - 1) * len(made.units),
        )
        if best is None:
            result.append(units[i])
            i += 1
            continue
        result.append(best)
        i += best.rounds * len(best.units)
    return result


def _repeat(
    units: Sequence[Unit], start: int, period: int, before: Unit | str | None, readers: dict[int, int], kept: set[int]
) -> Repeat | None:
    """The longest repeat of this period from here on, if it is worth it."""
    rounds = 0
    while start + (rounds + 1) * period <= len(units):
        first = start + rounds * period
        stretch = units[first : first + period]
        if not _is_chained(stretch, units[first - 1] if first > start else before) or not _alike(
            units, start, first, period
        ):
            break
        rounds += 1
        if any(readers.get(id(unit), -1) >= first + period or id(unit) in kept for unit in stretch[:-1]):
            rounds -= 1
            break
        last = stretch[-1]
        if id(last) in kept or readers.get(id(last), -1) > first + period:
            break  # it is read later: it can only be the last iteration
    while rounds > 1:
        columns = _columns(units, start, period, rounds)
        if columns is not None and (rounds - 1) * period - len(columns) >= 2 - (not columns and period > 1):
            return _made(units, start, period, rounds, columns)
        rounds -= 1
    return None


def _is_chained(stretch: Sequence[Unit], before: Unit | str | None) -> bool:
    """Whether only the first unit reads from outside, and only what stands before it."""
    inside = set(map(id, stretch))
    head, *rest = stretch
    if before is None or len(head.reads) != 1 or head.reads[0][1] != 0 or head.reads[0][0] is not before:
        return isinstance(before, str) and head.reads == [(before, 0)] and _reads_inside(rest, inside)
    return _reads_inside(rest, inside)


def _reads_inside(units: Sequence[Unit], inside: set[int]) -> bool:
    return all(isinstance(source, Unit) and id(source) in inside for unit in units for source, _ in unit.reads)


def _alike(units: Sequence[Unit], start: int, first: int, period: int) -> bool:
    """Whether the stretch at `first` is wired like the one at `start`, of the same kinds."""
    place = {id(unit): i for i, unit in enumerate(units[start : first + period], start)}
    for offset in range(period):
        mine, theirs = units[start + offset], units[first + offset]
        if mine.shape != theirs.shape or len(mine.reads) != len(theirs.reads):
            return False
        for (a, p), (b, q) in zip(mine.reads, theirs.reads, strict=True):
            if offset and (p != q or place[id(a)] - start != place[id(b)] - first):
                return False
    return True


def _columns(units: Sequence[Unit], start: int, period: int, rounds: int) -> dict[tuple[int, str], list[object]] | None:
    columns: dict[tuple[int, str], list[object]] = {}
    for offset in range(period):
        column = [units[start + r * period + offset] for r in range(rounds)]
        for key in dict.fromkeys(key for unit in column for key in unit.values):
            values = [unit.value(key) for unit in column]
            if all(repr(value) == repr(values[0]) for value in values):
                continue
            if any(value is REQUIRED or not is_simple(value) for value in values):
                return None
            columns[offset, key] = values
    distinct = {repr(values) for values in columns.values()}
    return columns if len(distinct) <= MAX_COLUMNS else None


def _made(
    units: Sequence[Unit], start: int, period: int, rounds: int, columns: dict[tuple[int, str], list[object]]
) -> Repeat:
    names: dict[str, str] = {}
    said: dict[str, list[object]] = {}
    for (_, key), values in columns.items():
        if repr(values) not in names:
            number, name = 1, key
            while name in said:
                number, name = number + 1, f"{key}_{number + 1}"
            names[repr(values)] = name
            said[name] = values
    for (offset, key), values in columns.items():
        units[start + offset].values[key] = f"${names[repr(values)]}"
    return Repeat(list(units[start : start + period]), rounds, said, units[start + rounds * period - 1])
