"""`report.html` of a build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.keras.model import predict, reset_states
from nnspec.backends.versions import versions
from nnspec.data.dataset import Dataset
from nnspec.data.section.plan import DataPlan
from nnspec.data.units import is_changed, output_in_words
from nnspec.document import to_plain
from nnspec.document.types import JsonObject
from nnspec.jobs import artifact
from nnspec.jobs.folds import FILE
from nnspec.jobs.provenance.made_of import MadeOf, shorten
from nnspec.jobs.run import Run
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked
from nnspec.report.model_card import write_card
from nnspec.report.outcome import Outcome, first_samples, outcomes_of, reported_split
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
    made_of: MadeOf,
) -> None:
    """Writes the page and the model card from what the build has made so far."""
    described = checked.root.get("description")
    results = Results(
        graph=checked.graph,
        description=str(to_plain(described)) if described is not None else "",
        overview=_read(folder / "data.json"),
        split=reported_split(dataset),
        outcomes=_outcomes(checked, trained, dataset, engine),
        is_in_order=checked.data is not None and checked.data.split.is_chronological,
        metrics=run.metrics,
        folds=_read(folder / FILE).get("folds", []),
        history=run.history,
        best_epoch=trained.best_epoch,
        verification=run.verification,
        versions=versions(engine, exporter),
        hashes=_hashes(folder),
        is_scaled=_is_scaled(checked),
        units={name: output_in_words(checked.graph, checked.data, name) for name in checked.graph.outputs},
    )
    write_report(folder / "report.html", results)
    split = described_split(checked.data) if checked.data is not None else ""
    card = write_card(results, _read(folder / "interface.json"), shorten(made_of), split, f"model{exporter.suffix}")
    artifact.write_text(folder / "MODEL_CARD.md", card)


def described_split(plan: DataPlan) -> str:
    """How rows were divided."""
    split = plan.split
    shares = ", ".join(
        f"{part.name} {part.label or (f'{part.fraction:g}' if part.fraction is not None else f'from {part.start}')}"
        for part in split.parts
    )
    column = split.label_column or split.hash_column
    by = "at random" if not column and split.by == "random" else f"by {f'`{column}`' if column else split.by}"
    group = f", whole groups of `{split.group}`" if split.group else ""
    folds = f"; {split.folds} folds, the deployed model from {split.final}" if split.folds is not None else ""
    return f"Rows are divided {by}{group}: {shares}{folds}."


def _outcomes(checked: Checked, trained: Trained, dataset: Dataset, engine: TrainingBackend) -> list[Outcome]:
    """What the model says of the samples that a report shows; of a stateful one, in whole batches from the first."""
    split = dataset.splits[reported_split(dataset)]
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
    return outcomes_of(checked.graph, dataset, trained.deployment, said, checked.data)


def _is_scaled(checked: Checked) -> bool:
    """Whether the network learns other numbers than the targets have in the data."""
    outputs = checked.data.outputs if checked.data is not None else {}
    return any(o.gives_values and is_changed(outputs.get(name)) for name, o in checked.graph.outputs.items())


def _read(path: Path) -> JsonObject:
    """What a file of the build holds; nothing where it has none."""
    found: JsonObject = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def _hashes(folder: Path) -> Mapping[str, str]:
    return {
        f"SHA-256 of {name}": artifact.sha256((folder / name).read_bytes())
        for name in _HASHED
        if (folder / name).is_file()
    }
