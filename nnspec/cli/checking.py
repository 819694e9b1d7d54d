"""Verbs that look for faults in a spec and mend them: check, fix."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, FORMAT, QUIET, SET, SPEC
from nnspec.cli.reporting import handled, print_diagnostics


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path())
@SET
@FORMAT
@QUIET
@ALLOW_OUTSIDE
@handled
def check(specs: tuple[str, ...], overrides: dict[str, str], output: str, quiet: bool, allow_outside: bool) -> None:
    """Check specs: document, schema, axes, graph and data; no framework is imported.

    Exit code 0 where all are clean (warnings allowed), 1 where there are errors.
    """
    from nnspec.pipeline import diagnose

    found = [d for spec in specs for d in diagnose(spec, overrides, allow_outside=allow_outside)]
    print_diagnostics(found, output)
    has_errors = any(d.is_error for d in found)
    if output == "text" and not found and not quiet:
        click.echo(f"{', '.join(specs)}: clean")
    sys.exit(1 if has_errors else 0)


@click.command()
@SPEC
@click.option("--diff", is_flag=True, help="Print a patch and leave the file alone.")
@QUIET
@handled
def fix(spec: str, diff: bool, quiet: bool) -> None:
    """Apply the machine-applicable fixes to a spec's text; comments and layout stay."""
    from nnspec.fixing import fix_file

    patch, count = fix_file(Path(spec), write=not diff)
    if diff:
        click.echo(patch, nl=False)
    elif not quiet:
        click.echo(f"{spec}: {count} fix{'es' if count != 1 else ''} applied" if count else f"{spec}: nothing to fix")
