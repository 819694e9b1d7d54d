"""Metrics that are no number, such as `mase` where no series has a scale: JSON has no NaN, so they are null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite, isinf

UNDEFINED = "undefined"
_WHY = {
    "mase": "no series has a scale: its training rows do not change, or are too few",
    "r2": "it takes two targets or more",
    "roc_auc": "there are not both positive and negative samples",
    "average_precision": "there are not both positive and negative samples",
}
_ELSE = "no target counts for it, or a prediction is not a number"


def as_json(outputs: Mapping[str, object]) -> dict[str, object]:
    """Metrics by output as JSON: null for what is no finite number, and under `undefined` why, by its path.

    `{"y": {"rmse": 1.0, "mase": None, "undefined": {"mase": "no series …"}}}`
    """
    found: dict[str, object] = {}
    for name, metrics in outputs.items():
        found[name] = without_nan(metrics)
        reasons = dict(_reasons(metrics)) if isinstance(metrics, Mapping) else {}
        if reasons and isinstance(metrics, Mapping):
            found[name] = without_nan({**metrics, UNDEFINED: reasons})
    return found


def without_nan(value: object) -> object:
    """The same with null for what is no finite number."""
    if isinstance(value, Mapping):
        return {key: without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _reasons(metrics: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _reasons(value, f"{before}{key}.")
        elif isinstance(value, float) and not isfinite(value):
            yield f"{before}{key}", "it is infinite" if isinf(value) else _WHY.get(key, _ELSE)
