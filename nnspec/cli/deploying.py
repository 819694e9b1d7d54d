"""Verbs that take a deployed model: verify, predict."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from nnspec.cli.options import FORMAT, QUIET
from nnspec.cli.reporting import emit, handled


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--weights", type=click.Path(path_type=Path), help="The Keras model [default: model.keras beside MODEL].")
@click.option("--second-opinion", is_flag=True, help="Convert the Keras model by tf2onnx too, and show both files.")
@FORMAT
@QUIET
@handled
def verify(model: Path, weights: Path | None, second_opinion: bool, output: str, quiet: bool) -> None:
    """Compare a model with Keras again: ONNX Runtime on the very weights.

    With --second-opinion the Keras model is converted by tf2onnx as a whole: nodes, operators, largest differences
    (relative) and latency of both files stand side by side. Where tf2onnx fails, its reason is told.
    """
    from nnspec.jobs import run_verify
    from nnspec.progress import Progress

    progress = Progress(quiet=quiet or output == "json")
    result = run_verify(model, weights, progress, second_opinion=second_opinion)
    if output == "json":
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif not quiet:
        for name, figures in result["outputs"].items():
            click.echo(
                f"{name}: within {figures['max_relative_error']:.2g} of Keras (tolerance {figures['tolerance']:g})"
            )
    if second_opinion and output == "text":
        from nnspec.cli.second_opinion import render

        emit(render(result["second_opinion"]))


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="A .csv, .json or .npz file [default: lines of JSON]."
)
@handled
def predict(model: Path, data: Path, out: Path | None) -> None:
    """Run a deployed model on a data file, with numpy and onnxruntime alone.

    DATA is a .csv, .parquet, .npy, .npz, .json or .wav file. A stateful model reads its rows in order, its state
    carried as in training and cleared before the first.
    """
    from nnspec import runtime
    from nnspec.runtime.reading import read_inputs
    from nnspec.runtime.writing import write_predictions

    try:
        predictor = runtime.load(model)
        inputs = read_inputs(data, predictor.metadata)
        if predictor.states:
            size = predictor.metadata.get("state_batch") or 1
            click.echo(
                f"note: stateful: samples in order, {size} at a time, each going on from the one before", err=True
            )
        write_predictions(predictor.in_order(**inputs), predictor.metadata, out)
    except (runtime.InputError, runtime.ModelError, OSError) as error:
        code = "NN706" if isinstance(error, runtime.InputError) else "NN705"
        click.echo(f"error[{code}]: {error}", err=True)
        sys.exit(1)
