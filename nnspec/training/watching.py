"""Metrics of metrics.json at the end of an epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import Compiled, predict, reset_states
from nnspec.data.dataset import Dataset, Split
from nnspec.diagnostics import Span, SpecError, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.ir.graph import Graph
from nnspec.training.evaluate import metrics_of
from nnspec.training.watched import SPLIT, value_at


def measure_watched(
    compiled: Compiled,
    graph: Graph,
    dataset: Dataset,
    split: Split,
    names: Sequence[str],
    backend: TrainingBackend,
    span: Span,
    batch: int = 0,
) -> dict[str, float]:
    """Each of these metrics of the validation split, as the model is now.

    Args:
        names: as `validation.OUTPUT.METRIC`.
        span: of the `training` section.
        batch: of a stateful model, which reads the samples in order, its state cleared before and after; else 0.

    Raises:
        SpecError: NN212 where the split does not have such a metric.
    """
    if batch:
        reset_states(compiled.model)
    predicted = predict(compiled.model, graph, split.x, batch or 256, backend)
    if batch:
        reset_states(compiled.model)
    found: dict[str, float] = {}
    for output in graph.outputs.values():
        prefix = f"{SPLIT}.{output.name}."
        wanted = [name for name in names if name.startswith(prefix)]
        if wanted:
            metrics = metrics_of(output, dataset.deployment, predicted[output.name], split, dataset, SPLIT)
            for name in wanted:
                value = value_at(metrics, name.removeprefix(prefix))
                if value is None:
                    raise _unknown(name, metrics, span)
                found[name] = value
    return found


def _unknown(name: str, metrics: Mapping[str, object], span: Span) -> SpecError:
    """A metric that depends on the data: MASE needs a series, an area under a curve targets of both kinds."""
    there = [metric for metric, value in metrics.items() if isinstance(value, int | float)]
    message = f"`{name}` cannot be measured on this validation split{did_you_mean(name.rpartition('.')[2], there)}"
    return SpecError.single("NN212", message, span, path="training", notes=[f"it has: {enumerated(there, 12)}"])
