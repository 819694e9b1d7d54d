"""What the files of a plan hold, as far as can be told without loading them: names, shapes, gaps, labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnspec.data.section.paths import is_below, missing_file
from nnspec.data.section.plan import ClassPlan, DataPlan, SlotPlan, Source
from nnspec.data.sources import numpy_probe
from nnspec.data.sources.csv_probe import NULLS, TableError, TableScan, read_header, scan
from nnspec.data.sources.numpy_probe import ArrayHeader, HeaderError, WavHeader
from nnspec.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnFacts:
    """One column. Fields are None (or 0) where the format does not tell without loading."""

    rows: int
    missing: list[int] | None = None
    is_text: bool = False
    text_row: int = 0
    text: str = ""
    values: list[Any] | None = None


@dataclass(kw_only=True)
class FileFacts:
    """One file: the `columns` of a table, the `arrays` of an archive (a lone one has no name), or `recordings`."""

    source: Source
    columns: list[str] | None = None
    rows: int = 0
    table: TableScan | None = None
    text_columns: frozenset[str] = frozenset()
    arrays: dict[str, ArrayHeader | HeaderError] = field(default_factory=dict)
    recordings: dict[Path, WavHeader | None] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """What `columns`, or `array`, may name."""
        return list(self.arrays) if self.columns is None else self.columns


class Files:
    """Opens each file of a plan once and keeps what it said. Faults of a file are reported at its first mention."""

    def __init__(self, plan: DataPlan) -> None:
        self.plan = plan
        self.diagnostics: list[Diagnostic] = []
        self._facts: dict[tuple[str, Path], FileFacts | None] = {}
        sources = [plan.source] if plan.source else []
        for source in [*sources, *(slot.source for slot in plan.slots())]:
            if (source.kind, source.path) not in self._facts:
                self._facts[source.kind, source.path] = self._open(source)

    def facts(self, source: Source) -> FileFacts | None:
        """What a file holds; None where it could not be read, which has been reported."""
        return self._facts.get((source.kind, source.path))

    def _open(self, source: Source) -> FileFacts | None:
        paths = source.files()
        if not paths:
            self.diagnostics.append(missing_file(source.shown, source.path, source.span, source.where))
            return None
        facts = FileFacts(source=source)
        try:
            if source.kind == "csv":
                self._read_csv(source, facts)
            elif source.kind == "parquet":
                _read_parquet(source.path, facts)
            elif source.kind == "npz":
                facts.arrays = dict(numpy_probe.read_npz(source.path))
            elif source.kind == "npy":
                facts.arrays = {"": numpy_probe.read_npy(source.path)}
            else:
                self._read_wavs(source, paths, facts)
        except (HeaderError, TableError) as error:
            self.damaged(source, source.shown, str(error))
            return None
        return facts

    def damaged(self, source: Source, shown: str, reason: str) -> None:
        message = f"`{shown}` cannot be used: {reason}"
        self.diagnostics.append(Diagnostic("NN502", message, source.span, path=source.where))

    def _read_csv(self, source: Source, facts: FileFacts) -> None:
        facts.columns = read_header(source.path)
        wanted, kept = _wanted(self.plan, source)
        facts.table = scan(source.path, facts.columns, wanted, kept)
        facts.rows = facts.table.rows
        if facts.rows == 0:
            raise TableError("it has no rows below its header")

    def _read_wavs(self, source: Source, paths: list[Path], facts: FileFacts) -> None:
        for path in paths:
            if source.root is not None and not is_below(path, source.root):
                message = f"`{path.name}`, which `{source.shown}` matches, leads outside the spec's folder"
                self.diagnostics.append(Diagnostic("NN510", message, source.span, path=source.where))
                continue
            try:
                facts.recordings[path] = numpy_probe.read_wav(path)
            except HeaderError as error:
                raise HeaderError(f"{path.name}: {error}") from None

    def column(self, source: Source, name: str, *, values: bool = False) -> ColumnFacts | None:
        """A column of a table or a one-dimensional array of an archive; None where there is none of that name.

        Raises:
            HeaderError: where it is an array that is damaged or not one-dimensional.
        """
        facts = self.facts(source)
        if facts is None or name not in facts.names:
            return None
        if facts.table is not None:
            seen = facts.table.columns.get(name)
            if seen is None:
                return ColumnFacts(rows=facts.rows)
            return ColumnFacts(
                rows=facts.rows,
                missing=seen.missing,
                is_text=seen.text_row > 0,
                text_row=seen.text_row,
                text=seen.text,
                values=seen.values,
            )
        if facts.columns is not None:
            return ColumnFacts(rows=facts.rows, is_text=name in facts.text_columns)
        header = facts.arrays[name]
        if isinstance(header, HeaderError):
            raise header
        if len(header.shape) != 1:
            raise HeaderError(f"array `{name}` has shape {header.shape}, and a column has one axis")
        member = name if source.kind == "npz" else None
        found = numpy_probe.read_vector(source.path, member, header) if values else None
        return ColumnFacts(
            rows=header.shape[0], is_text=header.kind in "US", values=None if found is None else list(found)
        )


def labels_of(column: ColumnFacts) -> list[str] | None:
    """A column's values as label keys, those that are missing left out."""
    if column.values is None:
        return None
    return [label_key(value) for value in column.values if value not in NULLS]


def label_key(value: Any) -> str:
    """One spelling for a label, whether it came from YAML, a table or an array: `3`, `3.0` and `"3"` are the same."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if text in ("True", "False", "TRUE", "FALSE"):
        return text.lower()
    if text[-2:] == ".0" and text[:-2].lstrip("-").isdigit():
        return text[:-2]
    return text


def _wanted(plan: DataPlan, source: Source) -> tuple[list[str], list[str]]:
    """The columns of a table that the plan uses, and those whose values are needed: labels and groups."""
    wanted: list[str] = []
    kept: list[str] = []
    for slot in _slots_of(plan, source):
        wanted += slot.columns
        if slot.role == "outputs" and not (slot.classes and slot.classes.kind in ("quantiles", "edges")):
            kept += slot.columns if slot.scale is None and not slot.is_relative else ()
    if plan.source is not None and plan.source.path == source.path:
        wanted += [name for name, _, _ in plan.row_keys()]
        kept += [name for name in (plan.split.label_column, plan.split.group) if name]
    return wanted, kept


def _slots_of(plan: DataPlan, source: Source) -> Iterator[SlotPlan]:
    for slot in plan.slots():
        if slot.source.path == source.path:
            yield slot


def needs_numbers(classes: ClassPlan | None, task: str | None) -> bool:
    """Whether an output's values must be numbers: all but labels."""
    return task in (None, "regression") or (classes is not None and classes.kind in ("quantiles", "edges"))


def _read_parquet(path: Path, facts: FileFacts) -> None:
    """Names, row count and types, from the file's footer; the one format that the standard library cannot read."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise TableError("reading Parquet needs pyarrow, which is not installed") from None
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            facts.columns, facts.rows = list(schema.names), file.metadata.num_rows
    except (pyarrow.ArrowException, OSError) as error:
        raise TableError(str(error).split("\n")[0]) from None
    texts = (pyarrow.string(), pyarrow.large_string())
    facts.text_columns = frozenset(f.name for f in schema if f.type in texts or pyarrow.types.is_dictionary(f.type))
    if facts.rows == 0:
        raise TableError("it has no rows")
