"""An output by itself, without a spec around it: for what losses and metrics make of its targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nnspec.diagnostics import Source, Span
from nnspec.ir.axes import fresh
from nnspec.ir.graph import Output, Value


def output_of(task: str, shape: Sequence[int], loss: Any, metric: Any, counts: str = "all") -> Output:
    """An output with a step axis, then others, the last of which has the classes of a classification."""
    names = ["step", *(f"axis_{i}" for i in range(len(shape) - 2)), "class"][: len(shape)]
    axes = tuple(fresh(name, size, "head") for name, size in zip(names, shape, strict=True))
    return Output(
        name="y",
        value=Value(node="head", axes=axes),
        task=task,
        span=Span(Source("spec.yaml", "")),
        class_axis="class" if task in ("classification", "multilabel") else None,
        loss=loss,
        metrics=(metric,) if loss is None else (),
        counts=counts,
    )
