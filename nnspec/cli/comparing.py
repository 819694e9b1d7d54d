"""The verb that lists builds: `runs`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from nnspec.cli.options import FORMAT
from nnspec.cli.reporting import emit, handled


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--sort", metavar="METRIC", help="Sort by a metric, lowest first, as in test.forecast.rmse.")
@FORMAT
@handled
def runs(folder: Path, sort: str | None, output: str) -> None:
    """List the builds below a folder with their metrics.

    \b
    nnspec runs out
    nnspec runs out --sort test.forecast.rmse
    nnspec runs out --format json

    Prints a line for each build, oldest first: its folder, name, the first digits of its spec's hash, seed, time and
    the metrics of its test split. Builds with the same hash have the same spec. Writes nothing.

    Exit codes: 0 when listed, also if there are none, 2 on a wrong command line or a metric that no build has.
    """
    from nnspec.evaluation.runs import find_builds, render, sorted_by

    builds = find_builds(folder)
    if sort is not None:
        try:
            builds = sorted_by(builds, sort)
        except KeyError:
            known = sorted({name for build in builds for name in build.metrics})
            raise click.BadParameter(
                f"no build has `{sort}`; they have {', '.join(known)}", param_hint="--sort"
            ) from None
    emit(
        json.dumps([asdict(build) for build in builds], indent=2, ensure_ascii=False)
        if output == "json"
        else render(builds, sort)
    )
