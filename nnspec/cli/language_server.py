"""The verb `lsp`: the language server for editors."""

from __future__ import annotations

import sys

import click

from nnspec.cli.options import ALLOW_OUTSIDE
from nnspec.cli.reporting import report_errors
from nnspec.diagnostics.extras import install_command


@click.command()
@click.option(
    "--stdio", is_flag=True, help=("Use standard input and output. Always on; accepted because editors pass it.")
)
@ALLOW_OUTSIDE
@report_errors
def lsp(stdio: bool, allow_outside: bool) -> None:
    """Run the language server (LSP) for editors.

    \b
    nnspec lsp --stdio

    An editor starts it. It shows diagnostics, axes, fixes and documentation while you type, and completes and renames
    names. It writes no file; README has the settings of VS Code, Neovim and Helix.

    Exit codes: 0 when the editor closes it, 2 when pygls is not installed.
    """
    del stdio
    try:
        from nnspec.lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] in ("pygls", "lsprotocol"):
            click.echo(f"`nnspec lsp` needs pygls: {install_command('lsp')}", err=True)
            sys.exit(2)
        raise
    serve(allow_outside=allow_outside)
