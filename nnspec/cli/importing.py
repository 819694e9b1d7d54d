"""The verb `import`: convert a Keras model to a spec."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nnspec.cli.options import FORMAT, QUIET
from nnspec.cli.reporting import report_errors


@click.command("import")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), default=Path(), help="Output directory [default: the current one]."
)
@click.option("--name", help="Name of the two files [default: the name of MODEL].")
@click.option("--blocks", type=click.Path(path_type=Path), help="File that defines custom classes as blocks.")
@click.option("--flat", is_flag=True, help="Write out every layer, without blocks and repeats.")
@FORMAT
@QUIET
@report_errors
def import_(
    model: Path, out: Path, name: str | None, blocks: Path | None, flat: bool, output: str, quiet: bool
) -> None:
    """Convert a Keras model (MODEL.keras) to a spec with named axes.

    \b
    nnspec import model.keras
    nnspec show   model.yaml
    nnspec export model.yaml --weights model.weights.h5 --out out/model

    Writes NAME.yaml and NAME.weights.h5, and NAME.npz for long constants. Reads Functional and Sequential models of
    Keras' own layers, and of custom classes by --blocks; no code in the files is run. Repeated structure becomes blocks
    and repeats where that is exact.
    Before anything is written, the spec is compiled and its outputs are compared with the model's.

    Exit codes: 0 when written, 1 when the model cannot be expressed as a spec, 2 on a wrong command line.
    """
    from nnspec.progress import Progress

    progress = Progress(quiet=quiet or output == "json")
    from nnspec.importers.keras.importer import import_file

    made = import_file(model, out, progress, name=name, fold=not flat, blocks=blocks)
    if output == "json":
        result = {
            "spec": str(made.spec),
            "weights": str(made.weights),
            "tables": str(made.tables) if made.tables is not None else None,
            "layers": made.layers,
            "lines": made.lines,
            "parameters": made.graph.parameters,
            "max_relative_error": made.error,
            "notes": list(made.notes),
        }
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif not quiet:
        click.echo(
            f"{made.spec}: {made.layers} layers in {made.lines} lines, {made.graph.parameters:,} parameters\n"
            f"{made.weights}: with these weights, the spec gives the model's outputs within {made.error:.2g} (relative)"
        )
        if made.tables is not None:
            click.echo(f"{made.tables}: the model's constants, which the spec reads")
        for note in made.notes:
            click.echo(f"note: {note}")
