"""`bom.cdx.json` of a build: valid CycloneDX, and every field equal to what the build's other files say."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nnspec import api

SPEC = """
nnspec: 1
name: gate
description: Two numbers, and whether their sum is above zero.
data:
  source: {csv: "rows-*.csv"}
  split: {train: 0.6, validation: 0.2, test: 0.2}
  inputs: {x: {columns: [a, b], scale: standard}}
  outputs: {y: {columns: [c]}}
inputs: {x: {axes: {feature: 2}}}
model: [{Dense: {units: 20, activation: relu}}, {Dense: {units: 1, activation: sigmoid}}]
outputs: {y: {task: binary}}
training: {epochs: 2, seed: 5}
export: {variants: [int8], max_loss: 1}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bill")
    for name in "ab":
        rows = [f"{i % 7 - 3},{i % 5 - 2},{int(i % 7 + i % 5 > 5)}" for i in range(ord(name), ord(name) + 60)]
        (folder / f"rows-{name}.csv").write_text("\n".join(["a,b,c", *rows]), encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    return api.load(folder / "spec.yaml").build(folder / "out").folder


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def hash_of(path: Path) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}]


def test_it_is_valid(built: Path) -> None:
    text = (built / "bom.cdx.json").read_text(encoding="utf-8")
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"machine-learning-model"', '"model"')) is not None


def test_its_model_is_the_file(built: Path) -> None:
    model, manifest = read(built, "bom.cdx.json")["metadata"]["component"], read(built, "manifest.json")
    assert (model["type"], model["name"]) == ("machine-learning-model", "gate")
    assert model["description"] == "Two numbers, and whether their sum is above zero."
    assert model["hashes"] == hash_of(built / "model.onnx")
    said = {entry["name"]: entry["value"] for entry in model["properties"]}
    assert said == {
        f"nnspec:{key}": str(manifest[key]) for key in ("parameters", "trainable_parameters", "seed", "spec_sha256")
    }
    card = model["modelCard"]["modelParameters"]
    assert (card["approach"]["type"], card["task"], card["modelArchitecture"]) == ("supervised", "binary", "Dense")
    assert card["inputs"] == [{"format": "x: float32 (batch, feature=2)"}]
    assert card["datasets"] == [{"ref": "data:rows-a.csv"}, {"ref": "data:rows-b.csv"}]
    for other in model["externalReferences"]:
        assert other["hashes"] == hash_of(built / other["url"])
    assert "metrics.json" in {other["url"] for other in model["externalReferences"]}


def test_its_metrics_are_those_of_each_split_and_of_the_baseline(built: Path) -> None:
    analysis = read(built, "bom.cdx.json")["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]
    found = {(entry["slice"], entry["type"]): float(entry["value"]) for entry in analysis["performanceMetrics"]}
    for split, outputs in read(built, "metrics.json").items():
        metrics = outputs["y"]
        assert found[f"{split}, y", "accuracy"] == metrics["accuracy"]
        baseline = metrics["baseline"]
        assert found[f"{split}, y, baseline {baseline['name']}", "accuracy"] == baseline["accuracy"]


def test_its_parts_are_data_variants_and_packages(built: Path) -> None:
    bill, manifest = read(built, "bom.cdx.json"), read(built, "manifest.json")
    parts = {part["bom-ref"]: part for part in bill["components"]}
    for name, digest in manifest["data"]["files"].items():
        assert parts[f"data:{name}"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert parts[f"data:{name}"]["hashes"] == hash_of(built.parent / name)
    assert parts["model.int8.onnx"]["hashes"] == hash_of(built / "model.int8.onnx")
    packages = {part["name"]: part["version"] for part in parts.values() if part["type"] == "library"}
    assert {"nnspec": version("nnspec"), **packages} == manifest["versions"]
    assert parts[f"pkg:pypi/keras@{version('keras')}"]["purl"] == f"pkg:pypi/keras@{version('keras')}"
    assert bill["dependencies"][0] == {"ref": "model.onnx", "dependsOn": list(parts)}
    assert manifest["files"]["bom.cdx.json"] == hash_of(built / "bom.cdx.json")[0]["content"]
