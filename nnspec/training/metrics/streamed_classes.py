"""Metrics of many targets of classes, in chunks: what `classes` gives for all at once, but for rounding."""

from __future__ import annotations

from math import fsum

import numpy as np

from nnspec.data.arrays import mapped
from nnspec.training.metrics import classes
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome
from nnspec.training.metrics.streamed import parts_of, ranked_areas


class _Sums:
    """Sums of what every target has, by name."""

    def __init__(self) -> None:
        self.known: dict[str, list[float]] = {}

    def add(self, name: str, mean: float, count: int) -> None:
        if count:
            self.known.setdefault(name, []).append(mean * count)

    def mean(self, name: str, count: int) -> float:
        return fsum(self.known[name]) / count if count and name in self.known else float("nan")


def classes_in_chunks(outcome: Outcome) -> MetricValues:
    """As `classes.score_classes`."""
    count = outcome.predicted.shape[-1]
    confusion, sums = np.zeros((count, count), np.int64), _Sums()
    is_probable = _are_probabilities(outcome)
    ranks = [k for k in classes.RANKS if k < count]
    for part in parts_of(outcome):
        which = slice(None) if part.counted is None else part.counted.reshape(-1)
        truth = part.truth.reshape(-1).astype(np.int64)[which]
        confusion += classes.confusion_of(truth, part.decisions.reshape(-1)[which], count)
        shares = part.probabilities if is_probable else None
        ranked = (part.predicted if shares is None else shares).reshape(-1, count)[which]
        if shares is not None:
            sums.add("log_loss", classes.log_loss(truth, ranked), len(truth))
        for k in ranks:
            sums.add(f"top_{k}_accuracy", classes.among_first(truth, ranked, k), len(truth))
    total = int(confusion.sum())
    found: MetricValues = {**_of_confusion(confusion), **classes.averages(confusion)}
    found |= {name: sums.mean(name, total) for name in ("log_loss", *(f"top_{k}_accuracy" for k in ranks))}
    if not is_probable:
        del found["log_loss"]
    if count <= classes.MOST_IN_CONFUSION and (confusion.sum(axis=1) > 0).all():
        areas = [_area(outcome, k, is_probable=is_probable) for k in range(count)]
        found["roc_auc_macro"] = float(np.mean(areas))
    found |= classes.each_class(confusion, outcome)
    if count <= classes.MOST_IN_CONFUSION:
        found["confusion"] = confusion.tolist()
    return found


def yes_or_no_in_chunks(outcome: Outcome) -> MetricValues:
    """As `classes.score_yes_or_no`."""
    confusion, sums = np.zeros((2, 2), np.int64), _Sums()
    is_probable = _are_probabilities(outcome)
    for part in parts_of(outcome):
        which = slice(None) if part.counted is None else part.counted.reshape(-1)
        truth = part.truth.reshape(-1).astype(np.int64)[which]
        confusion += classes.confusion_of(truth, part.decisions.reshape(-1)[which], 2)
        shares = part.probabilities if is_probable else None
        if shares is not None:
            own = shares.reshape(-1)[which]
            sums.add("log_loss", classes.log_loss(truth, np.stack([1 - own, own], axis=-1)), len(truth))
            sums.add("brier", float(np.mean((own - truth) ** 2)) if len(truth) else 0.0, len(truth))
    total = int(confusion.sum())
    precision, recall, f1, _ = classes.rates(confusion)
    found: MetricValues = {**_of_confusion(confusion)}
    found |= {"precision": float(precision[1]), "recall": float(recall[1]), "f1": float(f1[1])}
    found["threshold"] = float(outcome.threshold)
    areas = ranked_areas(*_rank_scores(outcome, outcome.truth, outcome.predicted))
    if areas is not None:
        found |= dict(zip(("roc_auc", "average_precision"), areas, strict=True))
    if is_probable:
        found |= {name: sums.mean(name, total) for name in ("log_loss", "brier")}
    return {**found, **classes.each_class(confusion, outcome), "confusion": confusion.tolist()}


def labels_in_chunks(outcome: Outcome) -> MetricValues:
    """As `classes.score_labels`."""
    count = next(parts_of(outcome)).rows[0].shape[1]
    confusions = np.zeros((count, 2, 2), np.int64)
    for part in parts_of(outcome):
        truth, guess, which = part.rows
        said = (guess > np.float32(outcome.threshold)).astype(np.int64)
        for i in range(truth.shape[1]):
            kept = slice(None) if which is None else which[:, i]
            confusions[i] += classes.confusion_of(truth[kept, i].astype(np.int64), said[kept, i], 2)
    hits, total = int(confusions.trace(axis1=1, axis2=2).sum()), int(confusions.sum())
    each: dict[str, MetricValues] = {}
    f1s = []
    for i in range(count):
        precision, recall, f1, support = classes.rates(confusions[i])
        name = outcome.labels[i] if i < len(outcome.labels) else str(i)
        areas = ranked_areas(*_label(outcome, i))
        own: MetricValues = {"precision": float(precision[1]), "recall": float(recall[1]), "f1": float(f1[1])}
        own["support"] = int(support[1])
        f1s.append(float(f1[1]))
        each[name] = {**own, **dict(zip(("roc_auc", "average_precision"), areas or (), strict=False))}
    found: MetricValues = {"accuracy": hits / total if total else float("nan"), "f1_macro": float(np.mean(f1s))}
    for name in ("precision", "recall", "roc_auc", "average_precision"):
        known = [value for metrics in each.values() if isinstance(value := metrics.get(name), float)]
        if known:
            found[f"{name}_macro"] = float(np.mean(known))
    return {**found, "threshold": float(outcome.threshold), "by_class": each}


def _label(outcome: Outcome, i: int) -> tuple[Array, Array]:
    """Targets and scores of one label that count, axes `row`."""
    truth, done = mapped.empty((outcome.truth.size,), np.int64), 0
    scores = mapped.empty((outcome.truth.size,), np.float32)
    for part in parts_of(outcome):
        codes, guess, which = part.rows
        kept = slice(None) if which is None else which[:, i]
        own = codes[kept, i]
        truth[done : done + len(own)], scores[done : done + len(own)] = own, guess[kept, i]
        done += len(own)
    return truth[:done], scores[:done]


def _of_confusion(confusion: Array) -> MetricValues:
    """Accuracy, and the mean F1 of the classes that occur in targets or predictions."""
    _, _, f1, support = classes.rates(confusion)
    occurs = (confusion.sum(axis=0) + support) > 0
    total = int(confusion.sum())
    return {
        "accuracy": float(np.trace(confusion) / total) if total else float("nan"),
        "f1_macro": float(f1[occurs].mean()) if occurs.any() else float("nan"),
    }


def _are_probabilities(outcome: Outcome) -> bool:
    return outcome.gives_scores or all(part.probabilities is not None for part in parts_of(outcome))


def _area(outcome: Outcome, k: int, *, is_probable: bool) -> float:
    """The area under the ROC curve of one class against the rest."""
    scores, done = mapped.empty((outcome.truth.size,), np.float32), 0
    for part in parts_of(outcome):
        shares = part.probabilities if is_probable else None
        own = (part.predicted if shares is None else shares)[..., k].reshape(-1)
        scores[done : done + len(own)] = own
        done += len(own)
    truth = mapped.map_rows(lambda codes: codes == k, outcome.truth.reshape(-1))
    areas = ranked_areas(*_rank_scores(outcome, truth, scores))
    assert areas is not None, "each class occurs, and another one"
    return areas[0]


def _rank_scores(outcome: Outcome, truth: Array, scores: Array) -> tuple[Array, Array]:
    """Targets and scores that count, axes `row`."""
    truth, scores = truth.reshape(-1), scores.reshape(-1)
    if outcome.counted is None:
        return truth, scores
    return tuple(mapped.take(each, outcome.counted.reshape(-1)) for each in (truth, scores))  # type: ignore[return-value]
