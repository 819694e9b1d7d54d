"""The verb `init`: propose a spec for a data file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from nnspec.cli.options import QUIET
from nnspec.cli.reporting import report_errors


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", "-t", metavar="COLUMN", help="The column of a table to predict.")
@click.option("--image-folder", is_flag=True, help="FILE is a folder of images, whose subfolders are their labels.")
@click.option("--series", is_flag=True, help="Forecast the target from earlier rows.")
@click.option("--time", metavar="COLUMN", help="With --series, the column of time [default: the one with dates].")
@click.option(
    "--by", metavar="COLUMN", help="With --series, the column that identifies a series, or several: store,item."
)
@click.option(
    "--horizon",
    type=click.IntRange(1, 1000),
    default=1,
    show_default=True,
    help="With --series, how many rows to forecast: 14 are the rows 1 to 14 after the window, each of them.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="The spec [default: the name of FILE, next to it].")
@click.option("--force", is_flag=True, help="Overwrite the spec if there is one.")
@QUIET
@report_errors
def init(
    file: Path,
    target: str | None,
    image_folder: bool,
    series: bool,
    time: str | None,
    by: str | None,
    horizon: int,
    out: Path | None,
    force: bool,
    quiet: bool,
) -> None:
    """Propose a spec for a data file, to start from.

    \b
    nnspec init titanic.csv --target survived
    nnspec init sales.csv --target amount --series --by store --horizon 7
    nnspec init flowers --image-folder
    nnspec build titanic.yaml

    Looks at every column of FILE (a table), or at the images of a folder, and writes a commented spec: the task of
    the target, an encoding and a rule for missing values for each column, a split, a small network, and a training that
    stops when the validation loss no longer decreases. The spec builds at once; change what you know better.

    Exit codes: 0 when written, 1 when FILE cannot be used or nothing can be proposed, 2 on a wrong command line.
    """
    from nnspec.diagnostics.unwritable import telling_unwritable
    from nnspec.pipeline import diagnose
    from nnspec.propose.propose import propose_images, propose_series, propose_table
    from nnspec.propose.spec_text import identifier
    from nnspec.runtime.whole_files import write_whole

    if (is_folder := image_folder or file.is_dir()) and (target or series):
        raise click.UsageError("the labels of a folder of images are its subfolders: omit --target and --series")
    if not is_folder and target is None:
        raise click.UsageError("name the column to predict: --target COLUMN")
    if not series and (time or by or horizon != 1):
        raise click.UsageError("--time, --by and --horizon go with --series")
    spec = out or file.with_name(f"{identifier(file.stem)}.yaml")
    if spec.exists() and not force:
        raise click.UsageError(f"`{spec}` exists: choose another with --out, or overwrite it with --force")
    shown = Path(os.path.relpath(file.absolute(), spec.absolute().parent)).as_posix()
    if shown.startswith("../"):
        raise click.UsageError(f"`{file}` is not below the folder of `{spec}`: choose --out so that the data is")
    if target is None:
        text = propose_images(identifier(spec.stem), file, shown)
    elif series:
        text = propose_series(identifier(spec.stem), file, shown, target, time=time, by=by, horizon=horizon)
    else:
        text = propose_table(identifier(spec.stem), file, shown, target)
    with telling_unwritable(spec):
        write_whole(spec, text)
    if not quiet:
        click.echo(f"{spec}: next, review it, then run `nnspec build {spec}`")
    faults = diagnose(spec)
    if faults:
        from nnspec.cli.reporting import print_diagnostics

        print_diagnostics(faults, "text", to_stderr=True)
