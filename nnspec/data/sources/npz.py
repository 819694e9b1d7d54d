"""Archives of NumPy arrays; one-dimensional ones serve as columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.array_header import (
    ArrayHeader,
    column_facts,
    find_not_finite,
    read_extremes,
    read_npz,
    read_numbers,
)
from nnspec.data.sources.base import (
    ArrayFacts,
    Column,
    ColumnFacts,
    DataSource,
    Reading,
    SourceError,
    SourceFacts,
    SourcePlan,
)

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata


class _NpzFacts(SourceFacts):
    def __init__(self, path: Path, headers: Mapping[str, ArrayHeader | SourceError]) -> None:
        self.path, self.headers, self.names = path, headers, list(headers)

    def array(self, name: str) -> ArrayFacts | None:
        return self._header(name)

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        header = self._header(name)
        return None if header is None else column_facts(self.path, name, header, values=values)

    def numbers(self, name: str) -> Sequence[float] | None:
        header = self._header(name)
        return None if header is None else read_numbers(self.path, name, header)

    def not_finite(self, name: str) -> tuple[Sequence[int], Sequence[int]]:
        header = self._header(name)
        return ((), ()) if header is None else find_not_finite(self.path, name, header)

    def extremes(self, name: str) -> tuple[int, int] | None:
        header = self._header(name)
        return None if header is None else read_extremes(self.path, name, header)

    def _header(self, name: str) -> ArrayHeader | None:
        found = self.headers.get(name)
        if isinstance(found, SourceError):
            raise found
        return found


class NpzSource(DataSource):
    kind = "npz"
    noun = "NumPy archives"
    description = "A NumPy .npz archive of plain arrays (no pickles); the path is relative to the spec's folder."
    suffixes = (".npz",)
    selectors = ("columns", "array")

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        return _NpzFacts(plan.path, read_npz(plan.path))

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        from nnspec.data.sources.array_load import load_npz

        yield load_npz(plan.path, name or "")

    def open_columns(self, plan: SourcePlan, names: Sequence[str], reading: Reading) -> Iterator[list[Column]]:
        import numpy as np

        columns = []
        for name in names:
            values = next(self.open_array(plan, name))
            if reading is Reading.WORD and values.dtype.kind == "S":
                values = np.char.decode(values, "utf-8")
            missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
            columns.append(Column(values, missing))
        yield columns

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.media.arrays import read_npz

        return read_npz(file, wanted, metadata)


SOURCE = NpzSource()
