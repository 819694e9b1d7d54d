"""JSON lines, and lists of objects, by the rules of `nnspec.runtime.rules.json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import (
    ArrayFacts,
    Column,
    ColumnFacts,
    DataSource,
    MisfitError,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
)
from nnspec.data.sources.csv_scan import ColumnScan
from nnspec.data.sources.label_keys import label_key
from nnspec.data.sources.list_arrays import ReadAnew, array_extremes, array_facts, length_facts, load_array
from nnspec.data.sources.na_values import NA_VALUES
from nnspec.data.sources.order_keys import order_values
from nnspec.data.sources.paths import expand
from nnspec.data.sources.stamps import Stamps, stamps_of
from nnspec.runtime.rules.csv import CHUNK_ROWS, CellError
from nnspec.runtime.rules.json import (
    JsonError,
    JsonNumbers,
    Record,
    is_absent,
    is_nested,
    names_of,
    read_records,
    values_of,
    word_of,
)
from nnspec.runtime.rules.markers import Keys, Markers
from nnspec.runtime.tables.json_arrays import list_column, sequence_names

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata


class _JsonFacts(SourceFacts):
    def __init__(
        self,
        paths: tuple[Path, ...],
        stamps: Stamps,
        columns: Mapping[str, ColumnFacts],
        nested: Mapping[str, int],
        shown: str,
    ) -> None:
        self.paths, self.stamps, self.columns, self.nested, self.shown = paths, stamps, columns, nested, shown
        self.names = list(columns)

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        if name in self.nested:
            raise SourceError(
                f"`{name}` of row {self.nested[name]} is a list or an object: `array: {name}` takes lists of numbers"
            )
        if name not in self.columns and self.has_list(name):
            return _length_facts(self.paths, self.stamps, name)
        return self.columns.get(name)

    def has_list(self, name: str) -> bool:
        """Whether a name is that of the steps or the lengths of a column's lists, of whatever level."""
        return list_column(name, self.columns) is not None

    def array(self, name: str) -> ArrayFacts | None:
        is_object = any(column.startswith(f"{name}.") for column in self.columns)
        if name not in self.columns and not is_object and not self.has_list(name):
            return None
        return _array_facts(self.paths, self.stamps, name)

    def extremes(self, name: str) -> tuple[int, int] | None:
        return _array_extremes(self.paths, self.stamps, name)


class JsonSource(DataSource):
    kind = "json"
    noun = "JSON files"
    description = (
        "JSON lines, or a JSON list: each object is a row, and its keys are the columns, `a.b` those of objects within "
        "it. Null, or a key that is not there, is a missing value; `array` reads lists of numbers, with `lengths: "
        "auto` of different lengths. A path or pattern, such as `logs/*.jsonl`, relative to the spec's folder."
    )
    suffixes = (".json", ".jsonl", ".ndjson")
    selectors = ("columns", "array")
    is_table = True
    is_pattern = True
    options = NA_VALUES

    def list_files(self, path: Path) -> list[Path]:
        return expand(path)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        paths = tuple(plan.files())
        for path in paths:
            plan.check_below(path)
        stamps = stamps_of(paths)
        markers = Markers.from_options(plan.options)
        columns, nested = _scan(paths, stamps, tuple(wanted), tuple(sorted(set(kept))), markers)
        if len(paths) == 1 and next((facts.rows for facts in columns.values()), 0) == 1:
            _refuse_other_forms(paths[0])
        return _JsonFacts(paths, stamps, columns, nested, plan.shown)

    def locate(self, plan: SourcePlan, row: int) -> str:
        paths = plan.files()
        for path in paths if len(paths) > 1 else ():
            count = sum(1 for _ in _records(path, len(paths)))
            if row <= count:
                return f"row {row} of `{path.name}`"
            row -= count
        return f"row {row}"

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        markers = Markers.from_options(plan.options)
        if reading is Reading.ORDER:
            yield [_order_keys(partial(_chunks, plan, name, markers.of(name))) for name in names]
            return
        readers, done = [JsonNumbers() for _ in names], 0
        for path in plan.files():
            plan.check_below(path)
            records_left = _records(path, len(plan.files()))
            while chunk := list(islice(records_left, CHUNK_ROWS)):
                found = []
                for name, reader in zip(names, readers, strict=True):
                    values = values_of(chunk, name, markers.of(name))
                    try:
                        found.append(_numbers(values, reader) if reading is Reading.NUMBER else _words(values, reading))
                    except CellError as error:
                        where = self.locate(plan, done + error.index + 1)
                        message = f"column `{name}` of `{plan.shown}` has `{error.cell}` in {where}, not a number"
                        raise MisfitError(message) from None
                done += len(chunk)
                yield found

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        yield load_array(ReadAnew(partial(_all_records, plan)), name or "")

    def sequence_names(self, array: str, levels: int) -> tuple[str, tuple[str, ...]] | None:
        return sequence_names(array, levels)

    def read_inputs(self, file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def _records(path: Path, files: int) -> Iterator[Record]:
    """The rows of one of so many files; what is wrong with it names it where it is one of several."""
    try:
        yield from read_records(path)
    except JsonError as error:
        raise SourceError(f"{path.name}: {error}" if files > 1 else str(error), error.remedy) from None


def _refuse_other_forms(path: Path) -> None:
    """Raises where a file's only object is a table: its columns by name, or its rows under a key."""
    (record,) = _records(path, 1)
    listed = [key for key, value in record.items() if isinstance(value, list) and _is_rows(value)]
    if len(listed) == 1:
        message = f"it is one object, whose rows are under `{listed[0]}`"
        raise SourceError(
            message, f"write the list under `{listed[0]}` alone to the file, or each of its objects on a line"
        )
    counts = {len(value) if isinstance(value, list) else 0 for value in record.values()}
    keys = {tuple(value) if isinstance(value, dict) else () for value in record.values()}
    is_listed = len(counts) == 1 and max(counts) > 1
    is_by_columns = len(record) > 1 and (is_listed or (len(keys) == 1 and keys != {()}))
    if is_by_columns and all(map(_is_flat, record.values())):
        raise SourceError(
            "it is written by columns: it is one object with the values of each",
            f"write an object for each row, as `frame.to_json('{path.name}', orient='records', lines=True)` of pandas",
        )


def _is_rows(value: Sequence[object]) -> bool:
    """Whether a list holds objects, more than one."""
    return len(value) > 1 and all(isinstance(item, dict) for item in value)


def _is_flat(value: object) -> bool:
    """Whether a list or an object holds no further ones."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [[]]
    return not any(isinstance(item, list | dict) for item in items)


def _absent_among(values: Sequence[object]) -> list[int]:
    return [index for index, value in enumerate(values) if is_absent(value)]


@lru_cache(maxsize=4)  # an editor asks after each letter
def _scan(
    paths: tuple[Path, ...], stamps: Stamps, wanted: tuple[str, ...], kept: tuple[str, ...], markers: Markers
) -> tuple[dict[str, ColumnFacts], dict[str, int]]:
    """Facts of every column, in the order in which they appear, and of lists and objects the first row that has one."""
    scans = {
        name: ColumnScan(JsonNumbers(), _absent_among, word_of, keeps=name in kept)
        for name in dict.fromkeys([*wanted, *kept])
    }
    rows, names, nested = 0, dict[str, None](), dict[str, int]()
    for path in paths:
        records_left = _records(path, len(paths))
        while chunk := list(islice(records_left, CHUNK_ROWS)):
            for record in chunk:
                names.update(dict.fromkeys(names_of(record)))
            for name, scan in scans.items():
                values = values_of(chunk, name, markers.of(name))
                if name not in nested:
                    first = next((row for row, value in enumerate(values, rows + 1) if is_nested(value)), None)
                    if first is not None:
                        nested[name] = first
                scan.add(values, rows)
            rows += len(chunk)
    facts = {name: ColumnFacts(rows=rows) for name in names}
    return facts | {name: scan.facts(rows) for name, scan in scans.items() if name in names}, nested


@lru_cache(maxsize=8)
def _array_facts(paths: tuple[Path, ...], stamps: Stamps, name: str) -> ArrayFacts:
    return array_facts((record for path in paths for record in _records(path, len(paths))), name)


@lru_cache(maxsize=8)
def _array_extremes(paths: tuple[Path, ...], stamps: Stamps, name: str) -> tuple[int, int] | None:
    return array_extremes((record for path in paths for record in _records(path, len(paths))), name)


@lru_cache(maxsize=8)
def _length_facts(paths: tuple[Path, ...], stamps: Stamps, name: str) -> ColumnFacts:
    return length_facts((record for path in paths for record in _records(path, len(paths))), name)


def _numbers(values: Sequence[object], reader: JsonNumbers) -> Column:
    import numpy as np

    from nnspec.runtime.tables.json_tables import numbers_of

    found = numbers_of(values, reader)
    return Column(found, np.isnan(found) if found.dtype.kind == "f" else np.zeros(len(found), bool))


def _words(values: Sequence[object], reading: Reading) -> Column:
    import numpy as np

    missing = np.array([is_absent(value) for value in values], bool)
    spell = label_key if reading is Reading.LABEL else word_of
    return Column(np.array(["" if is_absent(value) else spell(value) for value in values], str), missing)


def _all_records(plan: SourcePlan) -> Iterator[Record]:
    for path in plan.files():
        plan.check_below(path)
        yield from _records(path, len(plan.files()))


def _chunks(plan: SourcePlan, name: str, markers: Keys) -> Iterator[list[object]]:
    """The values of a column, some rows at a time."""
    records = _all_records(plan)
    while chunk := list(islice(records, CHUNK_ROWS)):
        yield values_of(chunk, name, markers)


def _order_keys(read: Callable[[], Iterator[list[object]]]) -> Column:
    """What rows are sorted by: numbers, moments that are ISO 8601, or text.

    Args:
        read: the values, some at a time, each time anew: no list of them is kept.
    """
    import numpy as np

    from nnspec.data.arrays.growing import join_parts
    from nnspec.runtime.tables.json_tables import numbers_of

    numbers = JsonNumbers()
    try:
        found: np.ndarray | None = join_parts(numbers_of(values, numbers) for values in read())
    except CellError:
        found = order_values(lambda: ([word_of(value) for value in values] for values in read()))
    if found is None:
        found = join_parts(np.array([word_of(value) for value in values], str) for values in read())
    return Column(found, join_parts(np.array([is_absent(value) for value in values], bool) for values in read()))


SOURCE = JsonSource()
