"""A forecast of one of two columns from five rows of both, small enough to be built in a test."""

from __future__ import annotations

from typing import Any

CONVOLUTION = {"Conv1D": {"filters": 3, "kernel_size": 2, "padding": "causal", "activation": "tanh", "name": "conv"}}
HEAD = ["Flatten", {"Dense": {"units": 1, "as": "column"}}]
OUTPUT = {"columns": ["a"], "scale": "standard"}


def small_forecast(targets: dict[str, Any] | None = None, /, **more: Any) -> dict[str, Any]:
    """A spec of `rows.csv` beside it.

    Args:
        targets: the outputs of its data, in place of one column `y`.
        more: sections of their own, or in place of these.
    """
    return {
        "nnspec": 1,
        "data": {
            "source": {"csv": "rows.csv"},
            "window": {"lookback": 5, "horizon": 1},
            "split": {"train": 0.6, "validation": 0.2, "test": 0.2, "by": "order"},
            "inputs": {"x": {"columns": ["a", "b"], "scale": "standard"}},
            "outputs": targets or {"y": OUTPUT},
        },
        "inputs": {"x": {"axes": {"time": 5, "feature": 2}}},
        "model": [CONVOLUTION, *HEAD],
        "outputs": {"y": {"task": "regression", "metrics": ["mae"]}},
        **more,
    }
