"""Inputs with difficult masks: padding right, left, in the middle, in whole rows, and none at all.

Random values alone are never padding, so that two programs which treat padding otherwise agree on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph, Node
from nnspec.verify.samples import WeightsOf, random_inputs

PLACES = ("none", "right", "left", "middle", "rows")


@dataclass(frozen=True)
class Padding:
    """What marks a step of an input as padding.

    Attributes:
        value: what a padded position holds; for each position of the rest where one number does not say it.
        axis: which axis of the array the steps are, batch being 0; None where a padded sample is one as a whole.
    """

    value: float | str | np.ndarray
    axis: int | None


def variants(
    graph: Graph,
    rng: np.random.Generator,
    *,
    batch: int = 4,
    length: int = 9,
    deployment: Deployment | None = None,
    weights_of: WeightsOf = lambda node: {},
    alike: bool = False,
) -> list[dict[str, np.ndarray]]:
    """Raw inputs by name, a mapping for each place of the padding; one without any, one at batch 1.

    Args:
        batch: how many samples; where the graph fixes one, that.
        length: of axes whose size is open.
        weights_of: a node's weights, where they are known: what is padding behind a `Normalization` follows from them.
        alike: whether all open axes are of one length.
    """
    paddings = {name: found for name in graph.inputs if (found := padding_of(graph, name, weights_of)) is not None}
    batch = next(iter(graph.batches.values()), batch)
    drawn = random_inputs(graph, deployment or Deployment(), batch, length, weights_of, alike=alike)
    places = PLACES if paddings else PLACES[:1]
    result = []
    for place in places:
        made = {}
        for name, values in drawn.items():
            padding = paddings.get(name)
            made[name] = (
                values if padding is None else _pad_values(_replace_padding(values, padding, rng), padding, place, rng)
            )
        result.append(made)
    emptied = {name for name, value in graph.inputs.items() if value.dtype == "string"}
    emptied = {name for name in emptied if not refuses_unknown(graph, name)}
    if emptied:
        result.append({name: _empty_texts(values) if name in emptied else values for name, values in drawn.items()})
    if batch > 1 and not graph.batches:
        result.append({name: values[:1] for name, values in result[min(1, len(result) - 1)].items()})
    return result


def padding_of(graph: Graph, name: str, weights_of: WeightsOf = lambda node: {}) -> Padding | None:
    """What is padding in an input, by the layers that make a mask of it; None where none does."""
    for node, path in readers(graph, name):
        value = _mask_value(node)
        if value is None:
            continue
        step = node.outputs[0].mask
        source = graph.inputs[name]
        axis = None
        if step is not None:
            made = next(axis for axis in node.outputs[0].axes if axis.name == step)
            keys = {atom.key for atom in made.atoms}
            places = [i for i, own in enumerate(source.axes, 1) if keys & {atom.key for atom in own.atoms}]
            axis = places[0] if places else (1 if source.axes else None)
        if source.dtype == "string":
            return Padding("", axis)
        undone = _undone(path, value, weights_of)
        return Padding(undone, axis)
    return None


def readers(graph: Graph, name: str) -> Iterator[tuple[Node, list[Node]]]:
    """The nodes that read an input, behind layers that move, look up or scale its values, with those in between."""
    paths: dict[str, list[Node]] = {name: []}
    for node in graph.nodes:
        path = paths.get(node.inputs[0].node) if node.inputs else None
        if path is None:
            continue
        yield node, path
        if len(node.inputs) == 1 and not any(value.mask for value in node.outputs):
            paths[node.name] = [*path, node]


def refuses_unknown(graph: Graph, name: str) -> bool:
    """Whether a layer that looks an input up knows no place for what is not in its vocabulary: Keras fails there."""
    return any(node.args.get("num_oov_indices") == 0 for node, _ in readers(graph, name))


def _mask_value(node: Node) -> float | None:
    """What the node takes for padding; None where it makes no mask of its own."""
    inner = node
    while inner.inner is not None:
        inner = inner.inner
    return inner.layer.masked_value(inner)


def _undone(path: list[Node], value: float, weights_of: WeightsOf) -> float | np.ndarray:
    """What must be read in front of layers that only scale, so that behind them stands `value`."""
    result: float | np.ndarray = value
    for node in reversed(path):
        axes = node.inputs[0].axes
        shape = (1, *(axis.size if isinstance(axis.size, int) else 1 for axis in axes))
        made = node.layer.invert_scaling(node, np.broadcast_to(np.asarray(result, np.float64), shape), weights_of(node))
        if made is not None:
            result = float(made.flat[0]) if np.ptp(made) == 0 else made
        elif not isinstance(result, float):
            return value  # values that differ have been moved
    return result


def _pad_values(values: np.ndarray, padding: Padding, place: str, rng: np.random.Generator) -> np.ndarray:
    """The values with padding at a place, each sample with another length of it."""
    count = len(values)
    if place == "none":
        return values
    rows = np.arange(count) % 2 == 0 if count > 1 else np.ones(1, bool)
    if padding.axis is None or place == "rows":
        flags = rows.reshape(-1, *[1] * (values.ndim - 1))
        return _where(flags, padding, values)
    steps = values.shape[padding.axis]
    at = np.arange(steps)
    ends = rng.integers(1, max(2, steps), size=(count, 1))
    if place == "right":
        flags = at >= ends
    elif place == "left":
        flags = at < steps - ends
    else:
        first = rng.integers(1, max(2, steps - 1), size=(count, 1))
        flags = (at >= first) & (at < first + np.maximum(1, (steps - first) // 2))
        flags[:, -1] &= steps <= 2
    shape = [1] * values.ndim
    shape[0], shape[padding.axis] = count, steps
    return _where(flags.reshape(shape), padding, values)


def _where(flags: np.ndarray, padding: Padding, values: np.ndarray) -> np.ndarray:
    return np.where(flags, np.asarray(padding.value, values.dtype), values)


def _replace_padding(values: np.ndarray, padding: Padding, rng: np.random.Generator) -> np.ndarray:
    """The values with another one wherever one happens to be padding: ids are drawn at random."""
    if isinstance(padding.value, np.ndarray) or values.dtype.kind not in "iu":
        return values
    others = values[values != padding.value]
    drawn = rng.choice(others, size=values.shape) if others.size else np.ones_like(values)
    return np.where(values == padding.value, drawn, values)


def _empty_texts(values: np.ndarray) -> np.ndarray:
    """Texts of which every other one is empty; numbers as they are."""
    if values.dtype.kind not in "OUS":
        return values
    flat = values.reshape(-1).copy()
    flat[::2] = ""
    return flat.reshape(values.shape)
