"""Scores a deployed model on a labelled file, as the build scored its splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.data.arrays import mapped
from nnspec.evaluation.ahead import add_scaled_error, naive_of, score_ahead
from nnspec.evaluation.asked import measure
from nnspec.evaluation.further import score_further_of
from nnspec.evaluation.targets import Labelled, read_labelled
from nnspec.evaluation.weighted import known_weights, score_weighted, weigh_baseline
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import Metadata
from nnspec.runtime.predictor import Predictor
from nnspec.training.intervals import score_levels
from nnspec.training.metrics.anomalies import spread_of
from nnspec.training.metrics.outcome import MetricValues, Outcome, Part
from nnspec.training.metrics.score import (
    CHANCE,
    HEADLINE,
    WEIGHTED,
    add_requested,
    merge_metrics,
    score_outcome,
    select_for_part,
)
from nnspec.training.metrics.streamed import is_streamed, numbers_in_chunks, parts_of
from nnspec.training.scores import accuracy, as_rows, mae, rmse

Array = np.ndarray
MOST_GROUPS = 1000


def evaluate_file(
    predictor: Predictor, file: Path, *, threshold: float | None = None, by: str | None = None
) -> MetricValues:
    """`{"samples", "left_out", "notes", "outputs": {output: {metric: value, …, "baseline": {…}}}}`.

    Args:
        threshold: where yes begins; default that of the model.
        by: a column or array whose words tell groups of samples apart, each with metrics of its own.

    Raises:
        InputError: where the file cannot be read or lacks targets, or the model does not record how to read them.
        ModelError: where the model fails.
    """
    metadata = predictor.metadata
    if not metadata.get("evaluation"):
        reason = "it was not built from data" if metadata.get("nnspec") else "it was not made by nnspec"
        raise InputError(f"the model does not record what its targets are: {reason}, or by an earlier version")
    for name, body in metadata["evaluation"].items():
        if body["counts"] != "all" and not body.get("counted"):
            raise InputError(
                f"the targets of output `{name}` are padded, and only the training data says which steps are padding"
            )
    labelled = read_labelled(file, metadata, predictor.over, by)
    found: MetricValues = {}
    notes = list(labelled.notes)
    left_out = 0
    for name, body in metadata["evaluation"].items():
        if body.get("is_unlabelled"):
            said = threshold if threshold is not None else metadata["outputs"][name].get("threshold")
            given = labelled.predicted[name]
            found[name] = {"samples": len(given), **spread_of(given, said), "baseline": None}
            continue
        outcome, known = _outcome(name, body, metadata, labelled, threshold)
        left_out = max(left_out, int((~known).sum()))
        if not known.any():
            raise InputError(f"`{file.name}` has no row with a target of output `{name}`")
        strange = known & ~mapped.map_rows(_have_numbers, outcome.predicted)
        if strange.any():
            known = known & ~strange
            notes.append(f"left out: {int(strange.sum())} samples for which output `{name}` gives no number")
            if not known.any():
                raise InputError(f"output `{name}` gives no number for any sample of `{file.name}`")
        kept = _some(outcome, known)
        last = labelled.last.get(name)
        naive = _naive(body, outcome, last, known)
        metrics = score_outcome(kept)
        past = labelled.pasts.get(name)
        if past is not None:
            metrics = merge_metrics(metrics, score_ahead(kept, past[0].of(known), past[1]))
        asked, unknown = measure(body["asked"], kept)
        weighted, unmeasured = score_weighted(body, kept, labelled.weights, name, known)
        unknown = [*unknown, *unmeasured]
        notes += [f"metric `{metric}` of output `{name}` is computed by Keras alone: left out" for metric in unknown]
        metrics = {**add_requested(kept.task, body["words"], metrics, asked), **weighted}
        naive_metrics = _baseline(kept, naive, body)
        if weighted and naive is not None and past is None and not kept.levels:
            own = known_weights(labelled.weights, name, known)
            naive_metrics = {**(naive_metrics or {}), WEIGHTED: weigh_baseline(kept, naive, own)}
        if past is not None:
            history = past[0].of(known)
            naive_metrics = naive_of(kept, history, body["past"]) or add_scaled_error(
                naive_metrics, kept, naive, history
            )
        targets = {} if kept.counted is None else {"targets": int(kept.counted.sum())}
        found[name] = {"samples": int(known.sum()), **targets, **metrics, "baseline": naive_metrics}
        if labelled.groups is not None:
            numbers, names = labelled.groups
            found[name]["by_group"] = _by_group(kept, naive, mapped.take(numbers, known), names, body)
    for name, metrics in score_further_of(predictor, file).items():
        found[name]["recursive"] = metrics
    return {"samples": labelled.count, "left_out": left_out, "notes": notes, "outputs": found}


def _have_numbers(predicted: Array) -> NDArray[np.bool_]:
    """Which samples' predictions are finite, axes `sample`: a NaN would be taken for the first class."""
    return np.asarray(np.isfinite(predicted).reshape(len(predicted), -1).all(axis=1))


def _some(outcome: Outcome, known: NDArray[np.bool_]) -> Outcome:
    """The outcome of the samples that are known; the same where all are, of which a copy would need room."""
    if known.all():
        return outcome
    counted = None if outcome.counted is None else mapped.take(outcome.counted, known)
    truth, predicted = (mapped.take(each, known) for each in (outcome.truth, outcome.predicted))
    return replace(outcome, truth=truth, predicted=predicted, counted=counted)


def _outcome(
    name: str, body: Metadata, metadata: Metadata, labelled: Labelled, threshold: float | None
) -> tuple[Outcome, NDArray[np.bool_]]:
    output = metadata["outputs"][name]
    truth, known = labelled.truth[name]
    labels: Sequence[object] = output.get("classes") or body["names"] or ()
    parts = [Part(axis=axis, called=called, names=tuple(names)) for axis, called, names in body["parts"]]
    decided = output["task"] in ("binary", "multilabel", "anomaly")
    return Outcome(
        task=output["task"],
        truth=truth,
        predicted=labelled.predicted[name],
        labels=tuple(map(str, labels)),
        levels=tuple(output.get("levels") or ()),
        threshold=threshold if threshold is not None and decided else float(output.get("threshold", 0.5)),
        gives_scores=body["gives_scores"],
        parts=tuple(parts),
        counted=labelled.counted.get(name),
        steps=tuple(body.get("row_steps") or ()),
        is_map=body["is_map"],
    ), known


def _naive(body: Metadata, outcome: Outcome, last: Array | None, known: NDArray[np.bool_]) -> Array | None:
    """What the baseline says of each sample that has a target: axes as the targets."""
    baseline = body["baseline"]
    if baseline is None or baseline["name"] == CHANCE["name"]:
        return None
    if baseline["name"] == "persistence":
        assert last is not None
        kept = mapped.take(last, known)
        if body["is_columns_first"]:
            kept = np.moveaxis(kept, 1, -1)
        shape = (len(kept), *outcome.truth.shape[1:])
        wide = kept if kept.ndim != len(shape) or kept.shape == shape else np.broadcast_to(kept, shape)
        return np.asarray(np.broadcast_to(wide.reshape(_fitting(wide.shape, shape)), shape))
    return np.broadcast_to(np.asarray(baseline["value"]), (int(known.sum()), *outcome.truth.shape[1:]))


def _fitting(found: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """A window's last values, axes `sample 1 column`, in the shape of the targets, 1 along steps."""
    if int(np.prod(found)) == int(np.prod(wanted)):
        return wanted
    return tuple(size if size in found[1:] or i == 0 else 1 for i, size in enumerate(wanted))


def _baseline(outcome: Outcome, naive: Array | None, body: Metadata) -> MetricValues | None:
    if naive is None:
        return body["baseline"] if outcome.task == "anomaly" else None
    name, around = body["baseline"]["name"], body["baseline"].get("around")
    if is_streamed(outcome) and (around is None or HEADLINE[outcome.task] == "accuracy"):
        return {"name": name, **_baseline_in_chunks(outcome, naive)}
    truth, guess = as_rows(outcome.truth, outcome.steps), as_rows(naive, outcome.steps)
    which = None if outcome.counted is None else as_rows(outcome.counted, outcome.steps)
    if HEADLINE[outcome.task] == "accuracy":
        return {"name": name, "accuracy": accuracy(truth, guess, which)}
    if around is not None:
        levels = guess.astype(np.float64)[..., None] + np.asarray(around)
        return {"name": name, **score_levels(truth, levels, outcome.levels)}
    return {"name": name, "rmse": rmse(truth, guess, which), "mae": mae(truth, guess, which)}


def _baseline_in_chunks(outcome: Outcome, naive: Array) -> MetricValues:
    """The same of many targets."""
    plain = replace(outcome, predicted=naive, levels=(), task="regression", parts=())
    if HEADLINE[outcome.task] != "accuracy":
        metrics = numbers_in_chunks(plain)
        return {"rmse": metrics["rmse"], "mae": metrics["mae"]}
    hits = total = 0
    for part in parts_of(plain):
        same = part.truth == part.predicted
        hits += int(np.count_nonzero(same if part.counted is None else same & part.counted))
        total += same.size if part.counted is None else int(np.count_nonzero(part.counted))
    return {"accuracy": hits / total if total else float("nan")}


def _by_group(
    outcome: Outcome, naive: Array | None, groups: Array, called: Sequence[str], body: Metadata
) -> Mapping[str, MetricValues]:
    plain, found = replace(outcome, parts=()), {}
    numbers = {called[number]: number for number in np.unique(groups).tolist()}
    names = sorted(numbers)
    if len(names) > MOST_GROUPS:
        raise InputError(f"there are {len(names):,} groups, which is more than {MOST_GROUPS:,}: choose another column")
    for name in names:
        own = groups == numbers[name]
        metrics = select_for_part(outcome.task, score_outcome(plain.of(own)))
        beside = _baseline(plain.of(own), None if naive is None else naive[own], body)
        found[name or "(none)"] = {"samples": int(own.sum()), **metrics, "baseline": beside}
    return found
