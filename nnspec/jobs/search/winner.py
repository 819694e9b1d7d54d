"""The winner of a search: which trial it is, and its build, if there is one."""

from __future__ import annotations

import json
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix, SpecError
from nnspec.expansion.resolved import flow, to_yaml
from nnspec.jobs.run import Run
from nnspec.pipeline import Checked
from nnspec.search.plan import SearchPlan
from nnspec.search.trials import REFUSED, Finished


def best_of(plan: SearchPlan, complete: list[Finished]) -> Finished:
    """The complete trial that reaches the goal best; of equals the first."""
    sign = -1.0 if plan.is_maximized else 1.0
    return min(complete, key=lambda trial: (sign * (trial.outcome.value or 0.0), trial.outcome.number))


def built_winner(winner: Checked, folder: Path) -> Run | None:
    """The build of a search that was resumed after its end, if it is that of the winner."""
    spec, metrics = folder / "spec.yaml", folder / "metrics.json"
    is_it = spec.is_file() and spec.read_text(encoding="utf-8") == to_yaml(winner.root) and metrics.is_file()
    return Run(folder, json.loads(metrics.read_text(encoding="utf-8"))) if is_it else None


def no_winner(trials: list[Finished], plan: SearchPlan) -> SpecError:
    """Why there is none: NN590."""
    states = {trial.outcome.state for trial in trials}
    what = "can be trained" if states <= {REFUSED} else f"gave a value of {plan.goal}"
    notes = [
        f"`{', '.join(f'{path}={flow(value)}' for path, value in trial.point.items())}`: {trial.outcome.reason}"
        for trial in trials[:3]
    ]
    return SpecError(
        [
            Diagnostic(
                "NN590",
                f"none of {len(trials)} points of the space {what}",
                plan.span,
                path="search.space",
                notes=tuple(notes),
                fixes=(Fix("see what is wrong with one: `nnspec check SPEC --set PATH=VALUE`"),),
            )
        ]
    )
