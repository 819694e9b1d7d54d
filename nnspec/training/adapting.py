"""Adapts layers to the training data before training, such as vocabularies and statistics.

Padding is no data: an array that holds some is a `numpy.ma.MaskedArray`, whose masked values no statistic counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from nnspec.backends.keras.model import Compiled, as_array, as_model_inputs
from nnspec.backends.types import Tensor
from nnspec.data.arrays.gathered import chunk_size, is_gathered
from nnspec.data.dataset import Dataset
from nnspec.ir import axes as ax
from nnspec.ir.ancestors import names_before
from nnspec.ir.graph import Graph, Value
from nnspec.ir.receptive_field import origins

BATCH = 256


def padding_of(dataset: Dataset, split: str = "train") -> dict[str, np.ndarray]:
    """Where the data of inputs are padded, by input: axes as theirs, 1 along those that padding does not run along."""
    raw = dataset.splits[split].raw
    found = {name: transform.padding(raw[name]) for name, transform in dataset.inputs.items() if name in raw}
    return {name: padding for name, padding in found.items() if padding is not None}


def adapt_layers(
    compiled: Compiled,
    graph: Graph,
    x: Mapping[str, np.ndarray],
    padding: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Shows the layers that take what they know from the data (Keras' `adapt`) what they read in training.

    Args:
        padding: where the inputs are padded, as `padding_of` gives it.
    """
    for node in graph.nodes:
        if node.layer.adapts(node) and any(is_gathered(values) for values in x.values()):
            read = partial(_in_chunks, compiled, graph, node.inputs[0], x, padding or {})
            node.layer.adapt_in_chunks(compiled.layers[node.name], node, read)
        elif node.layer.adapts(node):
            shown = without_padding(graph, node.inputs[0], *_read(compiled, graph, node.inputs[0], x), padding or {})
            node.layer.adapt(compiled.layers[node.name], node, shown)


def _in_chunks(
    compiled: Compiled, graph: Graph, value: Value, x: Mapping[str, np.ndarray], padding: Mapping[str, np.ndarray]
) -> Iterator[np.ndarray]:
    """What a value is on the training rows, masked where it is padding, some of them at a time."""
    size = min(chunk_size(values) for values in x.values() if is_gathered(values))
    for start in range(0, len(next(iter(x.values()))), size):
        part = slice(start, start + size)
        rows = {name: values[part] for name, values in x.items()}
        array, mask = (rows[value.node], None) if value.node in graph.inputs else _read(compiled, graph, value, rows)
        yield without_padding(graph, value, array, mask, {name: where[part] for name, where in padding.items()})


def without_padding(
    graph: Graph, value: Value, array: np.ndarray, mask: np.ndarray | None, padding: Mapping[str, np.ndarray]
) -> np.ndarray:
    """What a value is on the training rows: axes `sample *axes`; masked where all that it reads there is padding.

    Args:
        mask: what Keras' mask lets through, axes `sample step`, or `sample position step` where it
            is another one for each position; None where the value carries none.
        padding: where the inputs are padded.
    """
    hidden = np.zeros(array.shape, dtype=bool)
    place = ax.index_of(value.axes, value.mask or "")
    if mask is not None and place is not None:
        hidden |= _spread(~mask, [*range(len(value.outer)), place], array.shape)
    for name, where in padding.items():
        step = next((i for i in range(1, where.ndim) if where.shape[i] != 1), None)
        axis = None if step is None else graph.inputs[name].axes[step - 1]
        at = None if axis is None else _following(value, axis)
        if at is not None and name in names_before(graph, value):
            hidden |= _spread(where.reshape(len(where), -1), [at], array.shape)
    return np.ma.array(array, mask=hidden) if hidden.any() and not hidden.all() else array


def _read(
    compiled: Compiled, graph: Graph, value: Value, x: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray | None]:
    """A value on these rows, and the mask that Keras gives it."""
    import keras
    from keras.src.backend import get_keras_mask

    key = value.node if value.port == "output" else f"{value.node}.{value.port}"
    probe = keras.Model(compiled.model.input, compiled.tensors[key])
    if value.mask is None:
        return probe.predict(as_model_inputs(graph, x), verbose=0), None
    count = len(next(iter(x.values())))
    arrays, masks = [], []
    for start in range(0, count, BATCH):
        made = probe(as_model_inputs(graph, {name: rows[start : start + BATCH] for name, rows in x.items()}))
        arrays.append(as_array(made))
        masks.append(np.asarray(get_keras_mask(made)))
    return np.concatenate(arrays), np.concatenate(masks)


def _following(value: Value, axis: ax.Axis) -> int | None:
    """The position of the axis of a value whose steps are those of an input's axis."""
    for place, own in enumerate(value.axes):
        if axis.name in origins(own) and own.size == axis.size and value.fields[axis.name].stride == 1:
            return place
    return None


def _spread(flags: np.ndarray, places: Sequence[int], shape: tuple[int, ...]) -> Tensor:
    """Axes `sample …` in the shape of a value, which has those behind the samples at `places` (batch left out)."""
    sizes = dict(zip(places, flags.shape[1:], strict=True))
    return np.broadcast_to(flags.reshape(len(flags), *(sizes.get(i, 1) for i in range(len(shape) - 1))), shape)
