"""Compares a compiled spec with the Keras model that it was imported from, on inputs that are hard for both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count

import numpy as np

from nnspec.backends.keras.model import Compiled, as_array, predict, reset_states
from nnspec.backends.types import KerasModel, Tensor
from nnspec.importers.keras.build_spec import Draft
from nnspec.importers.keras.network import ImportFault, Network, reason_of
from nnspec.ir.graph import Graph
from nnspec.layers.registry import REGISTRY
from nnspec.verify import differences
from nnspec.verify.hostile_inputs import PLACES, variants
from nnspec.verify.samples import elements_of_sample, rows_that_fit

TOLERANCE = 1e-5
_MOST_ELEMENTS = 2**16  # of the inputs that run as one batch
LENGTHS = (12, 19)  # of axes whose size is open


def largest_difference(model: KerasModel, network: Network, draft: Draft, graph: Graph, compiled: Compiled) -> float:
    """The largest difference of an output over its largest magnitude, with padding at every place and without."""
    rng, worst = np.random.default_rng(11), 0.0
    again = 2 if any(node.is_stateful for node in graph.nodes) else 1  # the second goes on from the first
    batch = choose_batch_size(graph, least_rows(network))

    def run_model(arrays: Mapping[str, np.ndarray]) -> list[Tensor]:
        try:
            return _results(model, network, graph, arrays, batch)
        except Exception as error:
            raise ImportFault(
                f"Keras itself cannot run the model on random inputs: {reason_of(error)}",
                help="run the model on inputs of other lengths and contents, fix it, and save it again",
            ) from None

    for runs in [group_runs(graph, variants(graph, rng, batch=batch, length=size)) for size in _lengths(graph)]:
        done: list[tuple[Mapping[str, np.ndarray], list[Tensor]]] = []
        for arrays, sizes in runs:
            wanted: list[Tensor] = []
            reset_states(model)
            reset_states(compiled.model)
            for _ in range(again):
                known = _results_among(done, arrays) if is_alone(graph, arrays) and again == 1 else None
                wanted = run_model(arrays) if known is None else known
                got = predict(compiled.model, graph, arrays)
                found = max(
                    _furthest(got[name], as_array(value), sizes)
                    for name, value in zip(graph.outputs, wanted, strict=True)
                )
                if found > TOLERANCE and again == 1 and is_alone(graph, arrays):  # rounding differs by batch
                    pairs = zip(graph.outputs, run_model(arrays), strict=True)
                    got = predict(compiled.model, graph, _repeat_samples(arrays, batch))
                    found = min(found, max(_difference(got[name][:1], as_array(value)) for name, value in pairs))
                worst = max(worst, found)
            done.append((arrays, wanted))
    return worst


def _results_among(
    done: Sequence[tuple[Mapping[str, np.ndarray], Sequence[Tensor]]], alone: Mapping[str, np.ndarray]
) -> list[Tensor] | None:
    """What the model gave for a sample that it was run on among others; None where it was not."""
    for arrays, results in done:
        for row in range(_samples(arrays)):
            if all(np.array_equal(arrays[name][row], alone[name][0]) for name in alone):
                return [as_array(value)[row : row + 1] for value in results]
    return None


def _lengths(graph: Graph) -> Sequence[int]:
    """What open axes are long; where there are none, one run is as good as two."""
    axes = [axis for value in graph.inputs.values() for axis in value.axes]
    return LENGTHS if any(not isinstance(axis.size, int) for axis in axes) else LENGTHS[:1]


def group_runs(
    graph: Graph, made: Sequence[Mapping[str, np.ndarray]]
) -> Iterator[tuple[Mapping[str, np.ndarray], Sequence[int]]]:
    """Inputs as they are run, and how many samples of each variant these have: small ones run as one batch.

    What calling Keras' layers takes is hardly more for many samples than for few. Where the model fixes the size of a
    batch, its samples are of several variants.
    """
    if graph.batches:
        yield from ((arrays, [_samples(arrays)]) for arrays in _mix_variants(made))
        return
    alone = [arrays for arrays in made if is_alone(graph, arrays)]
    several = [arrays for arrays in made if not is_alone(graph, arrays)]
    elements = sum(array.size for arrays in several for array in arrays.values())
    if elements > _MOST_ELEMENTS:
        yield from ((arrays, [_samples(arrays)]) for arrays in made)
        return
    yield (
        {name: np.concatenate([arrays[name] for arrays in several]) for name in several[0]},
        list(map(_samples, several)),
    )
    yield from ((arrays, [1]) for arrays in alone)


def _mix_variants(made: Sequence[Mapping[str, np.ndarray]]) -> Iterator[Mapping[str, np.ndarray]]:
    """Batches of the same size, in which each variant has a sample at least: one of even number, padded in each."""
    size = _samples(made[0])
    for start in range(0, len(made), size):
        taken = [(made[(start + row) % len(made)], row - row % 2) for row in range(size)]
        yield {name: np.stack([arrays[name][row] for arrays, row in taken]) for name in made[0]}


def _samples(arrays: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(arrays.values())))


def _furthest(got: np.ndarray, wanted: np.ndarray, sizes: Sequence[int]) -> float:
    """The largest difference of a variant, each over its own largest magnitude."""
    if len(sizes) == 1 or len(got) != sum(sizes) or len(wanted) != sum(sizes):
        return _difference(got, wanted)
    cuts = np.cumsum(sizes)[:-1]
    return max(_difference(*pair) for pair in zip(np.split(got, cuts), np.split(wanted, cuts), strict=True))


def is_alone(graph: Graph, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether it is one sample, of a model that takes any number."""
    return not graph.batches and all(len(array) == 1 for array in arrays.values())


def _repeat_samples(arrays: Mapping[str, np.ndarray], batch: int) -> dict[str, np.ndarray]:
    return {name: np.repeat(array, batch, axis=0) for name, array in arrays.items()}


ROWS, ROWS_OF_MASKS = 4, 32
"""How many samples at least: a mask that the model computes hides whatever it likes, which few samples hold."""


def least_rows(network: Network) -> int:
    """How many samples of random inputs a model is run on."""
    return ROWS_OF_MASKS if any(call.masks for call in network.calls) else ROWS


def choose_batch_size(graph: Graph, rows: int = ROWS) -> int:
    """A number of samples that no axis is long, nor with those of other variants where these run as one batch.

    On TensorFlow, Keras takes a number for each sample for a bias where there are as many samples as channels, or one
    alone, and adds it along those.
    """
    values = [*graph.inputs.values(), *(value for node in graph.nodes for value in node.outputs)]
    sizes = {axis.size for value in values for axis in value.axes}
    least, most = rows_that_fit(graph, rows, max(LENGTHS)), len(PLACES) + 1
    elements = least * most * elements_of_sample(graph, max(LENGTHS))
    together = range(1, most + 1 if elements <= _MOST_ELEMENTS else 2)
    return next(n for n in count(least) if not any(n * variants in sizes for variants in together))


def _results(
    model: KerasModel, network: Network, graph: Graph, arrays: Mapping[str, np.ndarray], batch: int
) -> list[Tensor]:
    """The model's own outputs, in the order of the network's; one sample alone is run among others like it."""
    if is_alone(graph, arrays):
        many = _repeat_samples(arrays, batch)
        return [as_array(value)[:1] for value in _results(model, network, graph, many, batch)]
    import keras

    listed = [arrays[name] for name in graph.inputs]
    if any(value.dtype == "string" for value in graph.inputs.values()):
        listed = [
            keras.ops.convert_to_tensor(array, value.dtype)
            for array, value in zip(listed, graph.inputs.values(), strict=True)
        ]
    is_chain = isinstance(model, keras.Sequential)  # which does not say how its one input is packed
    given = model(listed[0] if is_chain else keras.tree.pack_sequence_as(model.input, listed), training=False)
    is_named = isinstance(given, Mapping)
    return [given[name] for name in network.outputs] if is_named else list(keras.tree.flatten(given))


def _difference(got: np.ndarray, wanted: np.ndarray) -> float:
    """Relative, over what Keras gives a number for: of no step at all it takes a mean that is none, and nnspec 0."""
    if wanted.dtype.kind != "f" or got.shape != wanted.shape:
        return differences(got, wanted)[1]
    lost = np.isnan(wanted)
    if np.isnan(got[~lost]).any():
        return float("inf")
    return differences(np.where(lost, 0, got), np.where(lost, 0, wanted))[1]


def refuse_wrong_zeros(graph: Graph) -> None:
    """Tells where a model computes by a fault of Keras what no spec says.

    Keras' unrolled loop zeroes masked steps at the wrong end where it runs backwards; a spec's layer does not.

    Raises:
        ImportFault: with a cause for each such layer.
    """
    faults = []
    for node in graph.nodes:
        both = [part for part in (node, node.inner, node.backward) if part is not None]
        runs_both_ways = node.inner is not None and REGISTRY[node.kind].loses_mask_with_states
        is_backward = runs_both_ways or node.args.get("go_backwards")
        if is_backward and node.inputs[0].mask and any(part.args.get("unroll") for part in both):
            faults.append(
                ImportFault(
                    f"layer `{node.name}` ({node.kind}) runs backwards with `unroll`, where Keras zeroes the wrong "
                    "steps of padded sequences, and a spec does not",
                    help="set `unroll=False` in the model, and save that",
                )
            )
    if faults:
        raise ImportFault.of(faults)
