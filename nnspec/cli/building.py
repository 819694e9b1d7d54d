"""The verbs `train`, `export` and `build`."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, QUIET, SET, SPEC, default_out, out_option, training_starts
from nnspec.cli.reporting import print_diagnostics, report_errors


@click.command()
@SPEC
@out_option()
@SET
@training_starts
@QUIET
@ALLOW_OUTSIDE
@report_errors
def train(
    spec: str, out: Path | None, overrides: dict[str, str], resume: bool, quiet: bool, allow_outside: bool
) -> None:
    """Train a spec and compare it with a naive baseline.

    \b
    nnspec train specs/causal_cnn.yaml
    nnspec train specs/causal_cnn.yaml --set training.epochs=5 --out out/short

    Writes model.keras, spec.yaml, history.csv, history.png, metrics.json (every split, and the baseline),
    preprocessing.json, data.json (the data as trained on) and manifest.json to the output directory. --resume continues
    from the last checkpoint of an interrupted training, to the same weights.

    Exit codes: 0 when trained, 1 on an error in the spec or its data, 2 on a wrong command line, 130 when interrupted.
    """
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    from nnspec.jobs import run_training

    run_training(checked, default_out(spec, out), Progress(quiet=quiet), resume=resume)


@click.command()
@SPEC
@out_option()
@SET
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights: a model.keras or .weights.h5 file.")
@click.option("--untrained", is_flag=True, help="Export random weights, drawn with the spec's seed.")
@QUIET
@ALLOW_OUTSIDE
@report_errors
def export(
    spec: str,
    out: Path | None,
    overrides: dict[str, str],
    weights: Path | None,
    untrained: bool,
    quiet: bool,
    allow_outside: bool,
) -> None:
    """Export trained weights to model.onnx and verify it.

    \b
    nnspec export specs/causal_cnn.yaml --weights out/causal_cnn/model.keras
    nnspec export specs/causal_cnn.yaml --untrained

    Writes model.onnx, interface.json for those who use it, model.keras with the same weights, preprocessing.json,
    spec.yaml, verify.json and manifest.json to the output directory, and nothing if ONNX Runtime and Keras differ.

    Exit codes: 0 when exported and verified, 1 on an error, 2 on a wrong command line.
    """
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside, without_data=untrained)
    from nnspec.jobs import run_export

    run_export(checked, default_out(spec, out), Progress(quiet=quiet), weights=weights, untrained=untrained)


@click.command()
@SPEC
@out_option()
@SET
@training_starts
@click.option(
    "--sign", "key", type=click.Path(path_type=Path), help="Sign the directory with this private key (`nnspec sign`)."
)
@QUIET
@ALLOW_OUTSIDE
@report_errors
def build(
    spec: str,
    out: Path | None,
    overrides: dict[str, str],
    resume: bool,
    key: Path | None,
    quiet: bool,
    allow_outside: bool,
) -> None:
    """Check, train, evaluate, export and verify: the main job.

    \b
    nnspec build specs/causal_cnn.yaml
    nnspec build specs/causal_cnn.yaml --resume

    Writes to the output directory, all or none of them: report.html to look at; model.onnx, and interface.json and
    MODEL_CARD.md for those who use it; model.keras; metrics.json, verify.json, history.csv and history.png; spec.yaml,
    data.json, preprocessing.json, manifest.json and bom.cdx.json, which say what it was made of.

    Checkpoints are written at the ends of epochs, and with `training: {checkpoint: {steps: 500}}` after every 500
    steps; --resume continues from the last one, and gives the same model.onnx as an undisturbed build. Once the
    training is done it does not train again.

    Exit codes: 0 when built and verified, 1 on an error in the spec, its data or the export, 2 on a wrong command
    line, 130 when interrupted.
    """
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    print_diagnostics(list(checked.warnings), "text", to_stderr=True)
    from nnspec.jobs import run_build

    progress = Progress(quiet=quiet)
    run = run_build(checked, default_out(spec, out), progress, resume=resume)
    if key is not None:
        from nnspec.jobs.provenance.signing import sign

        progress.say(f"wrote {sign(run.folder, key)}")
