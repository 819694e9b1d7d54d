"""The seam of export: two formats that share nothing are written, gated and verified by the same jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import nnspec.runtime
from nnspec import jobs, pipeline
from nnspec.backends.base import ExportBackend, ExportedModel
from nnspec.backends.onnx.backend import ONNX, OnnxModel
from nnspec.backends.registry import EXPORT, export_backend, export_backend_of_file
from nnspec.diagnostics import SpecError
from nnspec.pipeline import Checked
from nnspec.progress import Progress
from tests.support import numpy_format
from tests.support.numpy_format import NUMPY, NumpyModel
from tests.support.small_forecast import CONVOLUTION, OUTPUT, small_forecast

SPEC = small_forecast(
    {"y": {**OUTPUT, "relative_to": "last"}, "kind": {"columns": ["c"]}},
    model=[
        CONVOLUTION,
        {"Flatten": {"name": "flat"}},
        {"Dense": {"units": 1, "as": "column", "name": "level"}},
        {"Dense": {"units": 3, "as": "class", "activation": "softmax", "from": "flat", "name": "guess"}},
    ],
    outputs={
        "y": {"from": "level", "task": "regression"},
        "kind": {"from": "guess", "task": "classification", "classes": ["down", "flat", "up"]},
    },
    training={"epochs": 2, "batch_size": 7, "seed": 5},
    export={"layout": {"x": ["batch", "feature", "time"]}},
)


def written(folder: Path, **more: Any) -> Checked:
    rng = np.random.default_rng(3)
    rows = np.cumsum(rng.normal(size=(60, 2)), axis=0).round(4)
    kinds = rng.choice(["down", "flat", "up"], size=60)
    lines = "".join(f"{a},{b},{c}\n" for (a, b), c in zip(rows, kinds, strict=True))
    (folder / "rows.csv").write_text(f"a,b,c\n{lines}", encoding="utf-8")
    (folder / "spec.yaml").write_text(yaml.safe_dump({**SPEC, **more}, sort_keys=False), encoding="utf-8")
    return pipeline.check(folder / "spec.yaml")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, jobs.Run]:
    folder = tmp_path_factory.mktemp("built")
    checked = written(folder)
    return {
        exporter.name: jobs.run_build(checked, folder / exporter.name, Progress(quiet=True), exporter=exporter)
        for exporter in (ONNX, NUMPY)
    }


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_every_backend_has_the_whole_interface() -> None:
    assert members(ExportBackend) >= {"lower", "parse", "suffix", "packages"}
    backends: list[ExportBackend] = [*map(export_backend, EXPORT), ONNX, NUMPY]
    for backend in backends:
        assert members(ExportBackend) <= set(dir(backend))
    models: list[type[ExportedModel]] = [OnnxModel, NumpyModel]
    for model in models:
        assert members(ExportedModel) <= {*dir(model), *model.__dataclass_fields__}  # type: ignore[attr-defined]
    assert export_backend() is ONNX


def test_a_file_tells_its_format_by_its_name() -> None:
    assert export_backend_of_file(Path("out/model.onnx")) is ONNX
    assert export_backend_of_file(Path("model.bin")) is ONNX


def test_two_formats_give_the_same_values(built: dict[str, jobs.Run]) -> None:
    x = np.random.default_rng(1).normal(size=(9, 2, 5)).astype(np.float32)
    by_onnx = nnspec.runtime.load(built["onnx"].model)(x)
    by_numpy = NUMPY.parse(built["numpy"].model.read_bytes()).open().run({"x": x})
    assert by_numpy.keys() == by_onnx.keys() == {"y", "kind", "kind_label"}
    np.testing.assert_allclose(by_numpy["y"], by_onnx["y"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(by_numpy["kind"], by_onnx["kind"], rtol=1e-4, atol=1e-5)
    assert by_numpy["kind_label"].tolist() == by_onnx["kind_label"].tolist()
    assert len(set(by_onnx["kind_label"])) > 1


def test_a_build_holds_the_file_of_its_format_alone(built: dict[str, jobs.Run]) -> None:
    names = {name: {path.name for path in run.folder.iterdir()} for name, run in built.items()}
    assert names["onnx"] - names["numpy"] == {"model.onnx"}
    assert names["numpy"] - names["onnx"] == {"model.npz"}
    for name, run in built.items():
        manifest = json.loads((run.folder / "manifest.json").read_text("utf-8"))
        assert run.model.name in manifest["files"]
        assert ("onnxruntime" in manifest["versions"]) == (name == "onnx")
        verified = json.loads((run.folder / "verify.json").read_text("utf-8"))
        assert verified["file_size"] == run.model.stat().st_size
        assert verified["versions"] == manifest["versions"]
        assert verified["lowered"] == {"nnspec": 4}
        assert all(output["passed"] and output["held_out_samples"] for output in verified["outputs"].values())
    assert built["numpy"].verification["steps"] == {"Conv1D": 1, "Flatten": 1, "Dense": 2}
    assert "nodes" in built["onnx"].verification


def test_a_file_is_verified_again_and_has_its_second_opinion(built: dict[str, jobs.Run]) -> None:
    result = jobs.run_verify(built["numpy"].model, None, Progress(quiet=True), exporter=NUMPY, second_opinion=True)
    assert result["outputs"]["kind"]["passed"]
    opinion = result["second_opinion"]
    assert opinion["failure"] is None
    assert opinion["nnspec"]["operators"]["Conv1D"] == opinion["tf2onnx"]["operators"]["Conv"] == 1
    assert max(opinion["between"].values()) < 1e-4


def test_metadata_are_the_same_but_for_versions(built: dict[str, jobs.Run]) -> None:
    ours = dict(ONNX.parse(built["onnx"].model.read_bytes()).metadata or {})
    theirs = dict(NUMPY.parse(built["numpy"].model.read_bytes()).metadata or {})
    assert ours.keys() == theirs.keys() >= {"spec", "inputs", "outputs", "preprocessing", "verification", "versions"}
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert differing == {"versions", "verification"}


def test_the_gate_refuses_a_wrong_formula_and_names_the_layer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without causal padding's own offset the convolution is one step late: another format, the same verdict."""
    right = numpy_format.convolve
    monkeypatch.setitem(numpy_format.OPERATIONS, "Conv1D", lambda x, w, a: np.roll(right(x, w, a), 1, axis=1))
    with pytest.raises(SpecError) as caught:
        jobs.run_build(written(tmp_path), tmp_path / "out", Progress(quiet=True), exporter=NUMPY)
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN701"
    assert fault.message.startswith("NumPy and Keras differ on output `y` by ")
    assert fault.notes[0].startswith("the first layer that differs is `conv` (Conv1D)")
    assert not (tmp_path / "out").exists()


def test_a_layer_that_a_format_does_not_know_is_refused(tmp_path: Path) -> None:
    checked = written(tmp_path, model=[{"LSTM": 3}, *SPEC["model"][1:]])
    with pytest.raises(SpecError) as caught:
        jobs.run_export(checked, tmp_path / "out", Progress(quiet=True), weights=None, untrained=True, exporter=NUMPY)
    assert caught.value.diagnostics[0].code == "NN601"
    assert not (tmp_path / "out").exists()


def test_an_altered_model_does_not_pass(built: dict[str, jobs.Run], tmp_path: Path) -> None:
    """A step that is lost, an input that is gone, another weight: form, interface and values, as in ONNX."""
    data = built["numpy"].model.read_bytes()
    (tmp_path / "model.keras").write_bytes((built["numpy"].folder / "model.keras").read_bytes())
    for alter, code in (
        (lambda model: model.content["steps"].pop(0), "NN702"),
        (lambda model: model.content["outputs"].pop("y"), "NN703"),
        (lambda model: model.arrays["guess/kernel"].__imul__(1.01), "NN701"),
    ):
        model = NUMPY.parse(data)
        alter(model)
        (tmp_path / "model.npz").write_bytes(model.to_bytes())
        with pytest.raises(SpecError) as caught:
            jobs.run_verify(tmp_path / "model.npz", None, Progress(quiet=True), exporter=NUMPY)
        assert caught.value.diagnostics[0].code == code


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.npz").write_bytes(b"PK\x03\x04 not an archive")
    with pytest.raises(SpecError) as caught:
        jobs.run_verify(tmp_path / "model.npz", None, Progress(quiet=True), exporter=NUMPY)
    assert caught.value.diagnostics[0].code == "NN705"
