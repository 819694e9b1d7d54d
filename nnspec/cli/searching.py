"""The verb `search`."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, QUIET, SET, SPEC, default_out, out_option, training_starts
from nnspec.cli.reporting import emit, print_diagnostics, report_errors


@click.command()
@SPEC
@out_option()
@SET
@click.option("--workers", type=click.IntRange(min=1), default=1, help="Processes of this machine that run trials.")
@click.option(
    "--ray",
    "address",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[ADDRESS]",
    help="Run trials on a Ray cluster: at this address, else a running one, else a new one on this machine.",
)
@training_starts
@QUIET
@ALLOW_OUTSIDE
@report_errors
def search(
    spec: str,
    out: Path | None,
    overrides: dict[str, str],
    workers: int,
    address: str | None,
    resume: bool,
    quiet: bool,
    allow_outside: bool,
) -> None:
    """Try values of a spec's `search` section, and build the best.

    \b
    nnspec search spec.yaml --workers 2
    nnspec search spec.yaml --set search.trials=80 --resume
    nnspec search spec.yaml --ray 10.0.0.1:6379

    Every point is checked before it is trained, and one with errors costs nothing. Writes trials.csv (one row per
    trial), journal.log (Optuna's format), search.html (plots), trials/ (metrics and history of each) and best/ (the
    winner's verified build) to the output directory. `--resume` continues an interrupted search, with more trials if
    the budget is raised: its trials and its winner are those of a search that was not interrupted.

    Exit codes: 0 when the winner is built and verified, 1 on an error, 2 on a wrong command line, 130 when interrupted.
    """
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    print_diagnostics(list(checked.warnings), "text", to_stderr=True)
    from nnspec.jobs.search.searching import engine_for, plan_of, run_search

    plan_of(checked)
    folder = default_out(spec, out)
    engine = engine_for(folder, workers, address)
    found = run_search(checked, folder, Progress(quiet=quiet), engine, resume=resume, allow_outside=allow_outside)
    emit(found.summary(spec, overrides))
