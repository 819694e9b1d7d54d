"""Random inputs for a network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.ir.graph import Graph, Node, Value
from nnspec.ir.symbols import lengths_of, size_at, unlike_lengths
from nnspec.verify.raw_columns import random_columns, with_gaps

WeightsOf = Callable[[Node], Mapping[str, np.ndarray]]
MOST_KEPT = 2**30  # numbers, 4 GiB: of all values of a batch, which Keras keeps while it runs a model


def elements_of_sample(graph: Graph, length: int) -> int:
    """How many numbers one sample of all inputs has.

    Args:
        length: of axes whose size is open.
    """
    return _elements(graph.inputs.values(), lengths_of(graph, length))


def rows_that_fit(graph: Graph, wanted: int, length: int) -> int:
    """How many samples to run at once: as many as wanted, or two where all their values would take too much memory.

    Args:
        length: of axes whose size is open.
    """
    made = (value for node in graph.nodes for value in node.outputs)
    return wanted if wanted * _elements(made, lengths_of(graph, length)) <= MOST_KEPT else min(wanted, 2)


def _elements(values: Iterable[Value], lengths: Mapping[str, int]) -> int:
    """How many numbers one sample of these values has."""
    return int(sum(math.prod(size_at(axis.size, lengths) for axis in value.axes) for value in values))


def random_inputs(
    graph: Graph,
    deployment: Deployment,
    batch: int,
    length: int,
    weights_of: WeightsOf = lambda node: {},
    scale: float = 1.0,
    *,
    alike: bool = False,
) -> dict[str, np.ndarray]:
    """Random raw inputs of the scale that the network knows; integers stay within what an Embedding can look up.

    Floats are of mean 0 and deviation `scale` behind the layers at the network's beginning that only scale.

    Args:
        length: of axes whose size is open, unless a constraint on them wants another.
        weights_of: a node's weights, where they are known.
        alike: whether all open axes are of one length; else no two are, where the network can be run so.
    """
    rng = np.random.default_rng(1_000_003 * batch + length)
    lengths = lengths_of(graph, length) if alike else unlike_lengths(graph, length)
    result: dict[str, np.ndarray] = {}
    for name, value in graph.inputs.items():
        shape = (batch, *(int(size_at(a.size, lengths)) for a in value.axes))
        if name in deployment.columns:
            result |= random_columns(deployment.columns[name], shape, scale, rng)
            continue
        examples = examples_of(graph, name)
        if value.dtype == "string":
            result[name] = rng.choice(np.asarray(examples or ["a", "b"], object), size=shape)
            if name in deployment.inputs:
                result[name] = with_gaps(result[name], deployment.inputs[name], rng)
            continue
        if value.dtype.startswith(("int", "uint")):
            # What nothing reads may be ids of an imported model's table for all that: every table has 0 and 1.
            is_read = any(True for _ in readers_of(graph, name))
            made: np.ndarray = rng.integers(0, integer_bound(graph, name) or (100 if is_read else 2), size=shape)
            if examples:
                made = rng.choice(np.asarray(examples), size=shape)
            transform = deployment.inputs.get(name)
            if transform is not None and transform.pad_value is not None and transform.step is not None:
                made = np.where(made == transform.pad_value, examples[-1] if examples else made.max(), made)
                made = _padded_at_end(made, transform.pad_value, transform.step, rng, transform.outer)
        elif value.dtype == "bool":
            made = rng.integers(0, 2, size=shape)
        elif examples:  # positions or ids that come as floats, of which the whole part counts
            made = rng.choice(np.asarray(examples, np.float64), size=shape)
            made += np.copysign(rng.choice([0, 0.5, 0.995], size=shape), made)
        else:
            made = rng.normal(size=shape) * scale
            for node in reversed(_scalings(graph, name)):
                undone = node.layer.invert_scaling(node, made, weights_of(node))
                made = made if undone is None else undone
            transform = deployment.inputs.get(name)
            if transform is not None and transform.scaling is not None:
                made = made * transform.scaling.divisor + transform.scaling.offset
            if transform is not None and transform.pad_value is not None and transform.step is not None:
                made = _padded_at_end(made, transform.pad_value, transform.step, rng, transform.outer)
            if transform is not None:
                made = with_gaps(made, transform, rng)
        result[name] = made.astype(value.dtype)
    return result


def _scalings(graph: Graph, name: str) -> list[Node]:
    """The nodes that an input goes through first, one after the other, that can be layers which only scale."""
    found: list[Node] = []
    while True:
        readers = [node for node in graph.nodes if any(value.node == name for value in node.inputs)]
        if len(readers) != 1 or len(readers[0].inputs) != 1 or not readers[0].layer.is_scaling:
            return found
        found.append(readers[0])
        name = readers[0].name


def examples_of(graph: Graph, name: str) -> list[str | int]:
    """Words or integers that the layers which look an input up know, and some that they do not."""
    reads = [(node, place) for node, place in _reads_of(graph, name) if place == node.layer.examples_place]
    return [example for node, _ in reads for example in node.layer.examples(node)]


def integer_bound(graph: Graph, name: str) -> int | None:
    """One more than the largest id that every Embedding of an input knows; None where none looks its integers up."""
    bounds = []
    for node in readers_of(graph, name):
        while node.inner is not None:
            node = node.inner
        if "input_dim" in node.args:
            bounds.append(int(node.args["input_dim"]))
    return min(bounds, default=None)


def readers_of(graph: Graph, name: str) -> Iterator[Node]:
    """The nodes that read an input's values as they are, behind what only moves them too."""
    yield from dict.fromkeys(node for node, _ in _reads_of(graph, name))


def _reads_of(graph: Graph, name: str) -> Iterator[tuple[Node, int]]:
    """The same, with each place among a node's inputs where it reads them."""
    same, is_text = {name}, graph.inputs[name].dtype == "string"
    for node in graph.nodes:
        places = [place for place, value in enumerate(node.inputs) if value.node in same]
        if places:
            yield from ((node, place) for place in places)
            made = {value.dtype for value in node.outputs}
            keeps_type = made <= {"string"} if is_text else node.outputs[0].dtype.startswith("int")
            if node.layer.moves_values or (keeps_type and not node.weights and not node.layer.examples(node)):
                same.add(node.name)


def _padded_at_end(
    values: np.ndarray, pad_value: float, step: int, rng: np.random.Generator, outer: tuple[int, ...] = ()
) -> np.ndarray:
    """Every sample cut at a random length along axis `step`, the rest padding; of each position of `outer` by itself,
    and some of those positions altogether."""
    length = values.shape[step]
    shape = [size if i == 0 or i in outer else 1 for i, size in enumerate(values.shape)]
    ends = rng.integers(1, length + 1, size=shape)
    if outer:
        ends[:, 1:] *= rng.random(ends[:, 1:].shape) < 0.8
    place = np.arange(length).reshape([-1 if i == step else 1 for i in range(values.ndim)])
    return np.where(place < ends, values, np.asarray(pad_value, values.dtype))
