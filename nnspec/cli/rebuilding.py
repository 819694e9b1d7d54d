"""The verb that makes a deployed model again: `rebuild`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, FORMAT, QUIET
from nnspec.cli.reporting import report_errors


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    required=True,
    help="The folder that the data paths in the spec of MODEL are relative to.",
)
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Keep the build in this directory.")
@FORMAT
@QUIET
@ALLOW_OUTSIDE
@report_errors
def rebuild(model: Path, data: Path, out: Path | None, output: str, quiet: bool, allow_outside: bool) -> None:
    """Build a deployed model again from what it says of itself, and compare the bytes.

    \b
    nnspec rebuild out/causal_cnn/model.onnx --data specs
    nnspec rebuild model.onnx --data specs --out out/again

    MODEL contains its spec, the versions of the packages it was built with, and the hashes of its data files and of the
    prepared rows. Data files that differ are named before anything is trained; versions that differ are named and
    used. Writes nothing without --out.

    Exit codes: 0 when the bytes are the same, 1 when they differ, with what differs (NN538), or MODEL cannot be used,
    2 on a wrong command line.
    """
    from nnspec.jobs.rebuilding import run_rebuild
    from nnspec.progress import Progress

    progress = Progress(quiet=quiet or output == "json")
    found = run_rebuild(model, data, progress, out=out, allow_outside=allow_outside)
    if output == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        click.echo(f"{model.name}: the same {found['bytes']:,} bytes, sha256 {found['sha256']}")
