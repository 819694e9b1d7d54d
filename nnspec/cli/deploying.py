"""The verbs of a deployed model: `verify` and `predict`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nnspec.cli.options import FORMAT, QUIET
from nnspec.cli.reporting import emit, report_errors

if TYPE_CHECKING:
    from nnspec.runtime.ports import Metadata
    from nnspec.runtime.samples import Batch


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--weights", type=click.Path(path_type=Path), help="The Keras model [default: model.keras in the folder of MODEL]."
)
@click.option(
    "--second-opinion", is_flag=True, help=("Also convert the Keras model with tf2onnx, and compare the two files.")
)
@click.option(
    "--signed-by",
    "key",
    type=click.Path(path_type=Path),
    help="First verify the signature of the model with this public key.",
)
@click.option(
    "--signature",
    type=click.Path(path_type=Path),
    help="The signature [default: MODEL.sig, else model.sig in the folder of MODEL].",
)
@click.option("--signature-only", is_flag=True, help="Only verify the signature; do not compare with Keras.")
@FORMAT
@QUIET
@report_errors
def verify(
    model: Path,
    weights: Path | None,
    second_opinion: bool,
    key: Path | None,
    signature: Path | None,
    signature_only: bool,
    output: str,
    quiet: bool,
) -> None:
    """Verify an exported model against Keras.

    \b
    nnspec verify out/causal_cnn/model.onnx
    nnspec verify out/causal_cnn/model.onnx --second-opinion
    nnspec verify out/causal_cnn/model.onnx --signed-by key.pub --signature-only

    Runs MODEL (.onnx) and the Keras model with the same weights, prints the largest relative error and the tolerance of
    every output, and writes no file. --second-opinion also converts the Keras model with tf2onnx, and prints nodes,
    operators, errors and latency of both files, or the reason why tf2onnx fails. --signed-by checks a signature by
    `nnspec sign` before anything of MODEL is loaded.

    Exit codes: 0 when the outputs agree, 1 when they differ, the signature does not match (NN630) or a file cannot be
    used, 2 on a wrong command line.
    """
    if key is None and (signature is not None or signature_only):
        raise click.UsageError("a signature is checked with `--signed-by KEY`")
    if key is not None:
        from nnspec.jobs.provenance.signing import check_signature

        target, count = check_signature(model, key, signature)
        if not quiet and output == "text":
            files = f", {count} files" if target.is_dir() else ""
            click.echo(f"{Path(os.path.abspath(target)).name}{files}: signed by {key.name}")
        if signature_only:
            if output == "json":
                click.echo(json.dumps({"signed": str(target), "files": count}))
            return
    from nnspec.jobs import run_verify
    from nnspec.progress import Progress

    progress = Progress(quiet=quiet or output == "json")
    result = run_verify(model, weights, progress, second_opinion=second_opinion)
    if output == "json":
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif not quiet:
        for name, measured in result["outputs"].items():
            click.echo(
                f"{name}: within {measured['max_relative_error']:.2g} of Keras (tolerance {measured['tolerance']:g})"
            )
    if second_opinion and output == "text":
        from nnspec.cli.second_opinion import render

        emit(render(result["second_opinion"]))


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option(
    "--out",
    "-o",
    type=click.Path(path_type=Path),
    help=("A .csv, .json, .jsonl or .npz file [default: JSON lines on standard output]."),
)
@click.option(
    "--tables",
    multiple=True,
    metavar="NAME=FILE",
    help="An additional table for the query that the model was trained on; DATA is then its table `source`.",
)
@click.option(
    "--query", is_flag=True, help="Run the model's query on DATA as its table `source`; `--tables` implies it."
)
@click.option(
    "--keep",
    multiple=True,
    metavar="COLUMN",
    help="A column of the table, such as an id, to write next to the predictions.",
)
@report_errors
def predict(
    model: Path, data: Path, out: Path | None, tables: tuple[str, ...], query: bool, keep: tuple[str, ...]
) -> None:
    """Predict with a deployed model on a data file.

    \b
    nnspec predict out/causal_cnn/model.onnx new.csv
    nnspec predict out/causal_cnn/model.onnx new.csv --out predictions.csv
    nnspec predict out/churn/model.onnx customers.csv --keep customer_id

    DATA has the columns or arrays of training: a table (.csv, .tsv, .json, .jsonl, .parquet, .arrow, SQLite; also
    .csv.gz), arrays (.npy, .npz) or audio (.wav). Of a model that was trained on images, clips or text files it is
    one of them, a folder of them, or a table with a column of their paths. Prints one line of
    JSON per sample, or writes the file of --out. Rows are read in the order of training (sorted by time within each
    series), and the columns of that order are printed with the predictions. Needs only numpy and onnxruntime. A
    stateful model carries its state from sample to sample as in training; it is zero before the first. A model with
    `recursive` forecasts that many rows, feeding its outputs back. Samples that training left out for a missing value
    (`missing: drop`) are written without a prediction.
    Of a model that was trained on a query, DATA has rows of the query's result, unless --tables or --query are given.

    Exit codes: 0 when predicted, 1 when MODEL or DATA cannot be used, 2 on a wrong command line.
    """
    from nnspec import runtime
    from nnspec.diagnostics.unwritable import telling_unwritable, unwritable
    from nnspec.runtime.files import batches_of
    from nnspec.runtime.reading import read_parts
    from nnspec.runtime.recursive import Recursion
    from nnspec.runtime.writing import write_batches

    try:
        predictor = runtime.load(model)
        recursion = Recursion.from_metadata(predictor.metadata)
        metadata = predictor.metadata if recursion is None else recursion.metadata(predictor.metadata)
        metadata = {**metadata, "keep": keep}
        parts = read_parts(data, metadata, _tables(tables) if tables or query else None)
        for note in parts.notes:
            click.echo(f"note: {note}", err=True)
        if predictor.states:
            size = predictor.metadata.get("state_batch") or 1
            click.echo(
                f"note: this model is stateful: it takes samples in order, {size} at a time, and "
                "carries its state to the next",
                err=True,
            )
        strange: list[int] = []
        with telling_unwritable(out) if out is not None else nullcontext():
            predict = predictor.over if recursion is None else predictor.forecasts
            write_batches(_note_missing(batches_of(predict, parts, metadata), metadata, strange), metadata, out)
        sys.stdout.flush()
        for note in parts.closing:
            click.echo(f"note: {note}", err=True)
        if strange:
            first = f"sample {strange[0]}"
            many = f"{len(strange)} samples, {first} the first" if strange[1:] else first
            why = "as for a value outside the domain of a transform (`log` of 0)"
            click.echo(f"note: no prediction for {many}: the output of the model is not a number, {why}", err=True)
    except BrokenPipeError:  # whoever read the lines has enough of them
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.filename is None:
            raise unwritable(error, Path("standard output")) from None
        reason = (error.strerror or str(error)).lower()
        click.echo(f"error[NN706]: `{error.filename}` cannot be read: {reason}", err=True)
        sys.exit(1)
    except (runtime.InputError, runtime.ModelError) as error:
        code = "NN706" if isinstance(error, runtime.InputError) else "NN705"
        click.echo(f"error[{code}]: {error}", err=True)
        sys.exit(1)


def _note_missing(batches: Iterable[Batch], metadata: Metadata, strange: list[int]) -> Iterator[Batch]:
    """Batches, noting which samples, from 1, have no number though they are complete."""
    from nnspec.runtime.samples import count_samples, strange_samples

    done = 0
    for batch in batches:
        found = strange_samples(batch.outputs, metadata).tolist()
        strange += [done + place + 1 for place in found if batch.gone is None or not batch.gone[place]]
        done += count_samples(batch.outputs, metadata)
        yield batch


def _tables(given: tuple[str, ...]) -> dict[str, Path]:
    """The files of `--tables NAME=FILE`, by name."""
    found: dict[str, Path] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign or not name or not path:
            raise click.UsageError(f"`--tables {text}` is not NAME=FILE")
        found[name] = Path(path)
    return found
