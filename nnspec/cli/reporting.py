"""Printing of diagnostics as text, JSON or SARIF, and exit codes; shared by all verbs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from nnspec.diagnostics import Diagnostic


RESERVE = 1 << 23  # bytes of address space, for the modules that are imported to say that there is no more


def report_errors(function: Callable[..., object]) -> Callable[..., object]:
    """Errors of the user are printed as diagnostics and end with exit code 1; never a traceback."""

    @wraps(function)
    def wrapper(*arguments: object, **options: object) -> object:
        from nnspec.diagnostics import CompilerBug, SpecError

        reserve = bytearray(RESERVE)
        try:
            return function(*arguments, **options)
        except SpecError as error:
            print_diagnostics(error.diagnostics, str(options.get("output", "text")), to_stderr=True)
            sys.exit(1)
        except CompilerBug as error:
            click.echo(
                f"internal error: {error}\nThis is a bug in nnspec, not in your spec. Please report it.", err=True
            )
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted; `--resume` continues where training stopped", err=True)
            sys.exit(130)
        except Exception as error:
            from nnspec.diagnostics.memory import out_of_memory

            found = out_of_memory(error)
            if found is None:
                raise
            del reserve
            print_diagnostics(found.diagnostics, str(options.get("output", "text")), to_stderr=True)
            sys.exit(1)

    return wrapper


def wants_colour(stream: TextIO) -> bool:
    """A terminal has colours, a pipe none; NO_COLOR and then FORCE_COLOR (CLICOLOR_FORCE) have the last word."""
    environment = os.environ
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return bool(stream.isatty()) and environment.get("TERM") != "dumb"


def emit(text: str, *, to_stderr: bool = False, newline: bool = True, colour: bool = False) -> None:
    """Prints what the stream's encoding can say, with a `?` for the rest: a name may hold anything."""
    stream = sys.stderr if to_stderr else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), err=to_stderr, nl=newline, color=colour or None)


def print_diagnostics(diagnostics: list[Diagnostic], output: str, *, to_stderr: bool = False) -> None:
    """Diagnostics as `text`, `json` or `sarif`."""
    if output == "text" and not diagnostics:
        return
    if output == "text":
        from nnspec.diagnostics.text import to_text

        colour = wants_colour(sys.stderr if to_stderr else sys.stdout)
        text = to_text(diagnostics, colour=colour)
        if text:
            emit(text, to_stderr=to_stderr, newline=False, colour=colour)
        return
    from nnspec.diagnostics.sarif import to_sarif
    from nnspec.diagnostics.text import to_json

    rendered = to_sarif(diagnostics) if output == "sarif" else to_json(diagnostics)
    emit(json.dumps(rendered, indent=2, ensure_ascii=False))
