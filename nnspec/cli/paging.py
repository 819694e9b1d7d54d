"""The verb `page`: a deployed model as a page for the browser."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from nnspec.cli.options import QUIET
from nnspec.cli.reporting import report_errors


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--out", "-o", type=click.Path(path_type=Path), help="The page to write [default: the name of MODEL with .html]."
)
@click.option(
    "--runtime",
    "given",
    type=click.Path(path_type=Path),
    help="A folder with the files of onnxruntime-web, or its npm tarball, if the npm registry cannot be reached.",
)
@click.option(
    "--sample",
    "data",
    type=click.Path(path_type=Path),
    help="A data file whose first sample is filled in [default: the sample of interface.json next to MODEL].",
)
@QUIET
@report_errors
def page(model: Path, out: Path | None, given: Path | None, data: Path | None, quiet: bool) -> None:
    """Write one HTML page that runs a deployed model in the browser.

    \b
    nnspec page out/titanic/model.onnx
    nnspec page out/mnist_cnn/model.onnx --out digits.html
    nnspec page out/lstm/model.onnx --sample specs/data/jfk_weather_2013.csv
    nnspec page out/lstm/model.onnx --runtime onnxruntime-web-1.30.0.tgz

    Writes a page with the model and ONNX Runtime for browsers, and prints its size: it opens from disk, needs no
    network, and sends nothing anywhere. It has a field for each input (numbers, choices, dates, text, images to load
    or draw, sound, rows of a table for windows) with a sample filled in, and takes files of many samples as `nnspec
    predict` does. It shows classes with probabilities, values, quantiles and scores with their thresholds.
    onnxruntime-web is fetched once from npm's registry, compared with its hash, and kept in the user's cache.

    Exit codes: 0 when written, 1 when MODEL or the runtime cannot be used, 2 on a wrong command line.
    """
    from nnspec import runtime
    from nnspec.diagnostics.unwritable import telling_unwritable
    from nnspec.page.web_runtime import RuntimeUnavailable, find_runtime
    from nnspec.page.writing import LARGEST, find_sample, first_of, write_page
    from nnspec.runtime.reading import read_samples

    target = out or model.with_suffix(".html")
    try:
        predictor = runtime.load(model)
        sample = find_sample(model, predictor)
        if data is not None:
            read = read_samples(data, predictor.metadata)
            sample = {name: first_of(predictor, name, values) for name, values in read.take(slice(0, 1)).items()}
        found = find_runtime(given)
        with telling_unwritable(target):
            written = write_page(model, predictor, found, target, sample)
    except RuntimeUnavailable as error:
        click.echo(f"error[NN624]: {error}", err=True)
        sys.exit(1)
    except (runtime.InputError, runtime.ModelError) as error:
        code = "NN706" if isinstance(error, runtime.InputError) else "NN705"
        click.echo(f"error[{code}]: {error}", err=True)
        sys.exit(1)
    if not quiet:
        parts = f"model {written.model / 2**20:.1f} MiB, runtime {written.runtime / 2**20:.1f} MiB"
        click.echo(f"wrote {written.path}: {written.size / 2**20:.1f} MiB ({parts}); open it in a browser")
        if written.size > LARGEST:
            click.echo(f"note: pages of more than {LARGEST // 2**20} MiB take a while to open", err=True)
