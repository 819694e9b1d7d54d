"""Checks where a training is logged."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.data.sources.servers import check_server
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.document import to_plain
from nnspec.training.logs.place import log_places


def check_logs(context: Context) -> Iterator[Diagnostic]:
    """NN626 for a place that is no folder below the spec's and no server, NN636 for a server, NN612 for no package."""
    section = context.node("training", "log")
    plain = None if section is None else to_plain(section)
    for place in log_places(plain if isinstance(plain, dict) else None):
        span, path = context.span("training", "log", place.kind), f"training.log.{place.kind}"
        if place.fault:
            fix = Fix(f"name a folder below the spec's: `log: {{{place.kind}: runs}}`")
            yield Diagnostic("NN626", f"cannot log to {place.kind}: {place.fault}", span, path=path, fixes=(fix,))
            continue
        if place.is_server:
            yield from check_server(place.text, span, path, allow_outside=context.allow_outside)
        if not is_installed(place.kind):
            message = f"`log: {{{place.kind}: …}}` needs the package {place.kind}, which is not installed"
            fixes = (Fix(install_command(place.kind)), Fix("or remove the key: history.csv has every epoch"))
            yield Diagnostic("NN612", message, span, path=path, fixes=fixes)
