"""The verb for editors: lsp."""

from __future__ import annotations

import sys

import click

from nnspec.cli.reporting import handled
from nnspec.diagnostics.extras import install_command


@click.command()
@click.option("--stdio", is_flag=True, help="Speak over standard input and output, which is the only way there is.")
@handled
def lsp(stdio: bool) -> None:
    """Serve an editor by the Language Server Protocol.

    It shows diagnostics, axes, fixes and documentation while one types, and completes and renames names.
    """
    del stdio
    try:
        from nnspec.lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] in ("pygls", "lsprotocol"):
            click.echo(f"`nnspec lsp` needs pygls: {install_command('lsp')}", err=True)
            sys.exit(2)
        raise
    serve()
