"""The plots of a search: how its best value developed, all trials as parallel coordinates, and what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nnspec.report.plotting import BLUE, GREY, ORANGE, Plot, draw
from nnspec.search.plan import SearchPlan
from nnspec.search.space import Parameter, value_key
from nnspec.search.table import text_of
from nnspec.search.trials import COMPLETE, PRUNED, Finished

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NOT_SET = -0.12  # the height of a value that a trial does not set
_MOST_LABELS = 8  # of one axis


@dataclass(frozen=True)
class _Scale:
    """An axis of the parallel coordinates.

    Attributes:
        heights: by the text of a value; empty where it has a range.
    """

    name: str
    heights: Mapping[str, float]
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False

    def height(self, value: object) -> float:
        """From 0 to 1."""
        if self.heights:
            return self.heights[value_key(value)]  # type: ignore[arg-type]
        low, high, number = self.low, self.high, float(value)  # type: ignore[arg-type]
        if self.is_log:
            low, high, number = math.log(low), math.log(high), math.log(number)
        return (number - low) / (high - low) if high > low else 0.5

    def labels(self) -> list[tuple[float, str]]:
        if not self.heights:
            return [(0.0, f"{self.low:.4g}"), (1.0, f"{self.high:.4g}")]
        import json

        return [(height, text_of(json.loads(text))[:18]) for text, height in list(self.heights.items())[:_MOST_LABELS]]


def search_plots(
    plan: SearchPlan, trials: Sequence[Finished], best: Finished, importances: Mapping[str, float]
) -> list[Plot]:
    """All plots; that of importances only where there are any."""
    complete = [trial for trial in trials if trial.outcome.state == COMPLETE]
    found = [_progress(plan, complete, best), _parallel(plan, trials, best)]
    return [*found, _importances(plan, importances)] if importances else found


def _progress(plan: SearchPlan, complete: Sequence[Finished], best: Finished) -> Plot:
    numbers = [trial.outcome.number for trial in complete]
    values = [trial.outcome.value or 0.0 for trial in complete]
    choose = max if plan.is_maximized else min
    so_far = [choose(values[: i + 1]) for i in range(len(values))]

    def paint(axes: Axes) -> None:
        axes.scatter(numbers, values, s=14, color=BLUE, label="trial")
        axes.step(numbers, so_far, where="post", color=ORANGE, label="best so far")
        axes.set_xlabel("trial")
        axes.set_ylabel(plan.goal)
        axes.legend()

    text = f"Trial {best.outcome.number} is best, with {best.outcome.value:.6g}; {len(complete)} trials are complete."
    return draw("Trials in their order", text, paint)


def _parallel(plan: SearchPlan, trials: Sequence[Finished], best: Finished) -> Plot:
    values = [trial.outcome.value for trial in trials if trial.outcome.value is not None]
    goal = _Scale(plan.goal, {}, min(values), max(values))
    scales = [_scale(parameter) for parameter in plan.declared]

    def paint(axes: Axes) -> None:
        positions = range(len(scales) + 1)
        for trial in sorted(trials, key=lambda each: each is best):
            heights = [
                scale.height(trial.point[scale.name]) if scale.name in trial.point else _NOT_SET for scale in scales
            ]
            if trial.outcome.value is not None:
                share = goal.height(trial.outcome.value)
                good = share if plan.is_maximized else 1 - share
                line = {
                    "color": ORANGE if trial is best else BLUE,
                    "alpha": 1.0 if trial is best else 0.12 + 0.7 * good,
                }
                width = 2.4 if trial is best else 1.2
                axes.plot(positions, [*heights, share], linewidth=width, **line)  # type: ignore[arg-type]
            elif trial.outcome.state == PRUNED:
                axes.plot(positions[:-1], heights, color=GREY, alpha=0.4, linewidth=0.8, linestyle=":")
        for position, scale in enumerate([*scales, goal]):
            axes.axvline(position, color=GREY, linewidth=0.8)
            for height, label in scale.labels():
                axes.annotate(label, (position, height), xytext=(3, 2), textcoords="offset points", fontsize=7.5)
        axes.set_xticks(list(positions), [_short(scale.name) for scale in [*scales, goal]], rotation=12, ha="right")
        axes.set_yticks([])
        axes.set_ylim(-0.2, 1.1)
        axes.spines["left"].set_visible(False)

    text = (
        "A line a trial, over its values to the goal; the darker, the better. The best is orange, pruned trials are "
        "dotted. A line below all values does not set that one."
    )
    return draw("Parallel coordinates", text, paint, width=max(6.4, 1.5 * (len(scales) + 1)), height=3.0)


def _scale(parameter: Parameter) -> _Scale:
    numbers = parameter.range
    if numbers is not None:
        return _Scale(parameter.path, {}, numbers.low, numbers.high, numbers.is_log)
    choices = parameter.choices or ()
    last = max(1, len(choices) - 1)
    return _Scale(parameter.path, {value_key(choice): i / last for i, choice in enumerate(choices)})


def _importances(plan: SearchPlan, importances: Mapping[str, float]) -> Plot:
    names = sorted(importances, key=lambda name: importances[name])

    def paint(axes: Axes) -> None:
        axes.barh([_short(name) for name in names], [importances[name] for name in names], color=BLUE)
        axes.set_xlabel(f"share of the variance of {plan.goal}")

    most = names[-1]
    text = f"{most} explains most of the differences between trials ({importances[most]:.0%}), by functional ANOVA."
    return draw("Importance", text, paint)


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"…{name[-23:]}"
