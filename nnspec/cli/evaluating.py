"""The verb that scores a deployed model: `evaluate`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from nnspec.cli.options import FORMAT
from nnspec.cli.reporting import report_errors


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--by", metavar="COLUMN", help="Also score each group of samples with the same value in COLUMN.")
@click.option("--threshold", type=float, help="The threshold of binary and multilabel outputs [default: the model's].")
@click.option("--out", "-o", type=click.Path(path_type=Path), help="Also write the metrics to a JSON file.")
@FORMAT
@report_errors
def evaluate(model: Path, data: Path, by: str | None, threshold: float | None, out: Path | None, output: str) -> None:
    """Score a deployed model on a labelled data file.

    \b
    nnspec evaluate out/lstm/model.onnx next_year.csv
    nnspec evaluate out/churn/model.onnx new.csv --by country --threshold 0.3
    nnspec evaluate out/digits/model.onnx new.npz --format json

    DATA is what `nnspec predict` reads, with the columns or arrays of the targets: labels as words, numbers in their
    original units, masks in a folder beside that of the images. Prints what metrics.json has for a split: the metrics
    of the spec and those of the task, for each class, step and column, beside the naive baseline of the training rows.
    Samples without a target are left out, and counted. Needs only numpy, onnxruntime and scikit-learn.

    Choose --threshold on data other than those that are scored with it: there the metrics would be too good.

    Exit codes: 0 when scored, 1 when MODEL or DATA cannot be used, 2 on a wrong command line.
    """
    from nnspec import runtime
    from nnspec.diagnostics.unwritable import telling_unwritable
    from nnspec.evaluation.evaluate import evaluate_file
    from nnspec.evaluation.render import render
    from nnspec.runtime.whole_files import write_whole
    from nnspec.training.metrics.undefined import as_json, without_nan

    try:
        found = evaluate_file(runtime.load(model), data, threshold=threshold, by=by)
        told = without_nan({**found, "outputs": as_json(found["outputs"])})
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False)
        if out is not None:
            with telling_unwritable(out):
                write_whole(out, f"{text}\n")
        click.echo(text if output == "json" else render(data.name, found))
    except (runtime.InputError, runtime.ModelError, OSError) as error:
        code = "NN706" if isinstance(error, runtime.InputError) else "NN705"
        click.echo(f"error[{code}]: {error}", err=True)
        sys.exit(1)
