"""`nnspec build`: everything from data to a verified file."""

from __future__ import annotations

import time
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.diagnostics import SpecError
from nnspec.document.types import JsonObject
from nnspec.jobs import artifact
from nnspec.jobs.choosing import with_engine
from nnspec.jobs.dataset import prepare_data
from nnspec.jobs.exporting import write_model
from nnspec.jobs.folds import final_model
from nnspec.jobs.logging import logging_run
from nnspec.jobs.provenance.bill_of_materials import write_bill
from nnspec.jobs.provenance.made_of import describe_data
from nnspec.jobs.reporting import report_build
from nnspec.jobs.run import Run
from nnspec.jobs.settings import engine_of, exporter_of
from nnspec.jobs.training import train_folds, train_into
from nnspec.pipeline import Checked
from nnspec.progress import Progress


def run_build(
    checked: Checked,
    out: Path,
    progress: Progress,
    *,
    resume: bool = False,
    backend: str | TrainingBackend | None = None,
    exporter: str | ExportBackend | None = None,
    is_logged: bool = True,
    is_kept: bool = True,
) -> Run:
    """Check is done; train, evaluate, export, verify.

    Args:
        resume: goes on where an interrupted build stopped.
        backend: the engine that trains, or its name; default that of the spec.
        exporter: the format of the deployed model, or its name; default that of the spec.
        is_logged: whether the training is logged where the spec says, besides the build.
        is_kept: whether the folder stays, so that it is worth telling where it is.

    Raises:
        SpecError: NN617, once all else is written, where a variant is refused.
    """
    target = exporter_of(checked, exporter)
    started = time.time()
    with artifact.staged_directory(out, resume=resume, keep_on_failure=True) as folder:
        chosen: JsonObject = {}
        if backend is None:
            checked, chosen = with_engine(checked, folder / artifact.CHECKPOINT, progress, resume=resume)
        engine = engine_of(checked, backend)
        folds = train_folds(checked, folder, progress, resume=resume, backend=engine)
        checked, dataset = prepare_data(final_model(checked), folder, progress, resume=resume)
        with logging_run(
            checked, folder, out.name, progress, engine, target, resume=resume, is_logged=is_logged
        ) as log:
            run, trained = train_into(
                checked, dataset, folder, progress, resume=resume, backend=engine, folds=folds, log=log
            )
            made_of = describe_data(checked, dataset)
            run.verification, refused = write_model(
                checked,
                trained.compiled,
                trained.deployment,
                dataset,
                folder,
                progress,
                engine=engine,
                exporter=target,
                made_of=made_of,
            )
            with progress.step("report"):
                report_build(checked, run, trained, dataset, folder, engine, target, made_of)
                write_bill(checked, run, made_of, folder, engine, target)
            seconds = round(time.time() - started, 1)
            more = {"build_seconds": seconds, "best_epoch": trained.best_epoch, "data": made_of}
            artifact.write_manifest(checked, folder, engine, target, more, chosen)
    run.folder, run.file = out, f"model{target.suffix}"
    if is_kept:
        progress.say(f"wrote {out}")
    if refused:
        raise SpecError(refused)
    return run
