"""`nnspec export`: a trained model lowered, proven and written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import __version__
from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.model import Compiled, read_weights
from nnspec.backends.onnx.deploy import restore_outputs, scale_input
from nnspec.backends.onnx.export import Exported, export_graph
from nnspec.backends.onnx.fallback import lower_by_tf2onnx
from nnspec.backends.registry import training_backend
from nnspec.backends.versions import versions
from nnspec.checks.opset import needed_opset
from nnspec.data.dataset import Dataset
from nnspec.data.deployment import Deployment, label_name
from nnspec.diagnostics import SpecError
from nnspec.expansion import resolved
from nnspec.jobs import artifact
from nnspec.jobs.metadata import describe_model
from nnspec.jobs.run import Run
from nnspec.jobs.settings import fixed_batch
from nnspec.jobs.verifying import prove
from nnspec.jobs.weights import with_weights, with_words
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.runtime.ports import METADATA_KEY


def run_export(
    checked: Checked,
    out: Path,
    progress: Progress,
    *,
    weights: Path | None,
    untrained: bool,
    backend: str | TrainingBackend = "tensorflow",
) -> Run:
    """ONNX from trained weights, or from the spec's seed.

    Args:
        weights: a .keras or .weights.h5 file.
        untrained: weights by the spec's seed instead.
        backend: the engine that Keras runs on, or its name.

    Raises:
        SpecError: NN604 where the weights are missing or do not fit.
    """
    engine = training_backend(backend)
    engine.load()
    checked = replace(checked, graph=with_words(checked, weights))
    compiled, deployment, dataset = with_weights(checked, weights, untrained, engine)
    with artifact.staged(out) as folder:
        compiled.model.save(folder / "model.keras")
        verification = write_onnx(checked, compiled, deployment, dataset, folder, progress, engine)
        artifact.write_text(folder / "spec.yaml", resolved.to_yaml(checked.root))
        artifact.write_json(folder / "preprocessing.json", deployment.to_json())
        artifact.write_manifest(checked, folder, engine, {})
    return Run(out, verification=verification)


def write_onnx(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    dataset: Dataset | None,
    folder: Path,
    progress: Progress,
    backend: TrainingBackend,
) -> dict[str, Any]:
    """Lowers, passes the gate, writes model.onnx and verify.json.

    Raises:
        SpecError: NN7xx where the gate fails; then there is no model.onnx.
    """
    section = checked.section("export")
    spec = resolved.to_yaml(checked.root)
    with progress.step("export"):
        proto, exported = lower(checked, compiled, deployment, spec, backend)
    used = _deployed(checked, deployment)
    held_out: dict[str, np.ndarray] = {}
    if dataset is not None:
        last = next((dataset.splits[n] for n in ("test", "validation") if n in dataset.splits), None)
        if last is not None:
            held_out = dict(last.raw) if used is deployment else dict(last.x)
    with progress.step("verification"):
        layout = section.get("layout") or {}
        result = prove(proto, checked, compiled, used, layout, held_out=held_out, exported=exported, backend=backend)
    result["file_size"] = proto.ByteSize()
    entry = next(p for p in proto.metadata_props if p.key == METADATA_KEY)
    metadata = json.loads(entry.value)
    metadata["verification"] = {"outputs": result["outputs"]}
    entry.value = json.dumps(metadata, ensure_ascii=False)
    (folder / "model.onnx").write_bytes(proto.SerializeToString())
    artifact.write_json(folder / "verify.json", result)
    for name, figures in result["outputs"].items():
        progress.say(
            f"verified `{name}`: ONNX Runtime equals Keras within {figures['max_relative_error']:.2g} (relative; "
            f"tolerance {figures['tolerance']:g}) at batch {', '.join(map(str, figures['batch_sizes']))}"
        )
    for note in result["notes"]:
        progress.say(f"note: {note}")
    return result


def lower(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    spec: str,
    backend: str | TrainingBackend = "tensorflow",
) -> tuple[Any, Exported]:
    """The deployed ONNX model of a compiled graph, not yet verified."""
    graph = checked.graph
    section = checked.section("export")
    layout = section.get("layout") or {}
    opset = int(section.get("opset", needed_opset(graph)))
    _check_opset(opset, checked)
    weights = {(n.shared or n.name): read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    used = _deployed(checked, deployment)
    exported = export_graph(
        graph,
        weights,
        opset=opset,
        layout={**layout, **{label_name(name): order for name, order in layout.items()}},  # labels lie as their scores
        before=scale_input(used),
        after=restore_outputs(used, graph),
        fallback=lambda lowering, node, views: lower_by_tf2onnx(lowering, node, views, compiled.layers[node.name]),
        right_padded=right_padded(checked),
    )
    metadata = describe_model(graph, checked.data, used, layout, spec)
    metadata["states"] = {state.input: state.output for state in exported.states}
    if exported.states:  # as many sequences were carried side by side in training
        metadata["state_batch"] = fixed_batch(checked)
    metadata["versions"] = versions(training_backend(backend))
    proto = exported.builder.to_model({METADATA_KEY: json.dumps(metadata, ensure_ascii=False)}, __version__)
    return proto, exported


def right_padded(checked: Checked) -> frozenset[str]:
    """Inputs whose sequences the loader pads at their end; data with padding of their own may have it anywhere."""
    plan = checked.data
    if plan is None:
        return frozenset()
    return frozenset(name for name, slot in plan.inputs.items() if slot.lengths)


def _check_opset(opset: int, checked: Checked) -> None:
    import onnx

    newest = min(onnx.defs.onnx_opset_version(), 24)
    if not 17 <= opset <= newest:
        node = checked.root.get("export")
        raise SpecError.single(
            "NN603",
            f"opset {opset} is not supported here: 17 to {newest} are",
            node.span if node is not None else checked.root.span,
            path="export.opset",
        )


def _deployed(checked: Checked, deployment: Deployment) -> Deployment:
    """What of the data's scaling goes into the file."""
    return deployment if checked.section("export").get("scaling", True) else Deployment()
