"""The verbs `check` and `fix`: report the errors of a spec, and correct those with a certain fix."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, AXES, FORMAT, QUIET, SET
from nnspec.cli.reporting import emit, print_diagnostics, report_errors


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path())
@SET
@AXES
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    help="Output format; code hosts show SARIF as annotations.",
)
@QUIET
@ALLOW_OUTSIDE
@report_errors
def check(
    specs: tuple[str, ...],
    overrides: dict[str, str],
    axes: dict[str, tuple[str, ...]],
    output: str,
    quiet: bool,
    allow_outside: bool,
) -> None:
    """Check specs: YAML, schema, axes, graph and data files; and the axes of ONNX files. Imports no framework.

    \b
    nnspec check specs/*.yaml
    nnspec check spec.yaml --set vars.lookback=12
    nnspec check spec.yaml --format json
    nnspec check model.onnx --axes x=batch,time,feature

    For an ONNX file of any origin, reports reshapes that mix values of several axes, with the node's name
    and the transpose that was probably meant.

    Prints diagnostics with code, position and fix, and writes no file; `nnspec explain NN301` explains a code.

    Exit codes: 0 without errors (warnings allowed), 1 with errors, 2 on a wrong command line.
    """
    models = [spec for spec in specs if Path(spec).suffix == ".onnx"]
    if axes and not models:
        raise click.UsageError("`--axes` names the axes of an ONNX file; a spec names its own in `inputs`")
    if overrides and len(models) == len(specs):
        raise click.UsageError("`--set` changes a spec, and an ONNX file has none")
    found = []
    for spec in specs:
        if spec in models:
            from nnspec.onnx_axes.check import check_model

            found += check_model(spec, axes)
        else:
            from nnspec.pipeline import diagnose

            found += diagnose(spec, overrides, allow_outside=allow_outside)
    print_diagnostics(found, output)
    has_errors = any(d.is_error for d in found)
    if output == "text" and not found and not quiet:
        click.echo(f"{', '.join(specs)}: clean")
    sys.exit(1 if has_errors else 0)


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path())
@click.option(
    "--diff", is_flag=True, help=("Print a patch for `git apply` or `patch -p1` instead of changing the files.")
)
@FORMAT
@QUIET
@ALLOW_OUTSIDE
@report_errors
def fix(specs: tuple[str, ...], diff: bool, output: str, quiet: bool, allow_outside: bool) -> None:
    """Apply certain fixes to specs, keeping comments and layout.

    \b
    nnspec fix spec.yaml --diff     show the changes
    nnspec fix spec.yaml            make them

    Applies only fixes that cannot be wrong, rewrites the files in place, and prints what was fixed and which
    diagnostics remain. A file that changed in the meantime is not written.

    Exit codes: 0 when no error remains, 1 when errors remain or a file was not written, 2 on a wrong command line.
    """
    from nnspec.fix.files import fix_file, summarize, to_plain

    files = [fix_file(Path(spec), allow_outside=allow_outside) for spec in specs]
    if not diff:
        files = [file.try_write() for file in files]
    left = [diagnostic for file in files for diagnostic in file.remaining]
    if output == "json":
        emit(json.dumps(to_plain(files, written=not diff), indent=2, ensure_ascii=False))
    elif diff:
        emit("".join(file.patch for file in files), newline=False)
        print_diagnostics([d for file in files if not file.before for d in file.remaining], "text", to_stderr=True)
    else:
        print_diagnostics([d for d in left if d.is_error or not quiet], "text")
        if not quiet:
            emit("\n".join(line for file in files for line in summarize(file)))
    sys.exit(1 if any(d.is_error for d in left) else 0)
