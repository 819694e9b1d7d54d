"""What a deployed model says of a data file, as it is read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from nnspec.runtime.ports import Array, Metadata
from nnspec.runtime.reading import read_parts
from nnspec.runtime.samples import Batch, Samples, count_samples
from nnspec.runtime.writing import Record, rows_of

Predict = Callable[[Samples], Iterator[tuple[Mapping[str, Array], Mapping[str, Sequence[str]]]]]


def batches_of(predict: Predict, parts: Iterable[Samples], metadata: Metadata) -> Iterator[Batch]:
    """What `nnspec predict` writes of a file's samples.

    Args:
        predict: a model's outputs for samples, in batches: `Predictor.over` or `Predictor.forecasts`.
        metadata: by which the samples are read.
    """
    for samples in parts:
        done = 0
        for outputs, keys in predict(samples):
            count = count_samples(outputs, metadata)
            gone = None if samples.incomplete is None else samples.incomplete[done : done + count]
            yield Batch(outputs, keys, gone)
            done += count


def records_of(
    predict: Predict, path: str | os.PathLike[str], tables: Mapping[str, Path] | None, metadata: Metadata
) -> Iterator[Record]:
    """As `Predictor.records`."""
    parts = read_parts(path, metadata, tables)
    for note in parts.notes:
        warnings.warn(note, stacklevel=3)

    def read() -> Iterator[Record]:
        yield from rows_of(batches_of(predict, parts, metadata), metadata)
        for note in parts.closing:
            warnings.warn(note, stacklevel=2)

    return read()
