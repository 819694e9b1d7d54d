"""The verb `cache`: the prepared columns of large tables."""

from __future__ import annotations

import json

import click

from nnspec.cli.options import FORMAT
from nnspec.cli.reporting import emit, report_errors


@click.command()
@click.option("--clear", is_flag=True, help="Remove all entries.")
@FORMAT
@report_errors
def cache(clear: bool, output: str) -> None:
    """Show the cache of prepared columns, or clear it.

    \b
    nnspec cache
    nnspec cache --clear

    Tables of more than 64 MiB are read once into mapped files, which all runs share; changed files are read again.
    Above NNSPEC_CACHE_SIZE GB (32) the least recently used entries are removed. NNSPEC_CACHE names another folder. What
    a running process reads stays until it ends. Prints the folder, how much it holds, and each entry.

    Exit codes: 0 when shown or cleared, 2 on a wrong command line.
    """
    from datetime import UTC, datetime

    from nnspec.data.arrays import cache as columns

    found = list(columns.entries())
    size = sum(entry.size for entry in found)
    if clear:
        columns.clear()
    if output == "json":
        entries = [{"name": entry.path.name, "bytes": entry.size, "used": entry.used} for entry in found]
        body = {"folder": str(columns.columns_folder()), "bytes": size, "cleared": clear, "entries": entries}
        emit(json.dumps(body, indent=2))
        return
    count = "1 entry" if len(found) == 1 else f"{len(found)} entries"
    if clear:
        emit(f"removed {count}, {size / 1e9:.2f} GB, from {columns.columns_folder()}")
        return
    emit(f"{columns.columns_folder()}: {count}, {size / 1e9:.2f} of {columns.bound() / 1e9:g} GB")
    for entry in found:
        used = datetime.fromtimestamp(entry.used, UTC).strftime("%Y-%m-%d %H:%M")
        emit(f"{entry.path.name}  {entry.size / 1e9:8.3f} GB  used {used} UTC")
