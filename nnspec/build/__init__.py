"""The work behind the verbs that need a framework: train, export, verify, build. Loaded only by them."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import __version__, verify
from nnspec.build import artifact, vocabularies
from nnspec.expansion import resolved
from nnspec.backends.keras import Compiled, build_model, read_weights
from nnspec.backends.onnx.deploy import Deployment, label_name, restore_outputs, scale_input
from nnspec.backends.onnx.export import Exported, export_graph
from nnspec.backends.onnx.fallback import lower_by_tf2onnx
from nnspec.backends.quiet import load_framework
from nnspec.checks.context import input_slots, output_slots
from nnspec.checks.opset import needed_opset
from nnspec.data.load import Dataset
from nnspec.data.load import load as load_data
from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError
from nnspec.evaluate import evaluate, table
from nnspec.graph import Graph
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from nnspec.runtime.ports import METADATA_KEY
from nnspec.train import Settings, Trained, fixed_batches, history_rows, set_seed, train
from nnspec.verify.causality import verify_causality

load_framework()


@dataclass
class Run:
    """What a build gave.

    Attributes:
        metrics: `{split: {output: figures}}`, as in metrics.json.
        history: one row an epoch.
        verification: as in verify.json.
        onnx: the model file.
    """

    folder: Path
    metrics: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    verification: dict[str, Any] = field(default_factory=dict)

    @property
    def onnx(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def keras(self) -> Path:
        return self.folder / "model.keras"


def settings_of(checked: Checked) -> Settings:
    node = checked.root.get("training")
    return Settings.from_section(checked.section("training"), node.span if node is not None else checked.root.span)


def load_dataset(checked: Checked) -> Dataset:
    """The spec's data.

    Raises:
        SpecError: NN517 where the spec has none, NN5xx where they are at fault.
    """
    if checked.data is None:
        span = checked.root.span
        raise SpecError(
            [
                Diagnostic(
                    "NN517",
                    f"`{checked.path.name}` has no `data` section, so there is nothing to train on",
                    Span(span.source),
                    fixes=(Fix("add `data:`, or write an untrained model with `nnspec export --untrained`"),),
                )
            ]
        )
    dataset = load_data(checked.data, input_slots(checked.graph), output_slots(checked.graph))
    _check_ids(checked, dataset)
    return dataset


def _check_ids(checked: Checked, dataset: Dataset) -> None:
    """Every id that an Embedding looks up straight from an input has a vector.

    Raises:
        SpecError: NN506.
    """
    for node in checked.graph.nodes:
        name = node.inputs[0].node
        if node.kind != "Embedding" or name not in checked.graph.inputs:
            continue
        count = node.args["input_dim"]
        for split, part in dataset.splits.items():
            ids = part.x[name]
            strange = ids[(ids < 0) | (ids >= count)]
            if strange.size:
                raise SpecError.single(
                    "NN506",
                    f"input `{name}` holds the id {strange[0]} in split `{split}`, "
                    f"but the `Embedding` that reads it has vectors for 0 to {count - 1}",
                    node.span,
                    fixes=[Fix("`input_dim` is the largest id plus 1")] if strange.max() >= count else [],
                )


# -------------------------------------------------------------------------------------------------- train


def run_training(checked: Checked, out: Path, progress: Progress, *, resume: bool = False) -> Run:
    """Trains and evaluates; leaves model.keras, history.csv, metrics.json and preprocessing.json."""
    with artifact.staged(out, resume=resume, keep_on_failure=True) as folder:
        checked, dataset = _prepared(checked, folder, progress, resume=resume)
        run, _ = _train_into(checked, dataset, folder, progress, resume=resume)
        _manifest(checked, folder, {})
    run.folder = out
    return run


def _prepared(checked: Checked, folder: Path, progress: Progress, *, resume: bool) -> tuple[Checked, Dataset]:
    """The data, and the spec with the vocabularies that its lookups take from them."""
    with progress.step("data"):
        dataset = load_dataset(checked)
        found = vocabularies.resumed(checked.graph, dataset, folder / "checkpoint", resume=resume)
        graph = vocabularies.with_vocabularies(checked.graph, found)
        vocabularies.check_words(graph, dataset)
    for name, arguments in found.items():
        progress.say(f"vocabulary of {name}: {len(arguments['vocabulary']):,} words")
    return replace(checked, graph=graph), dataset


def _train_into(
    checked: Checked, dataset: Dataset, folder: Path, progress: Progress, *, resume: bool
) -> tuple[Run, Trained]:
    settings = settings_of(checked)
    sizes = ", ".join(f"{name} {split.size}" for name, split in dataset.splits.items())
    progress.say(f"{checked.graph.name}: {checked.graph.parameters:,} parameters; samples: {sizes}")
    with progress.step("training"):
        trained = train(checked.graph, dataset, settings, folder, progress, resume=resume)
    deployment = Deployment(dataset.inputs, dataset.outputs)
    batch = settings["batch_size"] if any(node.is_stateful for node in checked.graph.nodes) else None
    figures = _figures(trained, checked, dataset, deployment, batch, settings)
    progress.say(f"best epoch: {trained.best_epoch}\n{table(checked.graph, figures)}")
    trained.compiled.model.save(folder / "model.keras")
    artifact.write_text(folder / "history.csv", history_rows(trained.history))
    artifact.write_json(folder / "metrics.json", figures)
    artifact.write_json(folder / "preprocessing.json", deployment.to_json())
    artifact.write_text(folder / "spec.yaml", resolved.to_yaml(checked))
    from nnspec.build.plots import plot_history

    plot_history(trained.history, trained.best_epoch, folder / "history.png")
    shutil.rmtree(folder / "checkpoint", ignore_errors=True)
    return Run(folder, figures, trained.history), trained


def _figures(
    trained: Trained, checked: Checked, dataset: Dataset, deployment: Deployment, batch: int | None, settings: Settings
) -> dict[str, Any]:
    from nnspec.train import trimmed

    used = dataset
    if batch is not None:
        splits = {name: trimmed(split, batch, settings.span) for name, split in dataset.splits.items()}
        used = Dataset(splits, dataset.inputs, dataset.outputs)
    slots = output_slots(checked.graph)
    return evaluate(trained.compiled.model, checked.graph, used, deployment, slots, batch)


# ------------------------------------------------------------------------------------------------- export


def lower(checked: Checked, compiled: Compiled, deployment: Deployment, spec: str) -> tuple[Any, Exported]:
    """The deployed ONNX model of a compiled graph, not yet verified."""
    graph = checked.graph
    section = checked.section("export")
    layout = section.get("layout") or {}
    opset = int(section.get("opset", needed_opset(graph)))
    _check_opset(opset, checked)
    weights = {(n.shared or n.name): read_weights(n, compiled.layers[n.name]) for n in graph.nodes}
    used = deployment if section.get("scaling", True) else Deployment()
    exported = export_graph(
        graph,
        weights,
        opset=opset,
        layout={
            **layout,
            **{label_name(name): order for name, order in layout.items()},
        },  # labels lie as their scores do
        before=scale_input(used),
        after=restore_outputs(used, graph),
        fallback=lambda lowering, node, views: lower_by_tf2onnx(lowering, node, views, compiled.layers[node.name]),
        right_padded=right_padded(checked),
    )
    metadata = artifact.describe_model(graph, checked.data, used, layout, spec)
    metadata["states"] = {state.input: state.output for state in exported.states}
    metadata["versions"] = verify.versions()
    proto = exported.builder.to_model({METADATA_KEY: json.dumps(metadata, ensure_ascii=False)}, __version__)
    return proto, exported


def right_padded(checked: Checked) -> frozenset[str]:
    """Inputs whose sequences the loader pads at their end."""
    plan = checked.data
    if plan is None:
        return frozenset()
    return frozenset(name for name, slot in plan.inputs.items() if slot.pad_value is not None or slot.lengths)


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


def write_onnx(
    checked: Checked,
    compiled: Compiled,
    deployment: Deployment,
    dataset: Dataset | None,
    folder: Path,
    progress: Progress,
) -> dict[str, Any]:
    """Lowers, passes the gate, writes model.onnx and verify.json.

    Raises:
        SpecError: NN7xx where the gate fails; then there is no model.onnx.
    """
    section = checked.section("export")
    spec = resolved.to_yaml(checked)
    with progress.step("export"):
        proto, exported = lower(checked, compiled, deployment, spec)
    used = deployment if section.get("scaling", True) else Deployment()
    held_out: dict[str, np.ndarray] = {}
    if dataset is not None:
        last = next((dataset.splits[n] for n in ("test", "validation") if n in dataset.splits), None)
        if last is not None:
            held_out = dict(last.raw) if used is deployment else dict(last.x)
    gate = verify.Gate(
        checked.graph,
        compiled.model,
        used,
        float(section.get("tolerance", 1e-4)),
        section.get("layout") or {},
        held_out,
        next((b for b in fixed_batches(checked.graph, settings_of(checked)).values() if b), None),
    )
    with progress.step("verification"):
        result = {**gate.run(proto, exported), **_causality(checked, compiled, gate)}
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
    return result


def _causality(checked: Checked, compiled: Compiled, gate: verify.Gate) -> dict[str, Any]:
    """What verify.json says of the outputs and layers that `expect` calls causal; nothing where there are none."""
    found = verify_causality(checked.root.get("expect"), checked.graph, compiled, gate.fixed_batch)
    return {"causality": found} if found else {}


def run_export(checked: Checked, out: Path, progress: Progress, *, weights: Path | None, untrained: bool) -> Run:
    """ONNX from trained weights, or from the spec's seed.

    Raises:
        SpecError: NN604 where the weights are missing or do not fit.
    """
    checked = replace(checked, graph=_with_words(checked, weights))
    compiled, deployment, dataset = _weights(checked, weights, untrained)
    with artifact.staged(out) as folder:
        compiled.model.save(folder / "model.keras")
        verification = write_onnx(checked, compiled, deployment, dataset, folder, progress)
        artifact.write_text(folder / "spec.yaml", resolved.to_yaml(checked))
        artifact.write_json(folder / "preprocessing.json", deployment.to_json())
        _manifest(checked, folder, {})
    return Run(out, verification=verification)


def _with_words(checked: Checked, weights: Path | None) -> Graph:
    """The graph with the vocabularies of its weights, or, where these have none, of the training rows.

    Raises:
        SpecError: NN352 where there are neither, NN604 where those of the weights do not fit.
    """
    graph = checked.graph
    if weights is not None:
        graph = vocabularies.with_vocabularies(graph, vocabularies.from_archive(graph, weights))
    if vocabularies.lacking(graph) and checked.data is not None:
        graph = vocabularies.with_vocabularies(graph, vocabularies.learn(graph, load_dataset(checked)))
    vocabularies.require(graph)
    return graph


def _weights(checked: Checked, weights: Path | None, untrained: bool) -> tuple[Compiled, Deployment, Dataset | None]:
    settings = settings_of(checked)
    set_seed(settings["seed"])
    compiled = build_model(checked.graph, batches=fixed_batches(checked.graph, settings))
    if untrained:
        return compiled, Deployment(), None
    if weights is None:
        raise SpecError(
            [
                Diagnostic(
                    "NN604",
                    "export needs trained weights",
                    Span(checked.root.span.source),
                    fixes=(
                        Fix("give them with `--weights out/model.keras`"),
                        Fix("train and export in one step with `nnspec build`"),
                        Fix("write random ones with `--untrained`"),
                    ),
                )
            ]
        )
    load_weights(compiled, weights)
    beside = weights.parent / "preprocessing.json"
    deployment = Deployment()
    if beside.is_file():
        deployment = Deployment.from_json(json.loads(beside.read_text(encoding="utf-8")))
    elif checked.data is not None:
        dataset = load_dataset(checked)
        return compiled, Deployment(dataset.inputs, dataset.outputs), dataset
    return compiled, deployment, load_dataset(checked) if checked.data is not None else None


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
        raise SpecError.single("NN604", f"`{path.name}` is damaged: it is no Keras archive", here)
    try:
        compiled.model.load_weights(path)
    except Exception as error:
        reason = str(error).splitlines()[0]
        raise SpecError.single("NN604", f"the weights in `{path.name}` do not fit this spec: {reason}", here) from None


# -------------------------------------------------------------------------------------------------- build


def run_build(checked: Checked, out: Path, progress: Progress, *, resume: bool = False) -> Run:
    """Check is done; train, evaluate, export, verify."""
    started = time.time()
    with artifact.staged(out, resume=resume, keep_on_failure=True) as folder:
        checked, dataset = _prepared(checked, folder, progress, resume=resume)
        run, trained = _train_into(checked, dataset, folder, progress, resume=resume)
        deployment = Deployment(dataset.inputs, dataset.outputs)
        run.verification = write_onnx(checked, trained.compiled, deployment, dataset, folder, progress)
        _manifest(checked, folder, {"build_seconds": round(time.time() - started, 1), "best_epoch": trained.best_epoch})
    run.folder = out
    progress.say(f"wrote {out}")
    return run


def _manifest(checked: Checked, folder: Path, more: Mapping[str, Any]) -> None:
    settings = settings_of(checked)
    manifest = {
        "name": checked.graph.name,
        "seed": settings["seed"],
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "overrides": {key: str(value) for key, value in checked.overrides.items()},
        "spec_sha256": artifact.sha256(checked.text.encode()),
        "parameters": checked.graph.parameters,
        "trainable_parameters": checked.graph.trainable_parameters,
        "versions": verify.versions(),
        **more,
        "files": artifact.file_hashes(folder),
    }
    artifact.write_json(folder / "manifest.json", manifest)


# ------------------------------------------------------------------------------------------------- verify


def run_verify(model: Path, weights: Path | None, progress: Progress) -> dict[str, Any]:
    """The gate again, on a model that exists, against the Keras model beside it.

    Raises:
        SpecError: NN705 where a file is damaged, NN70x where the gate fails.
    """
    import tempfile

    import onnx

    from nnspec import pipeline

    here = Span(Source(str(model), ""))
    if not model.is_file():
        raise SpecError.single("NN705", f"there is no model at `{model}`", here)
    try:
        proto = onnx.load_model_from_string(model.read_bytes())
        entry = next(p.value for p in proto.metadata_props if p.key == METADATA_KEY)
        metadata = json.loads(entry)
        text = metadata["spec"]
    except StopIteration:
        raise SpecError.single("NN705", f"`{model.name}` was not written by nnspec: it carries no spec", here) from None
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpecError.single("NN705", f"`{model.name}` is damaged: {reason}", here) from None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spec.yaml"
        path.write_text(text, encoding="utf-8")
        checked = pipeline.check(path, without_data=True)
    settings = settings_of(checked)
    weights = weights or model.parent / "model.keras"
    graph = vocabularies.with_vocabularies(checked.graph, vocabularies.from_archive(checked.graph, weights))
    vocabularies.require(graph)
    checked = replace(checked, graph=graph)
    compiled = build_model(graph, batches=fixed_batches(graph, settings))
    load_weights(compiled, weights)
    gate = verify.Gate(
        checked.graph,
        compiled.model,
        Deployment.from_json(metadata.get("preprocessing", {})),
        float(checked.section("export").get("tolerance", 1e-4)),
        metadata.get("layout") or {},
        {},
        next((b for b in fixed_batches(checked.graph, settings).values() if b), None),
    )
    with progress.step("verification"):
        return {**gate.run(proto), **_causality(checked, compiled, gate)}
