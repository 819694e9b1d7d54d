"""`nnspec train`: fits the model, evaluates it, and writes the results to a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nnspec.backends.base import TrainingBackend
from nnspec.checks.context import output_slots
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.overview.describe import describe
from nnspec.diagnostics.text import to_text
from nnspec.document.types import JsonObject
from nnspec.expansion import resolved
from nnspec.jobs import artifact
from nnspec.jobs.choosing import with_engine
from nnspec.jobs.dataset import prepare_data
from nnspec.jobs.distribution.distributing import distribute
from nnspec.jobs.folds import final_model, run_folds
from nnspec.jobs.logging import logging_run
from nnspec.jobs.plots import plot_history
from nnspec.jobs.provenance.made_of import describe_data
from nnspec.jobs.run import Run
from nnspec.jobs.settings import engine_of, exporter_of, settings_of
from nnspec.jobs.start import weights_loader
from nnspec.jobs.start_data import notes_of_other_data
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.training.calibration import deployment_of, require_enough
from nnspec.training.evaluate import evaluate, metrics_table
from nnspec.training.logs.run_log import RunLog
from nnspec.training.metrics.outcome import MetricValues
from nnspec.training.metrics.undefined import as_json, without_nan
from nnspec.training.settings import Settings
from nnspec.training.targets import trim_to_batches
from nnspec.training.train import Trained, history_rows, train


def run_training(
    checked: Checked,
    out: Path,
    progress: Progress,
    *,
    resume: bool = False,
    backend: str | TrainingBackend | None = None,
    is_logged: bool = True,
) -> Run:
    """Trains and evaluates; leaves model.keras, history.csv, metrics.json and preprocessing.json, data.json.

    Args:
        resume: goes on where an interrupted training stopped.
        backend: the engine that trains, or its name; default that of the spec.
        is_logged: whether it is logged where the spec says, besides its own files.
    """
    with artifact.staged_directory(out, resume=resume, keep_on_failure=True) as folder:
        chosen: JsonObject = {}
        if backend is None:
            checked, chosen = with_engine(checked, folder / artifact.CHECKPOINT, progress, resume=resume)
        engine = engine_of(checked, backend)
        folds = train_folds(checked, folder, progress, resume=resume, backend=engine)
        checked, dataset = prepare_data(final_model(checked), folder, progress, resume=resume)
        target = exporter_of(checked)
        with logging_run(
            checked, folder, out.name, progress, engine, target, resume=resume, is_logged=is_logged
        ) as log:
            run, _ = train_into(checked, dataset, folder, progress, resume=resume, backend=engine, folds=folds, log=log)
            more = {"data": describe_data(checked, dataset)}
            artifact.write_manifest(checked, folder, engine, target, more, chosen)
    run.folder = out
    return run


def train_folds(
    checked: Checked, folder: Path, progress: Progress, *, resume: bool, backend: TrainingBackend
) -> JsonObject:
    """Trains and evaluates the folds of a spec that has some: their mean metrics, as `run_folds` gives them."""

    def train_fold(fold: Checked, own: Path) -> None:
        ready, dataset = prepare_data(fold, own, progress, resume=resume)
        train_into(ready, dataset, own, progress, resume=resume, backend=backend)

    return run_folds(checked, folder, progress, train_fold, resume=resume)


def train_into(
    checked: Checked,
    dataset: Dataset,
    folder: Path,
    progress: Progress,
    *,
    resume: bool,
    backend: TrainingBackend,
    folds: JsonObject | None = None,
    log: RunLog | None = None,
) -> tuple[Run, Trained]:
    """Trains and evaluates; writes all that a build holds but the deployed model and the manifest.

    Args:
        folds: the mean metrics of folds, which come before those of the splits.
        log: is told of each epoch.
    """
    settings = settings_of(checked)
    sizes = ", ".join(f"{name} {split.size}" for name, split in dataset.splits.items())
    progress.say(f"{checked.graph.name}: {checked.graph.parameters:,} parameters; samples: {sizes}")
    progress.say(f"training by {backend.name} on {', '.join(backend.devices())}")
    for note in dataset.notes:
        progress.say(f"note: {note}")
    assert checked.data is not None
    overview = describe(checked.data, dataset, output_slots(checked.graph))
    if overview.warnings:
        progress.say(to_text(overview.warnings).rstrip())
    if any(dataset.left_out.values()):
        progress.say(f"samples left out because values are missing: {dataset.tell_left_out()}")
    batch = settings["batch_size"] if any(node.is_stateful for node in checked.graph.nodes) else None
    require_enough(checked.graph, dataset, batch)
    for note in notes_of_other_data(checked, dataset.deployment):
        progress.say(f"note: {note}")
    with progress.step("training"):
        is_done = distribute(checked, folder, progress, resume=resume)  # up to what its last checkpoint says
        heard = Progress(quiet=True) if is_done else progress
        initial = weights_loader(checked, progress.say)
        trained = train(
            checked.graph,
            dataset,
            settings,
            folder,
            heard,
            resume=resume or is_done,
            backend=backend,
            initial=initial,
            log=log.epoch if log is not None and log.loggers else None,
        )
    if log is not None:
        for number, row in enumerate(
            trained.history, 1
        ):  # what other processes trained; those that were told are left out
            log.epoch(number, row)
    deployment = deployment_of(checked.graph, dataset, trained.compiled, backend, batch)
    metrics = {**(folds or {}), **_metrics(trained, checked, dataset, deployment, batch, settings, backend)}
    progress.say(f"kept the weights of epoch {trained.best_epoch}\n{metrics_table(checked.graph, metrics)}")
    trained.compiled.model.save(folder / "model.keras")
    artifact.write_text(folder / "history.csv", history_rows(trained.history))
    artifact.write_json(folder / "metrics.json", {split: as_json(outputs) for split, outputs in metrics.items()})
    artifact.write_json(folder / "data.json", without_nan(overview.body))
    artifact.write_json(folder / "preprocessing.json", deployment.to_json())
    artifact.write_text(folder / "spec.yaml", resolved.to_yaml(checked.root))
    plot_history(trained.history, trained.best_epoch, folder / "history.png", progress)
    trained.deployment = deployment
    return Run(folder, metrics, trained.history), trained


def _metrics(
    trained: Trained,
    checked: Checked,
    dataset: Dataset,
    deployment: Deployment,
    batch: int | None,
    settings: Settings,
    backend: TrainingBackend,
) -> dict[str, dict[str, MetricValues]]:
    used = dataset
    if batch is not None:
        splits = {name: trim_to_batches(split, batch, settings.span) for name, split in dataset.splits.items()}
        used = replace(dataset, splits=splits)
    slots = output_slots(checked.graph)
    return evaluate(trained.compiled.model, checked.graph, used, deployment, slots, backend, batch, checked.data)
