"""Servers that a spec names: whoever wrote the spec chose them, so they are asked only where the user allows it.

What a server is told (that somebody checks the spec, parameters, files of a build, the proof of a password) leaves this
machine, and even an address of this machine may be one where asking does something. So the rule is that of files
outside the spec's folder (`paths`), for tables, logs and clusters alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.data.sources.errors import ToldError
from nnspec.diagnostics import Diagnostic, Span
from nnspec.diagnostics.spans import OVERRIDE

CODE = "NN636"
_FIX = "if you trust the spec, allow servers and files outside its folder: `--allow-outside`"


def refuse_server(shown: str) -> ToldError:
    """The error that is raised instead of asking a server of a spec that may name none."""
    return ToldError(CODE, f"the spec names a server, `{shown}`, which is not allowed by default", _FIX)


def check_server(shown: str, span: Span, path: str, *, allow_outside: bool) -> Iterator[Diagnostic]:
    """NN636 where the spec names a server, rather than the user by `--set`, and may name nothing outside its folder."""
    if not allow_outside and span.source.name != OVERRIDE:
        yield refuse_server(shown).diagnostic(span, path)
