"""Verbs that make something of a spec: train, export, build."""

from __future__ import annotations

from pathlib import Path

import click

from nnspec.cli.options import ALLOW_OUTSIDE, QUIET, SET, SPEC, default_out, out_option
from nnspec.cli.reporting import handled, print_diagnostics


@click.command()
@SPEC
@out_option()
@SET
@click.option("--resume", is_flag=True, help="Go on after an interruption.")
@QUIET
@ALLOW_OUTSIDE
@handled
def train(
    spec: str, out: Path | None, overrides: dict[str, str], resume: bool, quiet: bool, allow_outside: bool
) -> None:
    """Train a spec and evaluate it on every split, beside its naive baseline."""
    from nnspec import pipeline
    from nnspec.progress import Progress

    checked = pipeline.check(spec, overrides, allow_outside=allow_outside)
    from nnspec.jobs import run_training

    run_training(checked, default_out(spec, out), Progress(quiet=quiet), resume=resume)


@click.command()
@SPEC
@out_option()
@SET
@click.option("--weights", type=click.Path(path_type=Path), help="Trained weights: model.keras or a .weights.h5 file.")
@click.option("--untrained", is_flag=True, help="Random weights from the spec's seed.")
@QUIET
@ALLOW_OUTSIDE
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
    """Write model.onnx from trained weights, once it gives what Keras gives.

    The directory holds model.onnx, model.keras with the very weights, verify.json and what `nnspec verify` needs.
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
@click.option("--resume", is_flag=True, help="Go on after an interruption.")
@QUIET
@ALLOW_OUTSIDE
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
    print_diagnostics(list(checked.warnings), "text", to_stderr=True)
    from nnspec.jobs import run_build

    run_build(checked, default_out(spec, out), Progress(quiet=quiet), resume=resume)
