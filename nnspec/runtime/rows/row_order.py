"""The rows of a table in the order in which training read them: sorted by time, each series by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Metadata
from nnspec.runtime.rows.kept import Coded, IsoTimes
from nnspec.runtime.rows.picked import Picked, codes_of, microseconds_of
from nnspec.runtime.rules.csv import missing_among
from nnspec.runtime.rules.iso_times import IsoColumn
from nnspec.runtime.rules.series_keys import join_keys
from nnspec.runtime.rules.time_steps import step_of
from nnspec.runtime.rules.times import SortKey, sort_keys

_PART = 1 << 16  # cells that are looked at at a time


@dataclass(frozen=True, eq=False)
class RowOrder:
    """Where rows come to stand.

    Attributes:
        rows: each position's row in the file, from 0.
        starts: the position at which each series begins.
        keys: the columns that order and tell apart the rows, as they stand in the file.
        notes: what the file lacks.
        first: how many rows of the file come before these.
    """

    rows: NDArray[np.int64]
    starts: NDArray[np.int64]
    keys: Mapping[str, Sequence[str]]
    notes: tuple[str, ...] = ()
    first: int = 0

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Of each position the number of its row in the file, from 1."""
        return self.rows + (1 + self.first)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The positions of each series, as (start, stop)."""
        starts = self.starts.tolist()
        return list(zip(starts, [*starts[1:], len(self.rows)][: len(starts)], strict=True))


def key_columns(metadata: Metadata) -> list[str]:
    """The columns by which training ordered rows and told series apart."""
    time = metadata.get("order_by")
    return list(dict.fromkeys([*([str(time)] if time else []), *series_columns(metadata)]))


def passed_columns(metadata: Metadata) -> list[str]:
    """The columns that stand beside predictions: those of the order, and those that a caller asks for (`keep`)."""
    return list(dict.fromkeys([*key_columns(metadata), *(metadata.get("keep") or ())]))


def series_columns(metadata: Metadata) -> list[str]:
    """The columns by which training told series apart."""
    given = metadata.get("series") or []
    return [str(name) for name in (given if isinstance(given, list) else [given])]


def order_rows(file: Path, count: int, keys: Mapping[str, Sequence[str]], metadata: Metadata) -> RowOrder:
    """The order of a table's rows.

    Args:
        keys: the cells of the columns of `passed_columns` that the file has.

    Raises:
        InputError: where a row has no time or no series.
    """
    _require_keys(file, keys, metadata)
    notes = _describe_lacks(file, keys, metadata)
    series = series_columns(metadata)
    order = np.arange(count)
    time = str(metadata.get("order_by") or "")
    if time in keys:
        order = _in_time(keys[time])
    told = [keys[name] for name in series if name in keys]
    ranks = np.zeros(count, np.int64)
    if told:
        ranks = _ranks(told, order)
        together = np.argsort(ranks, kind="stable")
        order, ranks = order[together], ranks[together]
    starts = np.flatnonzero(np.diff(ranks, prepend=-1))
    if time in keys and metadata.get("window"):
        times = Picked(keys[time], order)
        notes += _describe_duplicates(file, times, ranks, time)
        if metadata.get("every"):
            moments = sort_keys(list(times))
            notes += _describe_steps(file, moments, times, ranks, metadata)
    return RowOrder(np.asarray(order, np.int64), starts, keys, tuple(notes))


def _ranks(told: Sequence[Sequence[str]], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each position the number of its series, in the order in which they appear."""
    if len(told) == 1 and isinstance(told[0], Coded):
        codes = codes_of(told[0])[order]
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first, kind="stable"), kind="stable")[inverse].astype(np.int64)
    names = join_keys([list(cells) for cells in told]) if len(told) > 1 else told[0]
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(names[row], len(numbers)) for row in order.tolist()], np.int64)


def rows_of_file(file: Path, count: int, keys: Mapping[str, Sequence[str]], metadata: Metadata, first: int) -> RowOrder:
    """Some of a table's rows in file order, for a model that reads each by itself.

    Args:
        keys: as in `order_rows`.
        first: how many rows come before these.

    Raises:
        InputError: as `order_rows`.
    """
    _require_keys(file, keys, metadata, first)
    notes = _describe_lacks(file, keys, metadata)
    return RowOrder(np.arange(count), np.zeros(min(count, 1), np.int64), keys, tuple(notes), first)


def _require_keys(file: Path, keys: Mapping[str, Sequence[str]], metadata: Metadata, first: int = 0) -> None:
    for name in key_columns(metadata):
        gap = next((start + index for start, part in _parts(keys.get(name, ())) for index in missing_among(part)), None)
        if gap is not None:
            row = first + gap + 1
            raise InputError(f"`{file.name}`: column `{name}`, by which rows are ordered, has no value in row {row}")


def _describe_lacks(file: Path, keys: Mapping[str, Sequence[str]], metadata: Metadata) -> list[str]:
    """What is said of columns of the order that a file has not."""
    series = series_columns(metadata)
    return [
        f"`{file.name}` has no column `{name}`, by which training {did}: rows are taken {instead}"
        for names, did, instead in (
            ([str(metadata["order_by"])] if metadata.get("order_by") else [], "sorted rows", "in file order"),
            (series, "told series apart", "as one series" if len(series) < 2 else "as one series of each other key"),
        )
        for name in names
        if name not in keys
    ]


def _in_time(cells: Sequence[str]) -> NDArray[np.int64]:
    """The rows in the order of their times; those of one time stay in file order."""
    if isinstance(cells, IsoTimes):
        values = microseconds_of(cells)
        return np.arange(len(cells)) if (values[1:] >= values[:-1]).all() else np.argsort(values, kind="stable")
    column, values = IsoColumn(), np.empty(len(cells), np.int64)
    for start, part in _parts(cells):
        found = column.read(part)
        if found is None:
            moments = sort_keys(list(cells))
            return np.array(sorted(range(len(cells)), key=moments.__getitem__), np.int64)
        values[start : start + len(part)] = found
    return np.arange(len(cells)) if (values[1:] >= values[:-1]).all() else np.argsort(values, kind="stable")


def _parts(cells: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """Cells in pieces, each with the number of its first."""
    for start in range(0, len(cells), _PART):
        yield start, list(cells[start : start + _PART])


def _describe_duplicates(file: Path, times: Picked, ranks: NDArray[np.int64], name: str) -> list[str]:
    """What is said of rows of one series that have one time: their windows may mix what belongs apart."""
    same = [i for i in np.flatnonzero(times.repeats()).tolist() if ranks[i] == ranks[i - 1]]
    if not same:
        return []
    many = "1 row has" if len(same) == 1 else f"{len(same)} rows have"
    return [
        f"`{file.name}`: {many} the same `{name}` as another, such as `{times[same[0]]}`: windows count each of them"
    ]


def _describe_steps(
    file: Path, moments: Sequence[SortKey], times: Picked, ranks: NDArray[np.int64], metadata: Metadata
) -> list[str]:
    """What is said of rows that are not as far apart as those of training: windows count rows."""
    every, name = str(metadata["every"]), metadata["order_by"]
    repeats = times.repeats()
    follows = [(i - 1, i) for i in range(1, len(times)) if ranks[i] == ranks[i - 1] and not repeats[i]]
    step = None if not follows or isinstance(moments[0], str) else step_of(every, moments, follows)
    if step is None:
        return []
    odd = [before for before, after in follows if not step.fits(moments[before], moments[after])]
    if not odd:
        return []
    many = f"{len(odd)} steps of `{name}` are" if len(odd) > 1 else f"1 step of `{name}` is"
    return [
        f"`{file.name}`: {many} not `{every}`, as all were in training, such as that after `{times[odd[0]]}`: windows "
        "across it span another time"
    ]
