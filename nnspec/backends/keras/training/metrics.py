"""The metrics that a spec asks for, computed by Keras' own objects from targets and predictions."""

from __future__ import annotations

import numpy as np

from nnspec.backends.keras.training.losses import build_metrics, mark_uncounted
from nnspec.catalogue.losses import measures
from nnspec.data.arrays.gathered import chunks, each_chunk
from nnspec.ir.graph import Output

BATCH = 1024  # samples of one update


def measure_output(
    output: Output,
    truth: np.ndarray,
    predicted: np.ndarray,
    counted: np.ndarray | None = None,
    threshold: float | None = None,
    weights: np.ndarray | None = None,
) -> dict[str, float | list[float]]:
    """Each metric by its name in the history: a number, or a list where Keras gives one for each class.

    Numbers are measured in the units of the arguments; training measures them in those of the network.

    Args:
        truth: class indices, or axes as `predicted` (of quantiles without levels); sample first.
        predicted: axes as the output has them.
        counted: which targets count, axes as theirs.
        threshold: where yes begins, in the units of the output, where its spec says so.
        weights: what each sample counts, axes `sample`; then it is the weighted metrics that are measured.

    Returns:
        Nothing where the spec leaves the metrics to the task, or asks for no weighted ones.
    """
    is_weighted = weights is not None
    if not (output.weighted_metrics if is_weighted else output.metrics):
        return {}
    seen = mark_uncounted(output, truth, counted)
    found = {}
    share = threshold
    if threshold is not None and output.gives_scores:
        share = float(1 / (1 + np.exp(-threshold)))
    built = build_metrics(output, share, is_weighted=is_weighted)
    for measure, metric in zip(measures(output, is_weighted=is_weighted), built, strict=True):
        truth, said = (seen, predicted) if measure.kind != "R2Score" else _subtract_means(output, seen, predicted)
        for start in range(0, len(predicted), BATCH):
            part = slice(start, start + BATCH)
            if weights is None:
                metric.update_state(truth[part], said[part])
            else:
                metric.update_state(truth[part], said[part], sample_weight=_of_targets(weights[part], truth[part]))
        value = np.asarray(metric.result(), dtype=np.float64)
        found[measure.name] = value.tolist() if value.ndim else float(value)
    return found


def _of_targets(weights: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """What each target counts, axes as the targets: as much as its sample."""
    return np.broadcast_to(weights.reshape(-1, *(1,) * (truth.ndim - 1)), truth.shape).astype(np.float32)


def _subtract_means(output: Output, truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the mean target of each column, which changes no R²: Keras sums squares of float32 and subtracts
    them, and of a column far from 0 hardly a digit would be left."""
    if output.task != "regression" or output.counts != "all" or not len(truth):
        return truth, predicted
    pooled = tuple(range(truth.ndim - 1))
    count, sums = truth.size // truth.shape[-1], [part.sum(axis=pooled, dtype=np.float64) for part in chunks(truth)]
    mean = np.sum(sums, axis=0) / count
    said = each_chunk(lambda part: part.astype(np.float64) - mean, predicted)
    return each_chunk(lambda part: part - mean, truth), said
