"""`report.html` of a build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.keras.model import predict, reset_states
from nnspec.backends.versions import versions
from nnspec.data.dataset import Dataset
from nnspec.document import to_plain
from nnspec.jobs import artifact
from nnspec.jobs.run import Run
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked
from nnspec.report.outcome import Outcome, first_samples, outcomes_of, shown_split
from nnspec.report.page import Results, write_report
from nnspec.training.train import Trained

_HASHED = ("model.onnx", "spec.yaml")  # model.keras is an archive with times in it


def report_build(
    checked: Checked,
    run: Run,
    trained: Trained,
    dataset: Dataset,
    folder: Path,
    engine: TrainingBackend,
    exporter: ExportBackend,
) -> None:
    """Writes the page from what the build has made so far."""
    described = checked.root.get("description")
    write_report(
        folder / "report.html",
        Results(
            graph=checked.graph,
            description=str(to_plain(described)) if described is not None else "",
            dataset=dataset,
            outcomes=_outcomes(checked, trained, dataset, engine),
            is_in_order=checked.data is not None and checked.data.split.is_chronological,
            metrics=run.metrics,
            history=run.history,
            best_epoch=trained.best_epoch,
            verification=run.verification,
            versions=versions(engine, exporter),
            hashes=_hashes(folder),
        ),
    )


def _outcomes(checked: Checked, trained: Trained, dataset: Dataset, engine: TrainingBackend) -> list[Outcome]:
    """What the model says of the samples that a report shows; of a stateful one, in whole batches from the first."""
    split = dataset.splits[shown_split(dataset)]
    arrays = first_samples(split)
    size = 256
    if any(node.is_stateful for node in checked.graph.nodes):
        size = settings_of(checked)["batch_size"]
        whole = len(next(iter(arrays.values()))) // size * size
        if not whole:
            return []
        arrays = {name: values[:whole] for name, values in arrays.items()}
        reset_states(trained.compiled.model)
    said = predict(trained.compiled.model, checked.graph, arrays, size, engine)
    inputs = checked.data.inputs if checked.data is not None else {}
    return outcomes_of(checked.graph, dataset, trained.deployment, said, inputs)


def _hashes(folder: Path) -> Mapping[str, str]:
    return {
        f"SHA-256 of {name}": artifact.sha256((folder / name).read_bytes())
        for name in _HASHED
        if (folder / name).is_file()
    }
