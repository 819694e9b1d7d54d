"""The metrics of classes: of one of many, of yes or no, and of several at once. Scikit-learn's names and definitions.

Every metric is over all targets that count, whatever axes they have: each step or pixel is one.
"""

from __future__ import annotations

import numpy as np

from nnspec.training import scores
from nnspec.training.metrics.outcome import Array, MetricValues, Outcome
from nnspec.training.metrics.ties import as_tied

MOST_IN_CONFUSION = 50  # classes whose confusion is written
RANKS = (2, 3, 5)  # of `top_2_accuracy`, …


def score_classes(outcome: Outcome) -> MetricValues:
    """Accuracy and averages, log loss, AUC of one against the rest, top-k, the confusion, and each class.

    Of an image's places also the intersection over union of each class, and its mean over those that occur.
    """
    which = None if outcome.counted is None else outcome.counted.reshape(-1)
    truth, said = outcome.truth.reshape(-1).astype(np.int64), outcome.decisions.reshape(-1)
    count = outcome.predicted.shape[-1]
    found: MetricValues = {
        "accuracy": scores.accuracy(truth, said, which),
        "f1_macro": scores.f1_macro(truth, said, which),
    }
    shares = outcome.probabilities
    ranked = (outcome.predicted if shares is None else shares).reshape(-1, count)
    if which is not None:
        truth, said, ranked = truth[which], said[which], ranked[which]
    confusion = confusion_of(truth, said, count)
    found |= averages(confusion)
    if shares is not None:
        found["log_loss"] = log_loss(truth, ranked)
    found |= {f"top_{k}_accuracy": among_first(truth, ranked, k) for k in RANKS if k < count}
    area = _area_of_each(truth, ranked, are_shares=shares is not None)
    if area is not None:
        found["roc_auc_macro"] = area
    found |= each_class(confusion, outcome)
    if count <= MOST_IN_CONFUSION:
        found["confusion"] = confusion.tolist()
    return found


def score_yes_or_no(outcome: Outcome) -> MetricValues:
    """Accuracy, precision, recall, F1 and the confusion at the threshold, and what no threshold decides.

    That is the area under the ROC curve, average precision, log loss and the Brier score, from probabilities.
    """
    which = None if outcome.counted is None else outcome.counted.reshape(-1)
    truth, said = outcome.truth.reshape(-1).astype(np.int64), outcome.decisions.reshape(-1)
    found: MetricValues = {
        "accuracy": scores.accuracy(truth, said, which),
        "f1_macro": scores.f1_macro(truth, said, which),
    }
    ranked = outcome.predicted.reshape(-1)
    shares = None if outcome.probabilities is None else outcome.probabilities.reshape(-1)
    if which is not None:
        truth, said, ranked = truth[which], said[which], ranked[which]
        shares = None if shares is None else shares[which]
    confusion = confusion_of(truth, said, 2)
    precision, recall, f1, _ = rates(confusion)
    found |= {"precision": float(precision[1]), "recall": float(recall[1]), "f1": float(f1[1])}
    found |= {"threshold": float(outcome.threshold), **_of_ranks(truth, ranked, outcome)}
    if shares is not None:
        found["log_loss"] = log_loss(truth, np.stack([1 - shares, shares], axis=-1))
        found["brier"] = float(np.mean((shares - truth) ** 2)) if len(truth) else float("nan")
    found |= each_class(confusion, outcome)
    found["confusion"] = confusion.tolist()
    return found


def score_labels(outcome: Outcome) -> MetricValues:
    """Each label as a yes or no of its own, and the means over labels."""
    truth, guess, which = outcome.rows
    said = (guess > np.float32(outcome.threshold)).astype(truth.dtype)
    found: MetricValues = {
        "accuracy": scores.accuracy(truth, said, which),
        "f1_macro": scores.f1_macro(truth, said, which),
    }
    each: dict[str, MetricValues] = {}
    for i in range(truth.shape[1]):
        kept = slice(None) if which is None else which[:, i]
        codes = truth[kept, i].astype(np.int64)
        precision, recall, f1, support = rates(confusion_of(codes, said[kept, i].astype(np.int64), 2))
        name = outcome.labels[i] if i < len(outcome.labels) else str(i)
        own = {"precision": float(precision[1]), "recall": float(recall[1]), "f1": float(f1[1])}
        each[name] = {**own, "support": int(support[1]), **_of_ranks(codes, guess[kept, i], outcome)}
    for name in ("precision", "recall", "roc_auc", "average_precision"):
        known = [value for metrics in each.values() if isinstance(value := metrics.get(name), float)]
        if known:
            found[f"{name}_macro"] = float(np.mean(known))
    return {**found, "threshold": float(outcome.threshold), "by_class": each}


def confusion_of(truth: Array, said: Array, count: int) -> Array:
    """How often each class was taken for each: axes `true said`."""
    pairs = np.bincount(truth * count + said, minlength=count * count)
    return np.asarray(pairs.reshape(count, count))


def rates(confusion: Array) -> tuple[Array, Array, Array, Array]:
    """Precision, recall, F1 and support of each class; 0 where there is nothing to divide by."""
    hits = np.diag(confusion).astype(np.float64)
    said, support = confusion.sum(axis=0), confusion.sum(axis=1)
    return _divide(hits, said), _divide(hits, support), _divide(2 * hits, said + support), support


def _divide(upper: Array, lower: Array) -> Array:
    return np.asarray(np.divide(upper, lower, out=np.zeros(len(upper)), where=lower > 0))


def averages(confusion: Array) -> MetricValues:
    """Means over the classes that occur in targets or predictions, and those weighted by support."""
    precision, recall, f1, support = rates(confusion)
    occurs = (confusion.sum(axis=0) + support) > 0
    if not occurs.any():
        return {}
    return {
        "precision_macro": float(precision[occurs].mean()),
        "recall_macro": float(recall[occurs].mean()),
        "balanced_accuracy": float(recall[support > 0].mean()),
        "f1_weighted": float(np.average(f1, weights=support)),
    }


def each_class(confusion: Array, outcome: Outcome) -> MetricValues:
    precision, recall, f1, support = rates(confusion)
    names = outcome.labels or tuple(map(str, range(len(support))))
    each: dict[str, MetricValues] = {
        name: {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}
        for name, p, r, f, n in zip(names, precision, recall, f1, support, strict=True)
    }
    if not outcome.is_map:
        return {"by_class": each}
    hits, either = np.diag(confusion).astype(np.float64), confusion.sum(axis=0) + support - np.diag(confusion)
    for metrics, share in zip(each.values(), _divide(hits, either), strict=True):
        metrics["iou"] = float(share)
    shares = _divide(hits, either)[either > 0]
    return {"mean_iou": float(shares.mean()) if len(shares) else float("nan"), "by_class": each}


def _of_ranks(truth: Array, ranked: Array, outcome: Outcome) -> MetricValues:
    """What the order of the samples is worth, where there are both yes and no."""
    if len(np.unique(truth)) < 2:
        return {}
    from sklearn.metrics import average_precision_score, roc_auc_score

    tied = as_tied(ranked, are_shares=outcome.probabilities is not None and not outcome.gives_scores)
    return {
        "roc_auc": float(roc_auc_score(truth, tied)),
        "average_precision": float(average_precision_score(truth, tied)),
    }


def _area_of_each(truth: Array, ranked: Array, *, are_shares: bool) -> float | None:
    """The mean area under the ROC curves of each class against the rest; None where one of them does not occur."""
    count = ranked.shape[-1]
    if count > MOST_IN_CONFUSION or len(np.unique(truth)) < max(2, count):
        return None
    from sklearn.metrics import roc_auc_score

    tied = [as_tied(ranked[:, k], are_shares=are_shares) for k in range(count)]
    return float(np.mean([roc_auc_score(truth == k, scores) for k, scores in enumerate(tied)]))


def log_loss(truth: Array, shares: Array) -> float:
    """The mean of -log of the true class's share, which is taken to be no less than the smallest float32 step."""
    if not len(truth):
        return float("nan")
    least = float(np.finfo(np.float32).eps)
    whole = shares / np.maximum(shares.sum(axis=-1, keepdims=True), least)
    return float(-np.mean(np.log(np.clip(whole[np.arange(len(truth)), truth], least, 1))))


def among_first(truth: Array, ranked: Array, k: int) -> float:
    """The share of targets that fewer than k classes outrank; of equals, those of a smaller index come first."""
    own = np.take_along_axis(ranked, truth[:, None], axis=-1)
    before = (ranked > own) | ((ranked == own) & (np.arange(ranked.shape[-1]) < truth[:, None]))
    return float(np.mean(before.sum(axis=-1) < k)) if len(truth) else float("nan")
