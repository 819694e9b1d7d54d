"""The metrics of a deployed model that count samples by their weights, which stand in the file beside its targets."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.evaluation.asked import measure
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Metadata
from nnspec.training.baselines import weighted_errors, weighted_mean
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome
from nnspec.training.metrics.score import HEADLINE, WEIGHTED
from nnspec.training.scores import as_rows


def weights_port(body: Metadata) -> Metadata | None:
    """What is read beside the inputs: the weight of each sample; None where no metric needs it."""
    asked = body.get(WEIGHTED)
    if not asked:
        return None
    rows = asked["rows"]
    return {
        "dtype": "float64",
        "axes": [[BATCH, None], *([["step", 1]] if rows else []), ["column", 1]],
        "columns": [asked["column"]],
        "array": asked["column"],
        "gaps": [asked["column"]],
        "is_measured": True,
        "step": "step" if rows else None,
        **({"rows": rows} if rows else {}),
    }


def score_weighted(
    body: Metadata, outcome: Outcome, weights: Mapping[str, Array], name: str, known: NDArray[np.bool_]
) -> tuple[MetricValues, list[str]]:
    """`{"weighted": {metric: value}}`, and the metrics that only Keras computes; empty where none is asked for.

    Args:
        outcome: of the samples that are `known` to have a target.
        weights: by output, axes `sample` or `sample 1 …`.

    Raises:
        InputError: where a weight is missing or negative, or all are 0.
    """
    asked = body.get(WEIGHTED)
    if not asked:
        return {}, []
    own = known_weights(weights, name, known)
    odd = int(np.count_nonzero(~np.isfinite(own) | (own < 0)))
    if odd:
        raise InputError(
            f"the weights `{asked['column']}` are missing, infinite or negative in {odd} of {len(own)} samples: "
            "give each sample a weight, such as 1"
        )
    if not own.any():
        raise InputError(f"the weights `{asked['column']}` are all 0: no sample counts")
    found, unknown = measure(asked["asked"], outcome, own)
    return {WEIGHTED: found}, unknown


def known_weights(weights: Mapping[str, Array], name: str, known: NDArray[np.bool_]) -> Array:
    """The weights of an output's samples that have a target: axes `sample`."""
    return np.asarray(weights[name].reshape(len(known)).astype(np.float64)[known])


def weigh_baseline(outcome: Outcome, naive: Array, weights: Array) -> MetricValues:
    """The metrics of what the baseline says, `naive`, with the weights of samples, as in training."""
    truth, guess = as_rows(outcome.truth, outcome.steps), as_rows(naive, outcome.steps)
    which = None if outcome.counted is None else as_rows(outcome.counted, outcome.steps)
    if HEADLINE[outcome.task] == "accuracy":
        return {"accuracy": weighted_mean(truth == guess, weights, which)}
    return weighted_errors(truth, guess, weights, which)
