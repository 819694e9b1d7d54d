"""Which label of a binary output is its yes."""

from __future__ import annotations

from nnspec.runtime.rules.truth import truth_of
from nnspec.training.metrics.outcome import MetricValues


def describe_yes(output: str, scored: MetricValues) -> str | None:
    """What is said of the label that a binary output takes for a yes; None where its word says so."""
    labels = list(scored.get("by_class", ()))
    if "threshold" not in scored or len(labels) != 2 or truth_of(labels[1]) == 1:
        return None
    return f"yes of `{output}` is `{labels[1]}`: precision, recall and F1 are of it, as are probabilities"
