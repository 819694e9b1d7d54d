"""Splits as a model is fitted to them: targets, weights of targets, and whole batches alone where it takes no other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import Samples
from nnspec.backends.keras.model import as_model_inputs
from nnspec.data.dataset import Split
from nnspec.diagnostics import Span, SpecError
from nnspec.ir.graph import Graph


def as_samples(graph: Graph, split: Split, *, is_balanced: bool = False) -> Samples:
    """A split as a backend fits to it.

    Args:
        is_balanced: whether each class weighs as much as any other.
    """
    weights = balanced_weights(graph, split) if is_balanced else None
    return Samples(
        inputs=as_model_inputs(graph, split.x),
        targets=by_output(graph, split.y),
        weights=None if weights is None else by_output(graph, weights),
    )


def by_output(graph: Graph, arrays: Mapping[str, np.ndarray]) -> np.ndarray | dict[str, np.ndarray]:
    """Arrays by output name as Keras takes them: that of a single output stands alone."""
    return dict(arrays) if len(graph.outputs) > 1 else arrays[next(iter(graph.outputs))]


def trimmed(split: Split, batch: int, span: Span) -> Split:
    """The split without its last incomplete batch, which a stateful network cannot take."""
    count = split.size // batch * batch
    if not count:
        raise SpecError.single(
            "NN517",
            f"a stateful network reads whole batches of {batch}, but a split has only {split.size} samples",
            span,
        )
    cut = {
        name: {k: None if v is None else v[:count] for k, v in getattr(split, name).items()}
        for name in ("raw", "x", "y", "target", "last")
    }
    return Split(**cut, size=count, rows=split.rows[:count])  # type: ignore[arg-type]


def balanced_weights(graph: Graph, split: Split) -> dict[str, np.ndarray]:
    """The weight of every target: of classes inverse to their frequency, of other outputs 1.

    Formula: N / (K * n) for a class with n of the N targets, of K classes that there are.
    """
    found = {}
    for name, output in graph.outputs.items():
        targets = split.y[name]
        if output.task not in ("classification", "binary"):
            found[name] = np.ones(len(targets), np.float32)
            continue
        _, codes, counts = np.unique(targets.astype(np.int64), return_inverse=True, return_counts=True)
        weights = (targets.size / (len(counts) * counts))[codes.reshape(targets.shape)].astype(np.float32)
        # Losses of yes and no are means over the last axis.
        found[name] = weights.mean(axis=-1) if output.task == "binary" and weights.ndim > 1 else weights
    return found
