"""What a model's file says of the past of its targets: the scale of errors of each series, and naive forecasts."""

from __future__ import annotations

import math

from nnspec.data.dataset import Dataset
from nnspec.data.section.plan import DataPlan
from nnspec.ir.graph import Output
from nnspec.training.baselines import naive_forecasts
from nnspec.training.metrics.streamed_levels import missed_quantiles
from nnspec.training.scores import as_rows

MOST_SERIES = 20_000  # whose scales a file holds


def describe_past(output: Output, plan: DataPlan, dataset: Dataset) -> dict[str, object]:
    """`{"past": {"season", "is_read", "step", "scale": {series: [a number a column, or null]}, "around": {naive: …}}}`.

    Empty of outputs whose targets are no columns of windows.
    """
    trained = dataset.past.trained.get(output.name)
    history = dataset.past.histories.get(("train", output.name))
    if plan.window is None or trained is None or history is None or len(trained) > MOST_SERIES:
        return {}
    scale = {name: [None if math.isnan(value) else value for value in row] for name, row in trained.items()}
    around = {}
    if output.levels and output.counts == "all":
        target = as_rows(dataset.splits["train"].target[output.name])
        for called, (fitted, _) in naive_forecasts(dataset, "train", output.name).items():
            around[called] = missed_quantiles(target, as_rows(fitted), output.levels).tolist()
    past = {
        "season": plan.window.season,
        "is_read": history.last is not None,
        "step": history.step,
        "scale": scale,
    }
    return {"past": past | ({"around": around} if around else {})}
