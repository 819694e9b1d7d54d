"""`nnspec verify`, and the verification that an export must pass before it is written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nnspec import pipeline
from nnspec.backends.base import ExportBackend, ExportedModel, TrainingBackend
from nnspec.backends.keras.model import Compiled, build_model
from nnspec.backends.registry import export_backend, export_backend_of_file
from nnspec.backends.versions import versions
from nnspec.data.deployment import Deployment
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.document.types import JsonObject
from nnspec.jobs import vocabularies
from nnspec.jobs.settings import engine_of, fixed_batch, settings_of
from nnspec.jobs.weights import load_weights
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.runtime.errors import no_model_at
from nnspec.training.settings import fixed_batches
from nnspec.verify.causality import verify_causality
from nnspec.verify.gate import Gate

if TYPE_CHECKING:
    from nnspec.runtime.ports import Metadata


def prove(
    exported: ExportedModel,
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    layout: Mapping[str, list[str]],
    *,
    held_out: Mapping[str, np.ndarray] | None = None,
    engine: TrainingBackend,
) -> JsonObject:
    """Passes a model through the gate; what `expect` calls causal is tried on the Keras model.

    Returns:
        What `verify.json` holds; no `causality` where nothing is expected of it.

    Raises:
        SpecError: NN70x.
    """
    gate = gate_of(checked, compiled, deployment, layout, held_out)
    result = {**gate.run(exported), "versions": versions(engine, exported.backend)}
    causality = verify_causality(checked.root.get("expect"), checked.graph, compiled, gate.fixed_batch, engine)
    return {**result, "causality": causality} if causality else result


def gate_of(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    layout: Mapping[str, list[str]],
    held_out: Mapping[str, np.ndarray] | None = None,
) -> Gate:
    """The gate that a file of this spec and these weights must pass."""
    return Gate(
        checked.graph,
        compiled.model,
        deployment,
        tolerance=float(checked.section("export").get("tolerance", 1e-4)),
        layout=layout,
        held_out=held_out or {},
        fixed_batch=fixed_batch(checked),
    )


def run_verify(
    model: Path,
    weights: Path | None,
    progress: Progress,
    *,
    backend: str | TrainingBackend | None = None,
    exporter: str | ExportBackend | None = None,
    second_opinion: bool = False,
) -> JsonObject:
    """The gate again, on a model that exists, against the Keras model beside it.

    Args:
        weights: the Keras model; that beside the file by default.
        backend: the engine that Keras runs on, or its name; default that of the spec.
        exporter: the format of the model, or its name; default that which the file's suffix belongs to.
        second_opinion: whether tf2onnx converts the Keras model too; the result then has `second_opinion`.

    Raises:
        SpecError: NN705 where a file is damaged, NN70x where the gate fails.
    """
    target = export_backend_of_file(model) if exporter is None else export_backend(exporter)
    exported, metadata = read_model(model, target)
    if "variant" in metadata:
        raise SpecError.single(
            "NN618",
            f"`{model.name}` stores the model as {metadata['variant']}, which is not compared with Keras: its metrics "
            "are in verify.json, under `variants`",
            Span(Source(str(model), "")),
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(metadata["spec"], encoding="utf-8")
        checked = pipeline.check(path, without_data=True)
    engine = engine_of(checked, backend)
    weights = weights or model.parent / "model.keras"
    graph = vocabularies.with_vocabularies(checked.graph, vocabularies.from_archive(checked.graph, weights))
    vocabularies.require(graph)
    checked = replace(checked, graph=graph)
    compiled = build_model(graph, batches=fixed_batches(graph, settings_of(checked)))
    load_weights(compiled, weights)
    deployment = Deployment.from_json(metadata.get("preprocessing", {}))
    layout = metadata.get("layout") or {}
    with progress.step("verification"):
        result = prove(exported, checked, compiled, deployment, layout, engine=engine)
    if second_opinion:
        from nnspec.verify.second_opinion import second_opinion as ask_tf2onnx

        with progress.step("second opinion"):
            gate = gate_of(checked, compiled, deployment, layout)
            result["second_opinion"] = ask_tf2onnx(gate, exported).to_json()
    return result


def read_model(model: Path, exporter: ExportBackend) -> tuple[ExportedModel, Metadata]:
    """A model and its metadata, its spec among them.

    Raises:
        SpecError: NN705.
    """
    here = Span(Source(str(model), ""))
    if not model.is_file():
        raise SpecError.single("NN705", no_model_at(model), here)
    try:
        exported = exporter.parse(model.read_bytes())
        metadata = exported.metadata
        if metadata is not None:
            metadata["spec"]
    except Exception as error:  # a damaged file may raise whatever its parser has
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError.single("NN705", f"`{model.name}` is damaged: {reason}", here) from None
    if metadata is None:
        raise SpecError.single(
            "NN705", f"`{model.name}` was not written by nnspec: it has no spec in its metadata", here
        )
    return exported, metadata
