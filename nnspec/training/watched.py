"""Metrics of metrics.json that a training can watch: `validation.OUTPUT.METRIC`; names alone, without a framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nnspec.catalogue.losses import measures
from nnspec.ir.graph import Graph, Output
from nnspec.training.plan import plan_callbacks

SPLIT = "validation"
Directions = dict[str, bool | None]  # whether more is better; None where neither is

_OF_NUMBERS: Directions = {"rmse": False, "mae": False, "r2": True}
_OF_RANKS: Directions = {"roc_auc": True, "average_precision": True}
_OF_TASK: Mapping[str, Directions] = {
    "regression": {**_OF_NUMBERS, "median_absolute_error": False, "mean_error": None, "mape": False, "mase": False},
    "quantiles": {"pinball": False, **_OF_NUMBERS, "mase": False},
    "classification": {
        **dict.fromkeys(("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted"), True),
        **dict.fromkeys(("precision_macro", "recall_macro", "roc_auc_macro", "mean_iou"), True),
        **dict.fromkeys(("top_2_accuracy", "top_3_accuracy", "top_5_accuracy"), True),
        "log_loss": False,
    },
    "binary": {
        **dict.fromkeys(("accuracy", "f1_macro", "precision", "recall", "f1"), True),
        **_OF_RANKS,
        "log_loss": False,
        "brier": False,
    },
    "multilabel": {
        **dict.fromkeys(("accuracy", "f1_macro", "precision_macro", "recall_macro"), True),
        **dict.fromkeys(("roc_auc_macro", "average_precision_macro"), True),
    },
}
_OF_CLASS = ("precision", "recall", "f1")


def evaluated_metrics(graph: Graph) -> Directions:
    """Every metric of the validation split that an epoch can end with, by its path in metrics.json."""
    return {
        f"{SPLIT}.{name}.{metric}": is_higher_better
        for name, output in graph.outputs.items()
        for metric, is_higher_better in _metrics_of(output).items()
    }


def _metrics_of(output: Output) -> Directions:
    found = dict(_OF_TASK.get(output.task, {}))
    if not found:
        return {}
    if output.metrics:
        found |= {measure.name: measure.is_higher_better for measure in measures(output) if measure.name not in found}
    found |= {f"weighted.{m.name}": m.is_higher_better for m in measures(output, is_weighted=True)}
    labels = output.classes or ((0, 1) if output.task == "binary" else ())
    found |= {f"by_class.{label}.{metric}": True for label in labels for metric in _OF_CLASS}
    return found


def is_evaluated(name: str) -> bool:
    """Whether a name is one of metrics.json rather than of an epoch's logs."""
    return name.startswith(f"{SPLIT}.")


def split_of(name: str) -> str:
    """The split that a metric of the history is of, where there is no `val_` before its name."""
    return SPLIT if is_evaluated(name) else "training"


def watched_metrics(monitor: str, callbacks: Iterable[object]) -> list[str]:
    """The metrics of metrics.json that a `training` section watches."""
    names = [monitor, *(callback.monitor or "" for callback in plan_callbacks(list(callbacks)))]
    return [name for name in dict.fromkeys(names) if is_evaluated(name)]


def value_at(metrics: Mapping[str, object], path: str) -> float | None:
    """The metric at a path such as `f1_macro` or `by_class.cat.f1`; None where the split does not have it."""
    found: object = metrics
    rest = path
    while isinstance(found, Mapping):  # labels may have dots in them
        key = max((name for name in found if rest == name or rest.startswith(f"{name}.")), key=len, default=None)
        if key is None:
            return None
        found, rest = found[key], rest[len(key) + 1 :]
    return float(found) if isinstance(found, int | float) else None
