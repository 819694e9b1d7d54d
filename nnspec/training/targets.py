"""Splits in the form that a model is fitted to: targets, sample weights, and whole batches if it needs them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import Samples
from nnspec.backends.keras.model import as_model_inputs
from nnspec.backends.keras.training.losses import mark_uncounted, weighs_steps
from nnspec.catalogue.losses import loss_of
from nnspec.data.arrays import mapped
from nnspec.data.arrays.gathered import chunks, each_chunk, head
from nnspec.data.dataset import Split
from nnspec.diagnostics import Span, SpecError
from nnspec.ir.graph import Graph, Output


def as_samples(graph: Graph, split: Split, *, by_class: Mapping[str, np.ndarray] | None = None) -> Samples:
    """A split as a backend fits to it.

    Args:
        by_class: what targets weigh for their classes, by output.
    """
    weights = dict(by_class or {})
    trained = trained_outputs(graph)
    for name, output in trained.items():
        if split.counts(name) is not None and weighs_steps(output):
            weights[name] = counted_weights(output, split, weights.get(name))
    if split.weights is not None:
        weights = {name: by_sample(split.weights, weights.get(name)) for name in trained}
    if weights:  # Keras needs them for all outputs or for none
        weights = {name: weights.get(name, unit_weights(split.size)) for name in trained}
    targets = {name: mark_uncounted(output, split.y[name], split.counts(name)) for name, output in trained.items()}
    return Samples(
        inputs=as_model_inputs(graph, split.x),
        targets=by_output(graph, targets),
        weights=by_output(graph, weights) if weights else None,
    )


def unit_weights(count: int) -> np.ndarray:
    """The weights of samples that weigh nothing special."""
    found = mapped.zeros((count,), np.float32)
    found += np.float32(1)
    return found


def by_sample(own: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """The weights of samples, times those of their targets, if these have any; axes as those of the latter."""
    if weights is None:
        return np.asarray(own, np.float32)
    axes = [1] * (weights.ndim - 1)
    return each_chunk(lambda a, b: np.asarray(a * b.reshape(-1, *axes), np.float32), weights, own)


def counted_weights(output: Output, split: Split, weights: np.ndarray | None = None) -> np.ndarray:
    """The weights of targets of which some do not count: 0 for those, and the others so large that their mean counts.

    Keras divides by the number of all targets of a batch. Here every target that counts weighs the same whichever batch
    it is in, and over a split the loss is the mean over those that count: of N targets, n of which count, each weighs
    N / n.

    Args:
        weights: what they weigh beside that, as `class_weights` gives it.
    """
    counted = split.counts(output.name)
    assert counted is not None
    if output.task not in ("classification", "quantiles") and output.counts == "steps":
        counted = np.asarray(counted.any(axis=-1))  # a loss is a mean over the last axis
    is_mean = loss_of(output)[1].get("reduction", "sum_over_batch_size") != "sum"
    share = counted.size / counted.sum() if is_mean else 1.0
    given = (counted,) if weights is None else (counted, weights)
    return each_chunk(lambda flags, *more: np.asarray(flags * share * (more[0] if more else 1.0), np.float32), *given)


def by_output(graph: Graph, arrays: Mapping[str, np.ndarray]) -> np.ndarray | dict[str, np.ndarray]:
    """Arrays by output name as Keras takes them: that of a single output stands alone."""
    trained = trained_outputs(graph)
    return dict(arrays) if len(trained) > 1 else arrays[next(iter(trained))]


def trained_outputs(graph: Graph) -> dict[str, Output]:
    """The outputs that a loss compares with targets."""
    return {name: output for name, output in graph.outputs.items() if output.is_trained}


def trim_to_batches(split: Split, batch: int, span: Span) -> Split:
    """The split without its last incomplete batch, which a stateful network cannot take."""
    count = split.size // batch * batch
    if not count:
        raise SpecError.single(
            "NN517",
            f"a stateful network reads whole batches of {batch}, but a split has only {split.size} samples",
            span,
        )
    cut = {
        name: {k: None if v is None else head(v, count) for k, v in getattr(split, name).items()}
        for name in ("raw", "x", "y", "target", "last", "counted")
    }
    weights = None if split.weights is None else split.weights[:count]
    return Split(**cut, size=count, rows=split.rows[:count], weights=weights)  # type: ignore[arg-type]


def balanced_weights(graph: Graph, split: Split) -> dict[str, np.ndarray]:
    """The weight of every target: of classes inverse to their frequency, of other outputs 1.

    Formula: N / (K * n) for a class with n of the N targets that count, of K classes that there are.
    """
    found = {}
    for name, output in trained_outputs(graph).items():
        targets = split.y[name]
        if output.task not in ("classification", "binary"):
            found[name] = unit_weights(len(targets))
            continue
        counted = split.counts(name)
        codes = each_chunk(lambda part: part.astype(np.int64), targets)
        found[name] = _balance_weights(codes, codes if counted is None else codes[counted])
        # Losses of yes and no are means over the last axis.
        if output.task == "binary" and targets.ndim > 1 and output.counts != "values":
            found[name] = each_chunk(lambda part: part.mean(axis=-1), found[name])
    return found


def _balance_weights(codes: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """The weight of each code; of those that none of `counted` holds, 0."""
    often: Counter[int] = Counter()
    for part in chunks(counted):
        values, numbers = np.unique(part, return_counts=True)
        often.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
    known = np.array(sorted(often))
    weights = counted.size / (len(known) * np.array([often[code] for code in known.tolist()]))

    def weigh(part: np.ndarray) -> np.ndarray:
        place = np.searchsorted(known, part).clip(max=len(known) - 1)
        return np.asarray(np.where(known[place] == part, weights[place], 0.0), dtype=np.float32)

    return each_chunk(weigh, codes)
