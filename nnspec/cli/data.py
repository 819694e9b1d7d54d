"""The verb `data`: what the network will see."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, FORMAT, QUIET, SET, SPEC
from nnspec.cli.reporting import emit, print_diagnostics, report_errors
from nnspec.diagnostics.extras import install_command, is_installed


@click.command()
@SPEC
@SET
@FORMAT
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    help="Also draw the columns and classes of each split, as PNG, PDF or SVG.",
)
@QUIET
@ALLOW_OUTSIDE
@report_errors
def data(
    spec: str, overrides: dict[str, str], output: str, plot: Path | None, quiet: bool, allow_outside: bool
) -> None:
    """Show the data that a network will see, split and encoded as for training. Imports no framework.

    \b
    nnspec data specs/causal_cnn.yaml
    nnspec data specs/mnist_cnn.yaml --format json
    nnspec data specs/causal_cnn.yaml --plot data.png

    Prints for each split its rows, samples, groups and first and last time, for each column type, missing values and
    statistics, classes with their counts, the first samples, and what the splits share: equal inputs, groups, rows.
    Warnings go to standard error; with -q they are all that is printed. Writes no file but that of --plot, which needs
    matplotlib.

    Exit codes: 0 when shown (warnings allowed), 1 on an error in the spec or its data, 2 on a wrong command line.
    """
    from nnspec import pipeline

    if plot is not None and not is_installed("plots"):
        click.echo(f"`nnspec data --plot` needs matplotlib: {install_command('plots')}", err=True)
        sys.exit(2)
    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    from nnspec.checks.context import output_slots
    from nnspec.data.overview.describe import describe
    from nnspec.jobs.dataset import load_dataset

    dataset = load_dataset(checked)
    assert checked.data is not None
    overview = describe(checked.data, dataset, output_slots(checked.graph))
    if output == "json":
        emit(json.dumps(overview.body, indent=2, ensure_ascii=False))
    elif not quiet:
        from nnspec.show.data import to_text

        emit(to_text(overview.body), newline=False)
    print_diagnostics([*checked.warnings, *overview.warnings], "text", to_stderr=True)
    if plot is not None:
        from nnspec.diagnostics.unwritable import telling_unwritable
        from nnspec.runtime.whole_files import whole_file
        from nnspec.show.data_plot import plot_data

        try:
            with telling_unwritable(plot, "--plot"), whole_file(plot) as beside:
                plot_data(checked.data, dataset, beside)
        except ValueError as error:
            raise click.UsageError(f"`--plot {plot}`: {error}") from None
