"""Columns of tables that are larger than memory: what has no room is written to mapped files as it is read."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import cache, mapped
from nnspec.data.arrays.growing import Growing
from nnspec.data.sources.base import Column, Reading, SourceError, SourcePlan, ToldError
from nnspec.data.sources.stamps import stamps_of
from nnspec.data.sources.typed import TypedSource

Array = np.ndarray
Mask = NDArray[np.bool_]
Chunk = list[Column]


class CacheFault(ToldError):
    """The cache of prepared columns cannot be written (NN591)."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            "NN591",
            f"the cache of prepared columns cannot be written to `{cache.columns_folder()}`: {reason}",
            "free some space there, or set the environment variable NNSPEC_CACHE to a folder on another disk",
            notes=(
                "tables larger than 64 MiB are kept there in memory-mapped files, so memory does not grow with them",
            ),
        )


def concatenate_columns(chunks: Iterable[Chunk], count: int) -> list[Column]:
    """So many columns from chunks of them; in files without a name where they are large."""
    few, rest = _first(chunks)
    parts = [[chunk[index] for chunk in few] for index in range(count)]
    if rest is None:
        return [_join_chunks(part) for part in parts]
    growing = [(Growing(), Growing()) for _ in range(count)]
    for chunk in chain(few, rest):
        for column, (values, missing) in zip(chunk, growing, strict=True):
            values.append(column.values)
            missing.append(column.missing)
    return [Column(values.finish(), missing.finish()) for values, missing in growing]


def large_matrix(plan: SourcePlan, names: Sequence[str]) -> tuple[Array, Mask] | None:
    """Columns of numbers as `ColumnCache.matrix` has them.

    Raises:
        SourceError: where they cannot be read.
        CacheFault: where there is no room for them.
    """
    files = plan.files()
    if not files or sum(path.stat().st_size for path in files) * 8 < mapped.LARGE:
        return None
    stamp = _stamp(plan)
    path = None if stamp is None else cache.entry_path(plan.identity, stamp, tuple(names))
    if path is not None and cache.is_there(path):
        return _open_arrays(path)
    few, rest = _first(plan.source.open_columns(plan, names, Reading.NUMBER))
    if rest is None or any(column.values.dtype.kind not in "biuf" for chunk in few for column in chunk):
        return None
    chunks = chain(few, rest)

    def write(folder: Path) -> None:
        _write(folder, chunks)
        if _stamp(plan) != stamp:
            raise SourceError("it changed while it was read")

    try:
        if path is None:
            values, missing = _write(None, chunks)
            return values, missing
        cache.store(path, write)
    except cache.CacheError as error:
        raise CacheFault(str(error)) from None
    return _open_arrays(path)


def _stamp(plan: SourcePlan) -> Hashable | None:
    return plan.source.stamp(plan) if isinstance(plan.source, TypedSource) else stamps_of(plan.files())


def _first(chunks: Iterable[Chunk]) -> tuple[list[Chunk], Iterator[Chunk] | None]:
    """The chunks up to the size of a large array, and those behind them; None where these are all."""
    found: list[Chunk] = []
    rest, size = iter(chunks), 0
    for chunk in rest:
        found.append(chunk)
        size += sum(column.values.nbytes for column in chunk)
        if size > mapped.LARGE:
            return found, rest
    return found, None


def _join_chunks(chunks: list[Column]) -> Column:
    if len(chunks) == 1:
        return chunks[0]
    if not chunks:
        return Column(np.empty(0), np.empty(0, dtype=bool))
    return Column(np.concatenate([c.values for c in chunks]), np.concatenate([c.missing for c in chunks]))


def _write(folder: Path | None, chunks: Iterable[Chunk]) -> tuple[Array, Mask]:
    values = Growing(folder and folder / "values.npy")
    gaps: Growing | None = None
    for chunk in chunks:
        missing = np.stack([column.missing for column in chunk], axis=1)
        if gaps is None and missing.any():
            gaps = Growing(folder and folder / "missing.npy")
            for start in range(0, values.count, mapped.STRETCH):
                gaps.append(np.zeros((min(mapped.STRETCH, values.count - start), missing.shape[1]), bool))
        values.append(np.stack([column.values for column in chunk], axis=1))
        if gaps is not None:
            gaps.append(missing)
    found = values.finish()
    return found, _nothing(found) if gaps is None else gaps.finish()


def _open_arrays(path: Path) -> tuple[Array, Mask]:
    values = _map_file(path / "values.npy")
    missing = path / "missing.npy"
    return values, _map_file(missing) if missing.is_file() else _nothing(values)


def _map_file(path: Path) -> Array:
    try:
        with path.open("rb") as file:
            version = np.lib.format.read_magic(file)
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
            if version != (1, 0) or dtype.hasobject:
                raise ValueError("it is not an array of the cache")
            return mapped.map_file(file.fileno(), shape, dtype, file.tell())
    except (OSError, ValueError) as error:
        raise SourceError(f"the cache has a damaged entry, `{path.parent.name}`: {error}") from None


def _nothing(values: Array) -> Mask:
    """That nothing is missing: one flag for all."""
    return np.broadcast_to(np.False_, values.shape)
