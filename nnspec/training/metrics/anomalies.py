"""The metrics of scores of anomalies, with and without labels."""

from __future__ import annotations

import numpy as np

from nnspec.training.metrics.classes import score_yes_or_no
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome

SHARES = (0.5, 0.9, 0.95, 0.99)


def score_anomalies(outcome: Outcome) -> MetricValues:
    """What labels say of the scores, anomalies being the yes; and what is known without them.

    Where a split has one kind of sample alone there is no AUC.
    """
    found = score_yes_or_no(outcome)
    counted = None if outcome.counted is None else outcome.counted.reshape(-1)
    scores = outcome.predicted.reshape(-1)
    spread = spread_of(scores if counted is None else scores[counted], outcome.threshold)
    return {name: value for name, value in found.items() if value == value} | spread


def spread_of(scores: Array, threshold: float | None) -> MetricValues:
    """The share of samples that are flagged, and quantiles of the scores: axes any."""
    wide = np.asarray(scores, dtype=np.float64).reshape(-1)
    found: MetricValues = {}
    if threshold is not None:
        above = np.asarray(scores, dtype=np.float32).reshape(-1) > np.float32(threshold)
        found = {"threshold": float(threshold), "flagged": float(np.mean(above))}
    quantiles = {f"{share:g}": float(np.quantile(wide, share)) for share in SHARES}
    return {**found, "mean_score": float(wide.mean()), "quantiles": quantiles}
