"""`nnspec export`: a trained model lowered, verified and written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from nnspec.backends.base import Deployable, ExportBackend, ExportedModel, TrainingBackend
from nnspec.backends.keras.model import Compiled, read_weights
from nnspec.backends.versions import versions
from nnspec.data.arrays.gathered import is_gathered
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment
from nnspec.data.overview.ranges import training_ranges
from nnspec.data.section.plan import DataPlan
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.document import to_plain
from nnspec.document.types import JsonObject
from nnspec.expansion import resolved
from nnspec.jobs import artifact
from nnspec.jobs.metadata.descriptions import add_descriptions
from nnspec.jobs.metadata.evaluation import describe_evaluation
from nnspec.jobs.metadata.input_ranges import with_ranges
from nnspec.jobs.metadata.interface import describe_interface
from nnspec.jobs.metadata.model import describe_model
from nnspec.jobs.metadata.padding_sides import describe_padding
from nnspec.jobs.provenance.made_of import MadeOf, shorten
from nnspec.jobs.run import Run
from nnspec.jobs.settings import engine_of, exporter_of, fixed_batch
from nnspec.jobs.variants.writing import write_variants
from nnspec.jobs.verifying import gate_of, prove
from nnspec.jobs.weights import with_weights, with_words
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.verify.gate import Gate
from nnspec.verify.runs import HELD_OUT


def run_export(
    checked: Checked,
    out: Path,
    progress: Progress,
    *,
    weights: Path | None,
    untrained: bool,
    backend: str | TrainingBackend | None = None,
    exporter: str | ExportBackend | None = None,
) -> Run:
    """A deployed model from trained weights, or from the spec's seed.

    Args:
        weights: a .keras or .weights.h5 file.
        untrained: weights by the spec's seed instead.
        backend: the engine that Keras runs on, or its name; default that of the spec.
        exporter: the format of the model, or its name; default that of the spec.

    Raises:
        SpecError: NN604 where the weights are missing or do not fit; NN617, once all else is written, where a variant
            is refused.
    """
    engine, target = engine_of(checked, backend), exporter_of(checked, exporter)
    checked = replace(checked, graph=with_words(checked, weights))
    compiled, deployment, dataset = with_weights(checked, weights, untrained, engine)
    with artifact.staged_directory(out) as folder:
        compiled.model.save(folder / "model.keras")
        verification, refused = write_model(
            checked, compiled, deployment, dataset, folder, progress, engine=engine, exporter=target
        )
        artifact.write_text(folder / "spec.yaml", resolved.to_yaml(checked.root))
        artifact.write_json(folder / "preprocessing.json", deployment.to_json())
        artifact.write_manifest(checked, folder, engine, target, {})
    if refused:
        raise SpecError(refused)
    return Run(out, verification=verification, file=f"model{target.suffix}")


def write_model(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    dataset: Dataset | None,
    folder: Path,
    progress: Progress,
    *,
    engine: TrainingBackend,
    exporter: ExportBackend,
    made_of: MadeOf | None = None,
) -> tuple[JsonObject, list[Diagnostic]]:
    """Lowers, passes the gate, writes the model's file, its variants and verify.json.

    Args:
        made_of: the data that it was trained on in the same build, for `nnspec rebuild`.

    Returns:
        What verify.json says, and a diagnostic for each variant that is refused.

    Raises:
        SpecError: NN7xx where the gate fails; then there is no such file.
    """
    section = checked.section("export")
    spec = resolved.to_yaml(checked.root)
    with progress.step("export"):
        exported = lower(checked, compiled, deployment, spec, engine, exporter)
    used = _select_deployment(checked, deployment)
    held_out: dict[str, np.ndarray] = {}
    if dataset is not None:
        last = next((dataset.splits[n] for n in ("test", "validation") if n in dataset.splits), None)
        if last is not None:
            held_out = _select_samples(last.raw if used.inputs is deployment.inputs else last.x)
    with progress.step("verification"):
        layout = section.get("layout") or {}
        result = prove(exported, checked, compiled, used, layout, held_out=held_out, engine=engine)
        gate = gate_of(checked, compiled, used, layout)
        _tell_padding(exported, checked, gate, held_out)
        if dataset is not None and checked.data is not None and used.inputs is deployment.inputs:
            _tell_ranges(exported, checked.data, dataset)
        interface = describe_interface(exported.metadata or {}, exported, gate, held_out)
    scored: dict[str, object] = {}
    if dataset is not None and checked.data is not None and used.inputs is deployment.inputs:
        scored = {"evaluation": describe_evaluation(checked.graph, checked.data, deployment, dataset)}
    if made_of is not None:
        scored["made_of"] = shorten(made_of)
    exported.embed({**(exported.metadata or {}), **scored, "verification": {"outputs": result["outputs"]}})
    artifact.write_json(folder / "interface.json", interface)
    content = exported.to_bytes()
    result["file_size"] = len(content)
    (folder / f"model{exporter.suffix}").write_bytes(content)
    result["variants"], refused = write_variants(
        checked, exported, deployment, dataset, folder, progress, is_raw=used.inputs is deployment.inputs
    )
    artifact.write_json(folder / "verify.json", result)
    for name, compared in result["outputs"].items():
        progress.say(
            f"verified `{name}`: {exporter.runtime} equals Keras within {compared['max_relative_error']:.2g} "
            f"(relative; tolerance {compared['tolerance']:g}) at batch {', '.join(map(str, compared['batch_sizes']))}"
        )
    for note in result["notes"]:
        progress.say(f"note: {note}")
    return result, refused


def _tell_padding(exported: ExportedModel, checked: Checked, gate: Gate, samples: Mapping[str, np.ndarray]) -> None:
    """Says in the file where padding may stand, and which length training filled shorter samples up to.

    Args:
        samples: of the data, filled up as in training.
    """
    plan = checked.data
    at_end = [] if plan is None else [name for name, slot in plan.inputs.items() if slot.lengths]
    metadata = dict(exported.metadata or {})
    inputs = dict(metadata.get("inputs") or {})
    for name, said in describe_padding(exported, gate, at_end).items():
        step = next(axis for axis in gate.graph.inputs[name].axes if axis.name == said["axis"])
        if name in samples and not isinstance(step.size, int):
            place = gate.graph.inputs[name].axes.index(step) + 1
            said = {**said, "least": int(samples[name].shape[place])}
        inputs[name] = {**inputs[name], "padding": said}
    exported.embed({**metadata, "inputs": inputs})


def _tell_ranges(exported: ExportedModel, plan: DataPlan, dataset: Dataset) -> None:
    """Says in the file which values its inputs had in training."""
    metadata = dict(exported.metadata or {})
    inputs = with_ranges(metadata.get("inputs") or {}, training_ranges(plan, dataset))
    exported.embed({**metadata, "inputs": inputs})


def _select_samples(samples: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The samples that the gate looks at: all, or the first and last of those that are gathered."""
    count = len(next(iter(samples.values())))
    if count <= 2 * HELD_OUT or not any(is_gathered(values) for values in samples.values()):
        return dict(samples)
    chosen = np.r_[:HELD_OUT, count - HELD_OUT : count]
    return {name: values[chosen] for name, values in samples.items()}


def lower(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    spec: str,
    backend: str | TrainingBackend | None = None,
    exporter: str | ExportBackend | None = None,
) -> ExportedModel:
    """The deployed model of a compiled graph, not yet verified.

    Args:
        spec: the text that the model carries.
        backend: the engine that trained the weights, or its name; default that of the spec.
        exporter: the format, or its name; default that of the spec.
    """
    graph, section, target = checked.graph, checked.section("export"), exporter_of(checked, exporter)
    layout = section.get("layout") or {}
    used = _select_deployment(checked, deployment)
    node = checked.root.get("export")
    exported = target.lower(
        Deployable(
            graph=graph,
            weights={n.owner: read_weights(n, compiled.layers[n.name]) for n in graph.nodes},
            deployment=used,
            layout=layout,
            layers=compiled.layers,
            options=section,
            span=node.span if node is not None else checked.root.span,
        )
    )
    is_raw = section.get("scaling", True)
    metadata = describe_model(graph, checked.data, used, layout, spec, is_raw=is_raw)
    metadata["states"] = dict(exported.states)
    if exported.states:  # as many sequences were carried side by side in training
        metadata["state_batch"] = fixed_batch(checked)
    if (described := checked.root.get("description")) is not None:
        metadata["description"] = str(to_plain(described))
    add_descriptions(metadata, checked.root)
    if "batch" in section:
        metadata["batch"] = section["batch"]
    metadata["versions"] = versions(engine_of(checked, backend), target)
    exported.embed(metadata)
    return exported


def _select_deployment(checked: Checked, deployment: Deployment) -> Deployment:
    """What of the data's scaling goes into the file."""
    section = checked.section("export")
    used = deployment if section.get("scaling", True) else deployment.unscaled
    return replace(used, has_labels=section.get("labels", True))
