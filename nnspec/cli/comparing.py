"""The verbs that compare builds: `runs` and `diff`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from nnspec.cli.options import FORMAT
from nnspec.cli.reporting import emit, report_errors


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--sort", metavar="METRIC", help="Sort by a metric, lowest first, as in test.forecast.rmse.")
@FORMAT
@report_errors
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


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@FORMAT
@report_errors
def diff(first: Path, second: Path, output: str) -> None:
    """Compare two builds: spec, data, versions, seed, and what they did to the metrics.

    \b
    nnspec diff out/causal_cnn out/wider
    nnspec diff out/causal_cnn out/wider --format json

    Prints the lines of the resolved specs that differ, data files and prepared rows with other hashes, packages with
    other versions, the seeds, and each metric that changed (in JSON every one). Writes nothing.

    Exit codes: 0 when compared, 1 when FIRST or SECOND is not a build directory, 2 on a wrong command line.
    """
    from nnspec.evaluation.differences import compare_builds, render

    try:
        found = compare_builds(first, second)
    except ValueError as error:
        click.echo(f"error[NN705]: {error}", err=True)
        sys.exit(1)
    emit(json.dumps(asdict(found), indent=2, ensure_ascii=False) if output == "json" else render(found))
