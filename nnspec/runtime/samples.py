"""A file's samples for a model, a batch at a time: windows are never written out as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

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
    """

    count: int | None
    take: Take
    _: KW_ONLY
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    incomplete: NDArray[np.bool_] | None = None
    lacks: str = ""

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

    def slices(self, size: int | None = None) -> Iterator[slice]:
        """Slices of no more than `size` samples, fewer where they are large; by default more where they are small."""
        if not self.count:
            yield slice(0, self.count)
            return
        bytes_each = sum(array.nbytes for array in self.take(slice(0, 1)).values())
        if size is None:
            size = min(max(BATCH_SIZE, SMALL_BYTES // max(1, bytes_each)), LARGEST_BATCH)
        step = max(1, min(size, MOST_BYTES // max(1, bytes_each)))
        for start in range(0, self.count, step):
            yield slice(start, min(start + step, self.count))


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
