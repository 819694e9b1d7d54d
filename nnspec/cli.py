"""The command line: one short function a verb, which parses, calls the pipeline and renders."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from nnspec import __version__

_FORMAT = click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="How to print.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
_OUTSIDE = click.option("--allow-outside", is_flag=True, help="Let data files lie outside the spec's folder.")
_SPEC = click.argument("spec", type=click.Path())


def _parse_overrides(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    overrides = {}
    for value in values:
        path, equals, text = value.partition("=")
        if not equals or not path:
            raise click.BadParameter(f"`{value}` is not of the form key.path=value, as in vars.lookback=12")
        overrides[path] = text
    return overrides


_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="KEY.PATH=VALUE",
    callback=_parse_overrides,
    help="Override a value of the spec, as in --set vars.lookback=12; may be repeated.",
)


def _out(default: str | None = None) -> Callable[..., Any]:
    return click.option(
        "--out",
        "-o",
        type=click.Path(path_type=Path),
        default=default,
        help="Where to write [default: out/NAME of the spec].",
    )


def _default_out(spec: str, out: Path | None) -> Path:
    return out if out is not None else Path("out") / Path(spec).stem


def handled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Errors of the user are printed as diagnostics and end with exit code 1; never a traceback."""

    @wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Any:
        from nnspec.diagnostics import CompilerBug, SpecError

        try:
            return function(*arguments, **options)
        except SpecError as error:
            _print_diagnostics(error.diagnostics, options.get("output", "text"), to_stderr=True)
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


def _print_diagnostics(diagnostics: list[Any], output: str, *, to_stderr: bool = False) -> None:
    from nnspec import render

    if output == "json":
        click.echo(json.dumps(render.to_json(diagnostics), indent=2, ensure_ascii=False))
        return
    stream = sys.stderr if to_stderr else sys.stdout
    text = render.to_text(diagnostics, colour=_colour(stream))
    if text:
        click.echo(text, err=to_stderr, nl=False)


class _Order(click.Group):
    """Verbs in the order in which they are used, not by the alphabet."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=_Order, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nnspec")
def main() -> None:
    """Neural networks from a YAML spec: axes checked by name, trained by Keras, exported to verified ONNX.

    \b
    nnspec check specs/causal_cnn.yaml    what is wrong, before any framework is imported
    nnspec show  specs/causal_cnn.yaml    axes, kernels, parameters and receptive fields, a row a layer
    nnspec build specs/causal_cnn.yaml    check, train, evaluate, export, verify
    nnspec predict out/causal_cnn/model.onnx DATA.csv

    Tab completion: eval "$(_NNSPEC_COMPLETE=bash_source nnspec)" (zsh_source, fish_source).
    """


@main.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path())
@_SET
@_FORMAT
@_QUIET
@_OUTSIDE
@handled
def check(specs: tuple[str, ...], overrides: dict[str, str], output: str, quiet: bool, allow_outside: bool) -> None:
    """Check specs: document, schema, axes, graph and data; no framework is imported.

    Exit code 0 where all are clean (warnings allowed), 1 where there are errors.
    """
    from nnspec.pipeline import diagnose

    found = [d for spec in specs for d in diagnose(spec, overrides, allow_outside=allow_outside)]
    _print_diagnostics(found, output)
    has_errors = any(d.is_error for d in found)
    if output == "text" and not found and not quiet:
        click.echo(f"{', '.join(specs)}: clean")
    sys.exit(1 if has_errors else 0)


@main.command()
@_SPEC
@_SET
@_FORMAT
@_OUTSIDE
@handled
def show(spec: str, overrides: dict[str, str], output: str, allow_outside: bool) -> None:
    """Show a spec's network, a row a layer: axes, weights, parameters with their formula, receptive field."""
    from nnspec import pipeline
    from nnspec import show as rendering

    graph = pipeline.check(spec, overrides, allow_outside=allow_outside, without_data=True).graph
    if output == "json":
        click.echo(json.dumps(rendering.to_json(graph), indent=2, ensure_ascii=False))
    else:
        click.echo(rendering.to_text(graph), nl=False)


@main.command()
@_SPEC
@click.option("--diff", is_flag=True, help="Print a patch and leave the file alone.")
@_QUIET
@handled
def fix(spec: str, diff: bool, quiet: bool) -> None:
    """Apply the machine-applicable fixes to a spec's text; comments and layout stay."""
    from nnspec.fixing import fix_file

    patch, count = fix_file(Path(spec), write=not diff)
    if diff:
        click.echo(patch, nl=False)
    elif not quiet:
        click.echo(f"{spec}: {count} fix{'es' if count != 1 else ''} applied" if count else f"{spec}: nothing to fix")


@main.command()
@click.argument("what", metavar="CODE-or-LAYER")
@handled
def explain(what: str) -> None:
    """Print the documentation of a diagnostic's code (NN301), a layer (Conv1D) or a Keras object (Adam)."""
    from nnspec.explaining import page

    text = page(what)
    if text is None:
        raise click.UsageError(f"there is no code, layer or object `{what}`")
    click.echo(text, nl=False)


@main.command()
@_SPEC
@_out()
@_SET
@click.option("--resume", is_flag=True, help="Go on after an interruption.")
@_QUIET
@_OUTSIDE
@handled
def train(
    spec: str, out: Path | None, overrides: dict[str, str], resume: bool, quiet: bool, allow_outside: bool
) -> None:
    """Train a spec and evaluate it on every split, beside its naive baseline."""
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    from nnspec.build import run_training

    run_training(checked, _default_out(spec, out), Progress(quiet=quiet), resume=resume)


@main.command()
@_SPEC
@_out()
@_SET
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights: model.keras or a .weights.h5 file.")
@click.option("--untrained", is_flag=True, help="Random weights from the spec's seed.")
@_QUIET
@_OUTSIDE
@handled
def export(
    spec: str,
    out: Path | None,
    overrides: dict[str, str],
    weights: Path | None,
    untrained: bool,
    quiet: bool,
    allow_outside: bool,
) -> None:
    """Write model.onnx, model.keras and verify.json from trained weights, once the gate has passed."""
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside, without_data=untrained)
    from nnspec.build import run_export

    run_export(checked, _default_out(spec, out), Progress(quiet=quiet), weights=weights, untrained=untrained)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), help="The Keras model [default: model.keras beside MODEL].")
@_FORMAT
@_QUIET
@handled
def verify(model: Path, weights: Path | None, output: str, quiet: bool) -> None:
    """Put a model through the gate again: ONNX Runtime against Keras on the very weights."""
    from nnspec.build import run_verify
    from nnspec.progress import Progress

    result = run_verify(model, weights, Progress(quiet=quiet or output == "json"))
    if output == "json":
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif not quiet:
        for name, figures in result["outputs"].items():
            click.echo(
                f"{name}: within {figures['max_relative_error']:.2g} of Keras (tolerance {figures['tolerance']:g})"
            )


@main.command()
@_SPEC
@_out()
@_SET
@click.option("--resume", is_flag=True, help="Go on after an interruption.")
@_QUIET
@_OUTSIDE
@handled
def build(
    spec: str, out: Path | None, overrides: dict[str, str], resume: bool, quiet: bool, allow_outside: bool
) -> None:
    """Check, train, evaluate, export and verify: the main job.

    The directory holds model.onnx, model.keras, spec.yaml, history.csv, history.png, metrics.json, verify.json and
    manifest.json. It appears whole or not at all.
    """
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    _print_diagnostics(list(checked.warnings), "text", to_stderr=True)
    from nnspec.build import run_build

    run_build(checked, _default_out(spec, out), Progress(quiet=quiet), resume=resume)


@main.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="A .csv, .json or .npz file [default: lines of JSON]."
)
@handled
def predict(model: Path, data: Path, out: Path | None) -> None:
    """Run a deployed model on DATA (csv, parquet, npy, npz, json, wav), with numpy and onnxruntime alone."""
    from nnspec import runtime
    from nnspec.predict import read_inputs
    from nnspec.predictions import write_predictions

    try:
        predictor = runtime.load(model)
        inputs = read_inputs(data, predictor.metadata)
        write_predictions(predictor(**inputs), predictor.metadata, out)
    except (runtime.InputError, runtime.ModelError, OSError) as error:
        code = "NN706" if isinstance(error, runtime.InputError) else "NN705"
        click.echo(f"error[{code}]: {error}", err=True)
        sys.exit(1)


@main.command()
@click.option("--check", "compare", is_flag=True, help="Compare instead of writing; exit code 1 where they differ.")
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), default=Path("schemas/nnspec.schema.json"), show_default=True
)
@handled
def schema(compare: bool, out: Path) -> None:
    """Write the JSON Schema of specs, for editors and for validation."""
    from nnspec.schema import published_text

    text = published_text()
    if compare:
        current = out.read_text(encoding="utf-8") if out.is_file() else ""
        if current != text:
            click.echo(f"{out} is not up to date: run `nnspec schema`", err=True)
            sys.exit(1)
        click.echo(f"{out} is up to date")
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(f"wrote {out}")


QUICK = {"check", "show", "fix", "explain", "schema"}


def entry() -> None:
    """The console script. Verbs that are over in a moment spare themselves the garbage collector."""
    if len(sys.argv) > 1 and sys.argv[1] in QUICK:
        gc.disable()
    main()


if __name__ == "__main__":
    entry()
