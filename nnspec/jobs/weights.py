"""Loads weights into a compiled model for export."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import Compiled, build_model
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.ir.graph import Graph
from nnspec.jobs import vocabularies
from nnspec.jobs.dataset import load_dataset
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked
from nnspec.training.calibration import deployment_of
from nnspec.training.settings import fixed_batches


def with_weights(
    checked: Checked, weights: Path | None, untrained: bool, backend: TrainingBackend
) -> tuple[Compiled, Deployment, Dataset | None]:
    """The model, the scaling that belongs to its weights, and the data, as far as they are known.

    Args:
        weights: a .keras or .weights.h5 file; its scaling is the preprocessing.json beside it, else that of the data.
        untrained: weights by the spec's seed instead, with no scaling.

    Raises:
        SpecError: NN604 where the weights are missing or do not fit.
    """
    settings = settings_of(checked)
    backend.seed(settings["seed"])
    compiled = build_model(checked.graph, batches=fixed_batches(checked.graph, settings))
    if untrained:
        return compiled, Deployment(), None
    if weights is None:
        raise SpecError.single(
            "NN604",
            "export needs trained weights",
            Span(checked.root.span.source),
            fixes=[
                Fix("pass them with `--weights out/model.keras`"),
                Fix("train and export in one step with `nnspec build`"),
                Fix("export random weights with `--untrained`"),
            ],
        )
    load_weights(compiled, weights)
    beside = weights.parent / "preprocessing.json"
    deployment = Deployment()
    if beside.is_file():
        deployment = Deployment.from_json(json.loads(beside.read_text(encoding="utf-8")))
    elif checked.data is not None:
        dataset = load_dataset(checked)
        stateful = any(node.is_stateful for node in checked.graph.nodes)
        batch = settings["batch_size"] if stateful else None
        return compiled, deployment_of(checked.graph, dataset, compiled, backend, batch), dataset
    return compiled, deployment, load_dataset(checked) if checked.data is not None else None


def with_words(checked: Checked, weights: Path | None) -> Graph:
    """The graph with the vocabularies of its weights, or, where these have none, of the training rows.

    Raises:
        SpecError: NN352 where there are neither, NN604 where those of the weights do not fit.
    """
    graph = checked.graph
    if weights is not None:
        graph = vocabularies.with_vocabularies(graph, vocabularies.from_archive(graph, weights))
    if vocabularies.missing_vocabularies(graph) and checked.data is not None:
        graph = vocabularies.with_vocabularies(graph, vocabularies.learn(graph, load_dataset(checked)))
    vocabularies.require(graph)
    return graph


def load_weights(compiled: Compiled, path: Path) -> None:
    """Weights from a .keras or .weights.h5 file; no code in the file is ever run.

    Raises:
        SpecError: NN604.
    """
    here = Span(Source(str(path), ""))
    if not path.is_file():
        raise SpecError.single("NN604", f"there are no weights at `{path}`", here)
    if path.suffix not in (".keras", ".h5"):
        raise SpecError.single("NN604", f"`{path.name}` is neither a .keras nor a .weights.h5 file", here)
    if path.suffix == ".keras" and not zipfile.is_zipfile(path):
        raise SpecError.single("NN604", f"`{path.name}` is damaged: it is not a Keras archive", here)
    try:
        compiled.model.load_weights(path)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise SpecError.single("NN604", f"the weights in `{path.name}` do not fit this spec: {reason}", here) from None
