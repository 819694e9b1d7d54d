"""CSV tables, by the rules of `nnspec.runtime.rules.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import (
    Column,
    MisfitError,
    ProposalError,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
    TableFacts,
    TableSource,
)
from nnspec.data.sources.csv_options import OPTIONS
from nnspec.data.sources.csv_scan import FileError, scan_columns
from nnspec.data.sources.na_values import NA_VALUES
from nnspec.data.sources.order_keys import order_values
from nnspec.data.sources.paths import expand
from nnspec.data.sources.stamps import stamps_of
from nnspec.document.types import Plain
from nnspec.runtime.rules.csv import (
    CellError,
    CsvError,
    NumberColumn,
    is_missing,
    read_chunks,
    read_columns,
    read_header,
)
from nnspec.runtime.rules.csv_dialect import Dialect

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata
    from nnspec.runtime.rules.csv_sniff import Proposal


class CsvSource(TableSource):
    kind = "csv"
    noun = "CSV files"
    description = (
        "A table with a header line, or several by a pattern such as `trips/*.csv`, read in file-name order; the path "
        "is relative to the spec's folder. Files whose name ends in .gz are decompressed. The keys next to it "
        "describe the format of files that are not plain CSV."
    )
    suffixes = (".csv", ".tsv")
    is_pattern = True
    options = OPTIONS | NA_VALUES

    def check_options(self, options: Mapping[str, Plain]) -> Iterator[tuple[str, str]]:
        dialect = Dialect.from_options(options)
        if dialect.delimiter in '\r\n"\0' or dialect.delimiter == dialect.quote:
            yield "delimiter", f"{dialect.delimiter!r} cannot separate cells: it ends lines or quotes cells"
        if dialect.thousands == dialect.decimal:
            yield "thousands", f"`{dialect.thousands}` cannot be the decimal mark and separate thousands"

    def list_files(self, path: Path) -> list[Path]:
        return expand(path)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        dialect = _dialect(plan)
        headers: dict[Path, list[str]] = {}
        for path in plan.files():
            plan.check_below(path)
            with _translate_errors(plan, path, dialect, wanted):
                headers[path] = read_header(path, dialect)
            self._check_header(plan, path, headers, wanted)
        first = next(iter(headers.values()))
        stamps = stamps_of(headers)
        with _translate_errors(plan, None, dialect, wanted):
            columns = scan_columns(
                tuple(headers), stamps, tuple(first), tuple(wanted), tuple(sorted(set(kept))), dialect
            )
        lacks = any(name not in first for name in wanted)
        return TableFacts(columns, first, tuple(_header_notes(plan, first, dialect)) if lacks else ())

    def _check_header(
        self, plan: SourcePlan, path: Path, headers: Mapping[Path, Sequence[str]], wanted: Sequence[str]
    ) -> None:
        """Raises where a file lacks a column that the first has, or has what is wanted in another dialect."""
        header, first = headers[path], next(iter(headers.values()))
        lacks = [name for name in wanted if name not in header]
        if not lacks:
            return
        from nnspec.runtime.rules.csv_sniff import propose_layout  # files are mostly as the spec says

        proposal = propose_layout(path, _dialect(plan), wanted)
        if proposal is not None and proposal.keys.keys() & {"delimiter", "quote", "encoding"}:
            raise ProposalError(_show_separator(plan, path), proposal)
        if header is not first and any(name in first for name in lacks):
            name = next(name for name in lacks if name in first)
            raise SourceError(f"`{path.name}` has no column `{name}`, which `{plan.files()[0].name}` has")

    def locate(self, plan: SourcePlan, row: int) -> str:
        """`row 3`, or `` row 3 of `b.csv` `` where there are several files."""
        paths, dialect = plan.files(), _dialect(plan)
        if len(paths) > 1:
            for path in paths:
                count = sum(len(rows) for rows in read_chunks(path, read_header(path, dialect), dialect=dialect))
                if row <= count:
                    return f"row {row} of `{path.name}`"
                row -= count
        return f"row {row}"

    def propose(self, plan: SourcePlan, columns: Sequence[str]) -> Proposal | None:
        from nnspec.runtime.rules.csv_sniff import propose_marks

        return propose_marks(plan.files(), _dialect(plan), columns)

    def order_cells(self, plan: SourcePlan, cells: Sequence[object]) -> Sequence[object]:
        return _dialect(plan).order_cells(list(map(str, cells)))

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        dialect = _dialect(plan)
        if reading is Reading.ORDER:
            yield [_order_keys(plan, name, dialect) for name in names]
            return
        readers = [NumberColumn(dialect) for _ in names]
        for path in plan.files():
            plan.check_below(path)
            done = 0
            for columns in _cells(plan, path, names, dialect):
                chunk = []
                for name, cells, reader in zip(names, columns, readers, strict=True):
                    try:
                        chunk.append(_numbers(cells, reader) if reading is Reading.NUMBER else _words(cells, reading))
                    except CellError as error:
                        row = done + error.index + 1
                        raise MisfitError(
                            f"column `{name}` of `{plan.shown}` contains text (`{error.cell}` in row "
                            f"{row}{f' of `{path.name}`' if path != plan.path else ''}), not numbers"
                        ) from None
                done += len(columns[0])
                yield chunk

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def _header_notes(plan: SourcePlan, header: Sequence[str], dialect: Dialect) -> Iterator[str]:
    """What is odd about a header that lacks what the spec names."""
    from nnspec.data.sources.foreign import find_foreign

    foreign = find_foreign(plan.files(), plan.source.suffixes)
    if foreign is not None:
        yield f"{foreign[0]}: {foreign[1]}"
    elif len(header) == 1 and any(mark in header[0].strip() for mark in ",;\t|"):
        yield f"its header is a single cell: are the cells separated by something other than {dialect.delimiter!r}?"
    elif len(header) == 1 and "  " in header[0].strip():
        yield "its header is a single cell: cells that are aligned by several blanks are not told apart; write commas"
    elif header[0].startswith(("#", "%", "sep=")):
        yield "its first line names no columns: remove the lines above the names"
    elif all(_is_number(name) for name in header):
        yield "its first line has numbers: write a line above it that names the columns"


def _is_number(cell: str) -> bool:
    try:
        return NumberColumn().read([cell]) != [None]
    except CellError:
        return False


def _dialect(plan: SourcePlan) -> Dialect:
    return Dialect.from_options(plan.options)


def _show_separator(plan: SourcePlan, path: Path | None) -> str:
    return f"`{plan.shown}`" if path is None or path == plan.path else f"`{path.name}`, which `{plan.shown}` matches,"


@contextmanager
def _translate_errors(
    plan: SourcePlan, path: Path | None, dialect: Dialect, wanted: Sequence[str] = ()
) -> Iterator[None]:
    """Turns what is wrong with a file into what a source says of it: another dialect, where the file shows one."""
    try:
        yield
    except FileError as error:
        with _translate_errors(plan, error.path, dialect, wanted):
            raise error.cause from None
    except CsvError as error:
        at = path or plan.path
        from nnspec.runtime.rules.csv_sniff import propose_layout

        proposal = propose_layout(at, dialect, wanted) if wanted else None
        if proposal is not None:
            raise ProposalError(_show_separator(plan, at), proposal) from None
        raise SourceError(f"{at.name}: {error}" if at != plan.path else str(error), error.remedy) from None


def _cells(plan: SourcePlan, path: Path, names: Sequence[str], dialect: Dialect) -> Iterator[list[Sequence[str]]]:
    """The cells of these columns of one file, in chunks."""
    with _translate_errors(plan, path, dialect):
        header = read_header(path, dialect)
        lacks = next((name for name in names if name not in header), None)
        if lacks is not None:
            raise CsvError(f"it has no column `{lacks}`")
        yield from read_columns(path, header, names, dialect)


def _order_keys(plan: SourcePlan, name: str, dialect: Dialect) -> Column:
    """What rows are sorted by: numbers where all cells are, moments where all are ISO 8601, else text."""
    import numpy as np

    def read() -> Iterator[list[str]]:
        for path in plan.files():
            for (cells,) in _cells(plan, path, [name], dialect):
                yield dialect.order_cells(cells)

    values = order_values(read)
    if values is not None:
        is_gap = np.isnan(values) if values.dtype.kind == "f" else np.broadcast_to(np.False_, values.shape)
        return Column(values, is_gap)
    words = [_words(cells, Reading.ORDER) for cells in read()]
    return Column(np.concatenate([c.values for c in words]), np.concatenate([c.missing for c in words]))


def _numbers(cells: Sequence[str], reader: NumberColumn) -> Column:
    import numpy as np

    from nnspec.runtime.tables.csv import numbers_of

    values = numbers_of(cells, reader)
    return Column(values, np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool))


def _words(cells: Sequence[str], reading: Reading) -> Column:
    import numpy as np

    from nnspec.data.sources.label_keys import label_key

    spell = label_key if reading is Reading.LABEL else str
    words = {cell: "" if is_missing(cell) else spell(cell) for cell in set(cells)}  # of most columns they are few
    gone = {cell for cell in words if is_missing(cell)}
    missing = np.array([cell in gone for cell in cells]) if gone else np.zeros(len(cells), dtype=bool)
    return Column(np.array(list(map(words.__getitem__, cells)), dtype=str), missing)


SOURCE = CsvSource()
