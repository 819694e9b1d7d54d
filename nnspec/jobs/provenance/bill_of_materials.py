"""`bom.cdx.json`: a build as a machine-learning bill of materials in CycloneDX, which tools of supply chains read.

cyclonedx-python-lib has no model cards, so that this writes the JSON itself; tests validate it by that library's
schema. Nothing in it depends on when or where it was built: two builds of the same bytes have the same bill.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.versions import versions
from nnspec.document import to_plain
from nnspec.document.types import JsonObject
from nnspec.ir.axes import Axes
from nnspec.ir.variants import VARIANTS
from nnspec.jobs.artifact import file_sha256, sha256, write_json
from nnspec.jobs.provenance.made_of import NAMED, MadeOf, hash_of_all
from nnspec.jobs.run import Run
from nnspec.jobs.settings import settings_of
from nnspec.pipeline import Checked

BILL = "bom.cdx.json"
VERSION = "1.6"
Json = JsonObject


def write_bill(
    checked: Checked, run: Run, made_of: MadeOf, folder: Path, engine: TrainingBackend, exporter: ExportBackend
) -> None:
    """Writes the bill of a build whose other files are in `folder`.

    Args:
        run: its metrics.
        made_of: the hashes of its data files.
    """
    model = folder / f"model{exporter.suffix}"
    used = versions(engine, exporter)
    libraries = [_library(name, version) for name, version in used.items() if name != "nnspec"]
    data = list(_data(made_of["files"]))
    described = _model(checked, run, model, data)
    parts = [*data, *_variants(checked, folder, exporter.suffix), *libraries]
    refs = [part["bom-ref"] for part in parts]
    bill = {
        "$schema": f"http://cyclonedx.org/schema/bom-{VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": uuid.uuid5(uuid.NAMESPACE_OID, described["hashes"][0]["content"]).urn,
        "version": 1,
        "metadata": {"tools": {"components": [_library("nnspec", used["nnspec"])]}, "component": described},
        "components": parts,
        "dependencies": [{"ref": described["bom-ref"], "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }
    write_json(folder / BILL, bill)


def _model(checked: Checked, run: Run, model: Path, data: list[Json]) -> Json:
    graph = checked.graph
    kinds = dict.fromkeys(node.kind for node in graph.nodes)
    properties = {
        "nnspec:parameters": graph.parameters,
        "nnspec:trainable_parameters": graph.trainable_parameters,
        "nnspec:seed": settings_of(checked)["seed"],
        "nnspec:spec_sha256": sha256(checked.text.encode()),
    }
    described = checked.root.get("description")
    return {
        "type": "machine-learning-model",
        "bom-ref": model.name,
        "name": graph.name,
        **({"description": str(to_plain(described))} if described is not None else {}),
        "hashes": _hashes(file_sha256(model)),
        "modelCard": {
            "modelParameters": {
                "approach": {"type": _approach(checked)},
                "task": ", ".join(dict.fromkeys(output.task for output in graph.outputs.values())),
                "architectureFamily": "neural network",
                "modelArchitecture": ", ".join(kinds),
                "datasets": [{"ref": each["bom-ref"]} for each in data],
                "inputs": [{"format": _said(name, value.dtype, value.axes)} for name, value in graph.inputs.items()],
                "outputs": [
                    {"format": _said(name, output.value.dtype, output.value.axes)}
                    for name, output in graph.outputs.items()
                ],
            },
            "quantitativeAnalysis": {"performanceMetrics": list(_metrics(run.metrics))},
        },
        "externalReferences": [
            {"type": kind, "url": name, "hashes": _hashes(file_sha256(model.parent / name))}
            for kind, name in (("model-card", "MODEL_CARD.md"), ("quality-metrics", "metrics.json"))
            if (model.parent / name).is_file()
        ],
        "properties": [{"name": name, "value": str(value)} for name, value in properties.items()],
    }


def _approach(checked: Checked) -> str:
    """Supervised, unless what the network learns is to rebuild its inputs."""
    copies = checked.data.copies if checked.data is not None else {}
    learned = [name for name, output in checked.graph.outputs.items() if output.task not in ("anomaly", "none")]
    return "self-supervised" if learned and all(name in copies for name in learned) else "supervised"


def _said(name: str, dtype: str, axes: Axes) -> str:
    """`window: float32 (batch, time=10, feature=5)`"""
    sizes = ", ".join(f"{axis.name}={axis.size}" for axis in axes)
    return f"{name}: {dtype} (batch{', ' if sizes else ''}{sizes})"


def _metrics(metrics: Mapping[str, Mapping[str, JsonObject]]) -> Iterator[Json]:
    """Each number of each output and split, and those of the naive baseline."""
    for split, outputs in metrics.items():
        for output, values in outputs.items() if isinstance(outputs, Mapping) else ():
            baseline = values.get("baseline") or {}
            said = f"{split}, {output}"
            for slice_, found in ((said, values), (f"{said}, baseline {baseline.get('name')}", baseline)):
                for name, value in found.items():
                    if isinstance(value, int | float) and not isinstance(value, bool) and name != "samples":
                        yield {"type": name, "value": repr(value), "slice": slice_}


def _data(files: Mapping[str, str]) -> Iterator[Json]:
    """The data files; of very many their number, and one hash of their names and hashes."""
    if len(files) <= NAMED:
        for name, digest in files.items():
            yield {**_dataset(name), "hashes": _hashes(digest)}
        return
    total = {"name": "nnspec:sha256_of_names_and_hashes", "value": hash_of_all(files)}
    yield {**_dataset(f"{len(files)} files"), "properties": [total]}


def _dataset(name: str) -> Json:
    return {"type": "data", "bom-ref": f"data:{name}", "name": name, "data": [{"type": "dataset", "name": name}]}


def _variants(checked: Checked, folder: Path, suffix: str) -> Iterator[Json]:
    for variant in VARIANTS:
        path = folder / f"model.{variant}{suffix}"
        if path.is_file():
            name = f"{checked.graph.name} ({variant})"
            kind = "machine-learning-model"
            yield {"type": kind, "bom-ref": path.name, "name": name, "hashes": _hashes(file_sha256(path))}


def _library(name: str, version: str) -> Json:
    url = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    return {"type": "library", "bom-ref": url, "name": name, "version": version, "purl": url}


def _hashes(digest: str) -> list[Json]:
    return [{"alg": "SHA-256", "content": digest}]
