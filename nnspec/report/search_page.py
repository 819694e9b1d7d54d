"""Writes `search.html`: the winner, the plots and every trial of a search, in one file without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnspec.report.rendering import render
from nnspec.report.search_plots import search_plots
from nnspec.report.tables import Table
from nnspec.search.plan import SearchPlan
from nnspec.search.table import text_of
from nnspec.search.trials import Finished


def write_search_page(
    path: Path,
    name: str,
    plan: SearchPlan,
    trials: Sequence[Finished],
    best: Finished,
    importances: Mapping[str, float],
) -> None:
    """Writes the page; without matplotlib, one without plots that says how to have them.

    Args:
        importances: by path, the share of the goal's variance that it explains; empty where that is not known.
    """
    from nnspec.diagnostics.extras import install_command, is_installed

    has_plots = is_installed("plots")
    text = render(
        "search.html.j2",
        name=name,
        plan=plan,
        best=best,
        values={path: text_of(value) for path, value in best.point.items()},
        plots=search_plots(plan, trials, best, importances) if has_plots else [],
        how_to_draw="" if has_plots else install_command("plots"),
        table=trial_table(plan, trials),
    )
    path.write_text(text, encoding="utf-8")


def trial_table(plan: SearchPlan, trials: Sequence[Finished]) -> Table:
    """A row a trial, as in trials.csv, and why one is not complete."""
    paths = [parameter.path for parameter in plan.declared]
    rows = tuple(
        (
            str(trial.outcome.number),
            trial.outcome.state,
            *(text_of(trial.point[path]) if path in trial.point else "" for path in paths),
            str(len(trial.outcome.epochs) or ""),
            f"{trial.outcome.value:.6g}" if trial.outcome.value is not None else trial.outcome.reason,
        )
        for trial in trials
    )
    return Table(caption="Trials", head=("trial", "state", *paths, "epochs", plan.goal), rows=rows)
