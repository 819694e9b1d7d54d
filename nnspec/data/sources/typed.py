"""The base class of tables whose columns have types, read by DuckDB: Parquet, Arrow, databases and queries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import (
    ArrayFacts,
    Column,
    ColumnFacts,
    MisfitError,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
    TableSource,
)
from nnspec.data.sources.list_arrays import ReadAnew, array_extremes, array_facts, length_facts, load_array
from nnspec.data.sources.stamps import stamps_of
from nnspec.data.sources.typed_facts import concatenate_facts, constant_facts, count_rows, scan_table
from nnspec.data.sources.typed_keys import join_keys, read_keys
from nnspec.lazy import dataclass
from nnspec.runtime.engine.types import EngineError, Kind, Table, Wanted, kind_of, read_columns, why_unreadable
from nnspec.runtime.rules.csv import CellError, NumberColumn, is_missing
from nnspec.runtime.rules.json import Record
from nnspec.runtime.tables.json_arrays import list_column, sequence_names
from nnspec.runtime.tables.typed_lists import list_records, why_no_list

if TYPE_CHECKING:
    import duckdb
    import numpy as np

    from nnspec.runtime.ports import Metadata

_WANTED = {Reading.NUMBER: Wanted.NUMBER, Reading.WORD: Wanted.WORD, Reading.LABEL: Wanted.WORD}
_AT_ONCE = 1 << 23  # values; of a larger table, half as many at a time
_GROUP = 122_880  # rows that Parquet files and DuckDB's tables keep together
_KEPT_FACTS = 4  # an editor asks after each letter


@dataclass(frozen=True, eq=False)
class Part:
    """A stretch of a source's rows: one of its files.

    Attributes:
        shown: how messages name it; empty where it is the whole source.
        constants: columns that hold one cell in every row, such as those of a partitioned folder's names.
    """

    table: Table
    shown: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The columns, those of folders last."""
        return [*self.table.types, *self.constants]

    def kind(self, name: str) -> Kind:
        return Kind.TEXT if name in self.constants else kind_of(self.table.types[name])


@dataclass(frozen=True)
class TypedFacts(SourceFacts):
    """A table of which some columns cannot be read, each with why not; `lists` reads the rows of one of lists."""

    columns: Mapping[str, ColumnFacts]
    names: Sequence[str]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    lists: Callable[[str], Iterator[Record]] | None = None

    def array(self, name: str) -> ArrayFacts | None:
        column = list_column(name, self.names)
        return None if column is None or self.lists is None else array_facts(self.lists(column), name)

    def extremes(self, name: str) -> tuple[int, int] | None:
        return array_extremes(self.lists(list_column(name, self.names) or name), name) if self.lists else None

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        if name not in self.names and self.lists is not None:
            of_list = list_column(name, self.names)
            return None if of_list is None else length_facts(self.lists(of_list), name)
        if name in self.unreadable:
            raise SourceError(f"column `{name}` {self.unreadable[name]}")
        return self.columns.get(name)


class FillingSource(ABC):
    """A kind of table that puts its rows into an engine by itself, for queries: columns keep their own types."""

    @abstractmethod
    def fill(self, plan: SourcePlan, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        """Makes the table `name` of all rows.

        Raises:
            EngineError: where they cannot be read.
            SourceError: as well.
        """


class TypedSource(TableSource):
    """A kind of table whose columns have types."""

    selectors = ("columns", "array")
    tells_times = True

    def __init__(self) -> None:
        self._facts: dict[Hashable, TypedFacts] = {}

    @abstractmethod
    def open_parts(self, plan: SourcePlan) -> AbstractContextManager[Iterator[Part]]:
        """The tables whose rows follow one another.

        Raises:
            EngineError: where one cannot be read.
            SourceError: as well.
        """

    def stamp(self, plan: SourcePlan) -> Hashable | None:
        """What changes as the data do; None where that is not known without reading them."""
        return stamps_of(plan.files())

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        """Goes through the rows once, in DuckDB, looking at the columns that are wanted."""
        try:
            stamp = self.stamp(plan)
            names = list(dict.fromkeys([*wanted, *kept]))
            key = (plan.identity, stamp, tuple(names), tuple(sorted(set(kept))))
            if stamp is not None and key in self._facts:
                return self._facts[key]
            found = self._scan(plan, names, kept)
        except EngineError as error:
            raise SourceError(str(error)) from None
        except OSError as error:
            raise SourceError(f"it cannot be read ({error.strerror or error})") from None
        if stamp is not None:
            while len(self._facts) >= _KEPT_FACTS:
                del self._facts[next(iter(self._facts))]
            self._facts[key] = found
        return found

    def _scan(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> TypedFacts:
        facts: list[dict[str, ColumnFacts]] = []
        unreadable: dict[str, str] = {}
        names: list[str] = []
        first: Part | None = None
        rows = 0
        with self.open_parts(plan) as parts:
            for part in parts:
                names = names or part.names
                asked = [name for name in wanted if name in names]
                first = first or part
                check_alike(first, part, asked)
                for name, type_name in part.table.types.items():
                    why = why_unreadable(type_name)
                    if why is not None:
                        unreadable[name] = why
                readable = [name for name in asked if name not in unreadable]
                own = [name for name in readable if name not in part.constants]
                count = count_rows(part.table)
                rows += count
                if not count:
                    continue
                found = scan_table(part.table, own, kept)
                for name in readable:
                    if name in part.constants:
                        found[name] = constant_facts(part.constants[name], count, keeps=name in kept)
                facts.append(found)
        if not rows:
            raise SourceError("it has no rows")
        others = {name: ColumnFacts(rows=rows) for name in names if name not in unreadable}
        return TypedFacts({**others, **concatenate_facts(facts)}, names, unreadable, partial(self._lists, plan))

    def _lists(self, plan: SourcePlan, column: str) -> Iterator[Record]:
        """The rows with one column of lists.

        Raises:
            SourceError: where it has none, or cannot be read.
        """
        try:
            with self.open_parts(plan) as parts:
                for part in parts:
                    type_name = part.table.types.get(column, "VARCHAR")
                    why = why_no_list(type_name)
                    if why is not None:
                        raise SourceError(f"column `{column}` {why}")
                    yield from list_records(part.table, column)
        except EngineError as error:
            raise SourceError(str(error)) from None

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        facts = self.probe(plan, [], [])
        column = list_column(name or "", facts.names)
        yield load_array(ReadAnew(partial(self._lists, plan, column or name or "")), name or "")

    def sequence_names(self, array: str, levels: int) -> tuple[str, tuple[str, ...]] | None:
        return sequence_names(array, levels)

    def locate(self, plan: SourcePlan, row: int) -> str:
        """`row 3`, or `` row 3 of `b.parquet` `` where there are several files."""
        left, is_several = row, len(plan.files()) > 1
        try:
            with self.open_parts(plan) as parts:
                for part in parts:
                    count = count_rows(part.table)
                    if left <= count:
                        return f"row {left} of `{part.shown}`" if part.shown and is_several else f"row {left}"
                    left -= count
        except (EngineError, SourceError, OSError):
            pass
        return f"row {row}"

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        if reading is Reading.ORDER:
            keys = [read_keys(partial(self._read_alone, plan, name)) for name in names]
            yield from ([column] for column in keys[0]) if len(keys) == 1 else [[join_keys(each) for each in keys]]
            return
        yield from self._read(plan, names, reading)

    def _read_alone(self, plan: SourcePlan, name: str) -> Iterator[Column]:
        for (column,) in self._read(plan, [name], Reading.ORDER):
            yield column

    def _read(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        first: Part | None = None
        try:
            with self.open_parts(plan) as parts:
                for part in parts:
                    first = first or part
                    for name in names:
                        _check_readable(plan, part, name, reading)
                    check_alike(first, part, names)
                    for rows in _stretches(part, len(names)):
                        yield read_part(plan, part, names, reading, rows)
        except EngineError as error:
            raise SourceError(str(error)) from None
        except OSError as error:
            raise SourceError(f"it cannot be read ({error.strerror or error})") from None

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def check_alike(first: Part, part: Part, names: Sequence[str]) -> None:
    """A column has one type in all files.

    Raises:
        SourceError: naming both files, where it has not, or is not there.
    """
    for name in names:
        if name not in part.names:
            raise SourceError(f"`{part.shown}` has no column `{name}`, which `{first.shown}` has")
        kinds = {first.kind(name), part.kind(name)} - {Kind.NOTHING}
        if len(kinds) > 1:
            types = [each.table.types.get(name, "VARCHAR") for each in (first, part)]
            raise SourceError(
                f"column `{name}` has type {types[0]} in `{first.shown}`, but {types[1]} in `{part.shown}`: write all "
                "files with one type"
            )


def _check_readable(plan: SourcePlan, part: Part, name: str, reading: Reading) -> None:
    if name not in part.names:
        raise SourceError(f"{f'`{part.shown}`' if part.shown else 'it'} has no column `{name}`")
    if name in part.constants:
        return
    type_name = part.table.types[name]
    why = why_unreadable(type_name)
    if why is not None:
        raise MisfitError(f"column `{name}` of `{plan.shown}` {why}")
    if reading is Reading.NUMBER and not kind_of(type_name).is_number:
        raise MisfitError(f"column `{name}` of `{plan.shown}` has type {type_name}, which is not a number")


def _stretches(part: Part, columns: int) -> list[range | None]:
    """The rows that are read at a time: all of a table of up to `_AT_ONCE` values."""
    count = count_rows(part.table)
    if count * columns <= _AT_ONCE:
        return [None]
    size = max(1, _AT_ONCE // 2 // columns)
    size = size // _GROUP * _GROUP or size
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


def read_part(
    plan: SourcePlan, part: Part, names: Sequence[str], reading: Reading, rows: range | None = None
) -> list[Column]:
    """Columns of one part, or of some of its rows.

    Raises:
        EngineError: where they cannot be read.
        MisfitError: where a folder's name is no number, and numbers are wanted.
    """
    how = _WANTED.get(reading, Wanted.ORDER)
    own = list(dict.fromkeys(name for name in names if name not in part.constants))
    found = dict(zip(own, read_columns(part.table, [(name, how) for name in own], rows) if own else (), strict=True))
    count = len(next(iter(found.values()))[0]) if found else count_rows(part.table) if rows is None else len(rows)
    columns = []
    for name in names:
        if name in part.constants:
            columns.append(_constant(plan, name, part.constants[name], count, reading))
            continue
        values, missing = found[name]
        columns.append(Column(_spelt(part, name, values, missing, reading), missing))
    return columns


def _spelt(part: Part, name: str, values: np.ndarray, missing: np.ndarray, reading: Reading) -> np.ndarray:
    """Words as arrays of text; labels in one spelling."""
    import numpy as np

    from nnspec.data.sources.label_keys import label_key

    if reading is Reading.NUMBER or values.dtype != object:
        return values
    if reading is Reading.LABEL:
        is_real = part.kind(name) is Kind.REAL
        words = ["" if gap else label_key(float(v) if is_real else v) for v, gap in zip(values, missing, strict=True)]
        return np.array(words, dtype=str)
    return np.array(values.tolist(), dtype=str) if len(values) else np.empty(0, "<U1")


def _constant(plan: SourcePlan, name: str, cell: str, count: int, reading: Reading) -> Column:
    import numpy as np

    from nnspec.data.sources.label_keys import label_key

    gap = is_missing(cell)
    missing = np.full(count, gap)
    if reading is not Reading.NUMBER:
        word = "" if gap else label_key(cell) if reading is Reading.LABEL else cell
        return Column(np.full(count, word), missing)
    try:
        (number,) = NumberColumn().read([cell])
    except CellError:
        message = f"column `{name}` of `{plan.shown}` contains text (`{cell}`, from a folder's name), not numbers"
        raise MisfitError(message) from None
    return Column(np.full(count, np.nan if number is None else number), missing)
