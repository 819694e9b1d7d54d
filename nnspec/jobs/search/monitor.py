"""The metric of an epoch that stands for a search's goal: what trials report, and what pruning compares."""

from __future__ import annotations

from dataclasses import dataclass

from nnspec.catalogue.losses import epoch_metrics
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked
from nnspec.search.plan import SearchPlan


@dataclass(frozen=True, slots=True)
class Monitor:
    """A metric of the history.

    Attributes:
        name: None where there is none that can be compared.
        sign: what makes more of it more of the goal, if that is maximized, or less, if it is minimized.
    """

    name: str | None
    sign: float


def monitor_of(plan: SearchPlan, checked: Checked) -> Monitor:
    """That of the goal's name, of the same split and output, where epochs have it; else what decides the best epoch."""
    split, _, rest = plan.goal.partition(".")
    output, _, metric = rest.partition(".")
    is_validated = checked.data is not None and any(part.name == "validation" for part in checked.data.split.parts)
    known = epoch_metrics(checked.graph, is_validated=is_validated)
    prefix = "val_" if split != "train" and is_validated else ""
    names = [f"{prefix}{metric}", f"{prefix}{output}_{metric}"]
    alone = len(checked.graph.outputs) == 1
    name = names[0 if alone else 1]
    if name not in known:
        settings = settings_of(checked)
        name = settings["monitor"] if is_validated else settings["monitor"].removeprefix("val_")
    if name not in known:
        return Monitor(None, 1.0)
    is_higher_better = bool(known[name])
    return Monitor(name, 1.0 if is_higher_better == plan.is_maximized else -1.0)
