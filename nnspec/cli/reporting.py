"""What every verb does with diagnostics: print them, as text or as JSON, and end with the right exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click


def handled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Errors of the user are printed as diagnostics and end with exit code 1; never a traceback."""

    @wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        from nnspec.diagnostics import CompilerBug, SpecError

        try:
            return function(*arguments, **options)
        except SpecError as error:
            print_diagnostics(error.diagnostics, options.get("output", "text"), to_stderr=True)
            sys.exit(1)
        except CompilerBug as error:
            click.echo(
                f"internal error: {error}\nThis is a fault of nnspec, not of your spec. Please report it.", err=True
            )
            sys.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted; `--resume` goes on where training stopped", err=True)
            sys.exit(130)

    return wrapper


def _colour(stream: Any) -> bool:
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR")


def print_diagnostics(diagnostics: list[Any], output: str, *, to_stderr: bool = False) -> None:
    from nnspec import render

    if output == "json":
        click.echo(json.dumps(render.to_json(diagnostics), indent=2, ensure_ascii=False))
        return
    stream = sys.stderr if to_stderr else sys.stdout
    text = render.to_text(diagnostics, colour=_colour(stream))
    if text:
        click.echo(text, err=to_stderr, nl=False)
