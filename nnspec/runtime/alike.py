"""Samples of unequal length, run through a model so that none is answered by how long the others beside it are.

Training filled all of them up to the longest. A deployed model fills them up to that length (`least`); what is longer
is run at its own length, beside samples of the same length alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.ports import BATCH, Array, Metadata, Port
from nnspec.runtime.samples import Samples, concatenate_outputs, output_batch
from nnspec.runtime.sequences import least_of

Arrays = dict[str, Array]
Group = tuple[NDArray[np.int64], Arrays]  # which samples of a batch, and what the model reads of them


def answer(
    model: Callable[..., Arrays], samples: Samples, part: slice, metadata: Metadata, outputs: Mapping[str, Port]
) -> Arrays:
    """What a model gives for a slice of samples, in their order.

    Where outputs are as long as their sample, all are run at one length: they must stand in one array.
    """
    feeds = samples.take(part)
    if samples.count is None or any(_open_sizes(port) for port in outputs.values()):
        return model(**feeds)
    groups = [
        (rows[within], cut)
        for rows, own in _files_alike(samples, part, feeds, metadata)
        for within, cut in _sequences_alike(own, len(rows), metadata)
    ]
    if len(groups) == 1:
        return model(**groups[0][1])
    found = concatenate_outputs([model(**own) for _, own in groups], metadata)
    order = np.argsort(np.concatenate([rows for rows, _ in groups]), kind="stable")
    return {name: np.take(array, order, axis=output_batch(name, metadata)) for name, array in found.items()}


def _open_sizes(port: Port) -> bool:
    return any(axis != BATCH and not isinstance(size, int) for axis, size in port.axes)


def _rows_alike(sizes: Sequence[object]) -> Iterator[NDArray[np.int64]]:
    """The positions of samples of the same size, by size in the order of the first of each."""
    found: dict[object, list[int]] = {}
    for row, size in enumerate(sizes):
        found.setdefault(size, []).append(row)
    return (np.array(rows, np.int64) for rows in found.values())


def _files_alike(samples: Samples, part: slice, feeds: Arrays, metadata: Metadata) -> Iterator[Group]:
    """Files by the lengths that they have on their own, where one is longer than all in training."""
    rows = range(*part.indices(samples.count or 0))
    if not any(_is_longer(feeds[name], body) for name, body in metadata["inputs"].items() if name in feeds):
        yield np.arange(len(rows)), feeds
        return
    alone = [samples.take(slice(row, row + 1)) for row in rows]
    for alike in _rows_alike([tuple(array.shape for array in each.values()) for each in alone]):
        yield (
            alike,
            {
                name: np.concatenate([alone[row][name] for row in alike], axis=_batch(metadata["inputs"][name]))
                for name in feeds
            },
        )


def _is_longer(array: Array, body: Metadata) -> bool:
    """Whether files were filled up to more than in training."""
    said = body.get("files") or {}
    if not said.get("least") or said.get("size") is not None:
        return False
    names = [name for name, _ in body["axes"]]
    place = next(names.index(axis) for axis, role in said["axes"].items() if role == "sample")
    return bool(array.shape[place] > said["least"])


def _sequences_alike(feeds: Arrays, count: int, metadata: Metadata) -> Iterator[Group]:
    """Sequences by their own lengths, where one is longer than all in training."""
    found = {}
    for name, array in feeds.items():
        lengths = _own_lengths(array, metadata["inputs"].get(name) or {})
        if lengths is not None:
            found[name] = lengths
    if not found:
        yield np.arange(count), feeds
        return
    for rows in _rows_alike(list(zip(*(sizes.tolist() for _, sizes in found.values()), strict=True))):
        own = {name: np.take(array, rows, axis=_batch(metadata["inputs"][name])) for name, array in feeds.items()}
        for name, (axis, sizes) in found.items():
            own[name] = own[name][(*(slice(None),) * axis, slice(0, int(sizes[rows[0]])))]
        yield rows, own


def _own_lengths(array: Array, body: Metadata) -> tuple[int, NDArray[np.int64]] | None:
    """The axis of an input's steps, and how many of them each sample is run with; None where all have as many.

    No step of the data is nothing but what padding is: training refuses such data.
    """
    least = least_of(body)
    axes = [name for name, _ in body.get("axes") or ()]
    if least is None or len(axes) != array.ndim or array.shape[axes.index(body["padded"][0])] <= least:
        return None
    axis, batch = axes.index(body["padded"][0]), _batch(body)
    moved = np.moveaxis(array, (batch, axis), (0, 1)).reshape(array.shape[batch], array.shape[axis], -1)
    is_data = (moved != body.get("fill", 0.0)).any(axis=2)
    lengths = np.where(is_data.any(axis=1), is_data.shape[1] - np.argmax(is_data[:, ::-1], axis=1), 0)
    return axis, np.maximum(lengths, least)


def _batch(body: Metadata) -> int:
    return [axis for axis, _ in body["axes"]].index(BATCH)
