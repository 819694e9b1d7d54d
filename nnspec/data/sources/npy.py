"""A single NumPy array."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.array_header import (
    ArrayHeader,
    column_facts,
    find_not_finite,
    read_extremes,
    read_npy,
    read_numbers,
)
from nnspec.data.sources.base import ArrayFacts, ColumnFacts, DataSource, SourceFacts, SourcePlan
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata


@dataclass(frozen=True)
class _NpyFacts(SourceFacts):
    path: Path
    header: ArrayHeader
    names: Sequence[str] = ("",)

    def array(self, name: str) -> ArrayFacts | None:
        return self.header if name == "" else None

    def column(self, name: str, *, values: bool = False) -> ColumnFacts | None:
        return column_facts(self.path, None, self.header, values=values) if name == "" else None

    def numbers(self, name: str) -> Sequence[float] | None:
        return read_numbers(self.path, None, self.header) if name == "" else None

    def not_finite(self, name: str) -> tuple[Sequence[int], Sequence[int]]:
        return find_not_finite(self.path, None, self.header) if name == "" else ((), ())

    def extremes(self, name: str) -> tuple[int, int] | None:
        return read_extremes(self.path, None, self.header) if name == "" else None


class NpySource(DataSource):
    kind = "npy"
    noun = "NumPy arrays"
    description = "One plain NumPy array (no pickle); the path is relative to the spec's folder."
    suffixes = (".npy",)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        return _NpyFacts(plan.path, read_npy(plan.path))

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        from nnspec.data.sources.array_load import load_npy

        yield load_npy(plan.path)

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.media.arrays import read_npy

        return read_npy(file, wanted, metadata)


SOURCE = NpySource()
