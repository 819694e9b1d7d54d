"""A file's samples for a model, a batch at a time: windows are never written out as a whole."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata

BATCH_SIZE = 64
LARGEST_BATCH = 1024
SMALL_BYTES = 2**18  # of the inputs of a batch that may have more samples than the usual number
MOST_BYTES = 2**24  # of a batch's inputs

Take = Callable[[slice], dict[str, Array]]


@dataclass(frozen=True, eq=False)
class Samples:
    """A file's samples, in the order in which training would read them.

    Attributes:
        count: how many; None where no input has a batch axis.
        take: the inputs of a slice of them.
        keys: columns of the file that tell the samples apart (a time, a series), a cell each.
        notes: what is worth knowing of the file.
        incomplete: those that lack a value without which training left samples out; zeros stand for it. None: none.
        lacks: the first such value, in words.
        batch: how many go through a model at once; None: as many as their size allows.
    """

    count: int | None
    take: Take
    _: KW_ONLY
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    incomplete: NDArray[np.bool_] | None = None
    lacks: str = ""
    batch: int | None = None

    @property
    def inputs(self) -> dict[str, Array]:
        """All of them at once.

        Raises:
            InputError: where some are incomplete.
        """
        if self.incomplete is not None and self.incomplete.any():
            raise InputError(self.lacks)
        return self.take(slice(0, self.count))

    def keys_of(self, part: slice) -> dict[str, Sequence[str]]:
        """The cells of a slice of the samples."""
        return {name: cells[part] for name, cells in self.keys.items()}

    def batch_size(self, beside: Collection[str] = (), size: int | None = None) -> int:
        """How many go through a model at once: no more than `size`, fewer where they are large; by default more where
        they are small.

        Args:
            beside: what `take` gives that is no input of the model.
        """
        if self.batch is not None and size is None:
            return self.batch
        bytes_each = sum(array.nbytes for name, array in self.take(slice(0, 1)).items() if name not in beside)
        if size is None:
            size = min(max(BATCH_SIZE, SMALL_BYTES // max(1, bytes_each)), LARGEST_BATCH)
        return max(1, min(size, MOST_BYTES // max(1, bytes_each)))

    def slices(self, size: int | None = None) -> Iterator[slice]:
        """Slices of `batch_size` samples."""
        if not self.count:
            yield slice(0, self.count)
            return
        step = self.batch_size(size=size)
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))


class Parts:
    """A file's samples as they are read, some at a time or all of them; iterated once.

    Args:
        samples: at least one part.
        closing: what is said of the file once all are read.

    Attributes:
        notes: what is known of the file beforehand.
    """

    def __init__(self, samples: Iterator[Samples], closing: Callable[[], tuple[str, ...]] = tuple) -> None:
        self._rest, self._closing = samples, closing
        self.first = next(samples)
        self.notes = self.first.notes

    def __iter__(self) -> Iterator[Samples]:
        yield self.first
        del self.first
        yield from self._rest

    @property
    def closing(self) -> tuple[str, ...]:
        """What is said of the file once all parts are read."""
        return self._closing()


class Batch(NamedTuple):
    """What a model says of some samples.

    Attributes:
        keys: what tells the samples apart.
        gone: those that have no prediction, since they are incomplete; None: none.
    """

    outputs: Mapping[str, Array]
    keys: Mapping[str, Sequence[str]]
    gone: NDArray[np.bool_] | None = None


def without_incomplete(
    outputs: Mapping[str, Array], samples: Samples, part: slice, metadata: Metadata
) -> dict[str, Array]:
    """A batch's outputs, without those of samples that are incomplete: numbers are NaN there, and texts empty."""
    return blank_samples(outputs, None if samples.incomplete is None else samples.incomplete[part], metadata)


def blank_samples(
    outputs: Mapping[str, Array], which: NDArray[np.bool_] | None, metadata: Metadata
) -> dict[str, Array]:
    """Outputs without those of some samples: numbers are NaN there, and texts empty."""
    if which is None or not which.any():
        return dict(outputs)
    found = {}
    for name, array in outputs.items():
        moved = np.moveaxis(array, output_batch(name, metadata), 0)
        is_text = moved.dtype.kind in "OUS"
        blank = moved.astype(object) if is_text else moved.astype(np.result_type(moved.dtype, np.float32))
        blank[which] = "" if is_text else np.nan
        found[name] = np.moveaxis(blank, 0, output_batch(name, metadata))
    return found


def strange_samples(outputs: Mapping[str, Array], metadata: Metadata) -> NDArray[np.int64]:
    """The samples of a batch of which the model gives no number: NaN, or one without end."""
    found: list[NDArray[np.int64]] = []
    for name, array in outputs.items():
        if array.dtype.kind == "f" and array.ndim and not np.isfinite(array).all():
            moved = np.moveaxis(array, output_batch(name, metadata), 0)
            found.append(np.flatnonzero(~np.isfinite(moved.reshape(len(moved), -1)).all(axis=1)))
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)


def output_batch(name: str, metadata: Metadata) -> int:
    """The position of an output's batch axis; the first where the metadata do not say."""
    body = metadata["outputs"].get(name)
    return (_batch_axis(body) if body and body.get("axes") else 0) or 0


def count_samples(outputs: Mapping[str, Array], metadata: Metadata) -> int:
    """How many samples a batch has."""
    name, array = next(iter(outputs.items()))
    return int(array.shape[output_batch(name, metadata)]) if array.ndim else 1


def samples_of_arrays(arrays: Mapping[str, Array], metadata: Metadata) -> Samples:
    """Arrays that hold all samples, along their batch axes."""
    places = {name: _batch_axis(metadata["inputs"][name]) for name in arrays}
    counts = {array.shape[places[name] or 0] for name, array in arrays.items() if array.ndim > (places[name] or 0)}
    if len(counts) != 1 or None in places.values():
        return Samples(None, lambda part: dict(arrays))

    def take(part: slice) -> dict[str, Array]:
        return {name: array[(*(slice(None),) * (places[name] or 0), part)] for name, array in arrays.items()}

    return Samples(counts.pop(), take)


def _batch_axis(body: Mapping[str, object]) -> int | None:
    axes = body["axes"]
    assert isinstance(axes, Sequence)
    return next((i for i, (name, _) in enumerate(axes) if name == BATCH), None)


def concatenate_outputs(parts: Sequence[Mapping[str, Array]], metadata: Metadata) -> dict[str, Array]:
    """Outputs of batches in one."""
    if len(parts) == 1:
        return dict(parts[0])
    found = {}
    for name in parts[0]:
        found[name] = np.concatenate([part[name] for part in parts], axis=output_batch(name, metadata))
    return found
