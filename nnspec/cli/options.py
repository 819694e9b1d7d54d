"""Options and arguments that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TypeAlias

import click

FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="Output format.")
QUIET = click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
ALLOW_OUTSIDE = click.option(
    "--allow-outside", is_flag=True, help="Allow files outside the spec's folder, and servers that it names."
)
SPEC = click.argument("spec", type=click.Path())


def _parse_overrides(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    overrides = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"`{value}` is not of the form key.path=value, as in vars.lookback=12")
        overrides[path] = text
    return overrides


SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    callback=_parse_overrides,
    help="Override a value of the spec, as in --set vars.lookback=12; can be repeated.",
)


def _parse_axes(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    axes = {}
    for value in values:
        name, equals, text = value.rpartition("=")
        found = tuple(word.strip() for word in text.split(","))
        if not equals or not name or not all(found):
            raise click.BadParameter(f"`{value}` is not of the form INPUT=AXIS,AXIS, as in x=batch,time,feature")
        if len(set(found)) < len(found):
            raise click.BadParameter(f"`{value}` gives two axes the same name")
        axes[name] = found
    return axes


AXES = click.option(
    "--axes",
    multiple=True,
    metavar="INPUT=AXIS,AXIS,…",
    callback=_parse_axes,
    help="Name the axes of an ONNX file's input, the batch too, as in --axes x=batch,time,feature; can be repeated.",
)


Command: TypeAlias = Callable[..., object]  # what click calls for a verb


def out_option(default: str | None = None) -> Callable[[Command], Command]:
    return click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path),
        default=default,
        help="Output directory [default: out/NAME of the spec].",
    )


def default_out(spec: str, out: Path | None) -> Path:
    return out if out is not None else Path("out") / Path(spec).stem


def training_starts(command: Command) -> Command:
    """`--resume` and `--restart`, which a command gets as one argument, `resume`."""

    @wraps(command)
    def with_one(*args: object, resume: bool, restart: bool, **options: object) -> object:
        return command(*args, resume=resume and not restart, **options)

    restart = click.option(
        "--restart", is_flag=True, help="Start again although a checkpoint exists; overrides --resume."
    )
    resume = click.option("--resume", is_flag=True, help="Continue an interrupted run from its last checkpoint.")
    return resume(restart(with_one))
