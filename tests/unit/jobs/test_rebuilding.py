"""A model built again from what it says of itself: the same bytes, or what differs by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import onnx
import pytest
from click.testing import CliRunner, Result

from nnspec import api
from nnspec.cli import main
from nnspec.jobs.artifact import count_processors
from nnspec.jobs.provenance.made_of import NAMED, hash_of, shorten
from nnspec.jobs.rebuilding import as_many_processors

SPEC = """nnspec: 1
vars: {units: 3}
data:
  source: {csv: "rows*.csv"}
  split: {train: 0.5, test: 0.5}
  inputs: {x: {columns: [a], scale: standard}}
  outputs: {y: {columns: [b]}}
inputs: {x: {axes: {feature: 1}}}
model: [{Dense: {units: $units}}, {Dropout: {rate: 0.2}}, {Dense: {units: 1}}]
outputs: {y: {task: regression}}
training: {epochs: 2, batch_size: 4, checkpoint: {steps: 1}}
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rebuilt")
    for number in (1, 2):
        rows = "".join(f"{i},{i * number % 7}\n" for i in range(12))
        (folder / f"rows{number}.csv").write_text("a,b\n" + rows, encoding="utf-8")
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    api.load(folder / "spec.yaml").build(folder / "out")
    return folder


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """The model, and apart from the spec and all else its data."""
    (tmp_path / "data").mkdir()
    for path in built.glob("rows*.csv"):
        shutil.copy(path, tmp_path / "data")
    shutil.copy(built / "out" / "model.onnx", tmp_path)
    return tmp_path


def rebuild(folder: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["rebuild", str(folder / "model.onnx"), "--data", str(folder / "data"), *more])


def test_the_same_bytes_from_model_and_data_alone(folder: Path) -> None:
    made = rebuild(folder, "--format", "json")
    assert made.exit_code == 0, made.stderr
    found = json.loads(made.stdout)
    assert found == {
        "sha256": hash_of(folder / "model.onnx"),
        "bytes": (folder / "model.onnx").stat().st_size,
        "versions": {},
    }
    assert {path.name for path in folder.iterdir()} == {"data", "model.onnx"}


def test_a_whole_build_is_rebuilt_with_its_manifest_beside_it(built: Path, folder: Path) -> None:
    """The manifest has the hash of the spec as it was given, with its variables, and the model that of the resolved."""
    shutil.copy(built / "out" / "manifest.json", folder)
    made = rebuild(folder)
    assert made.exit_code == 0, made.stderr


def test_manifest_and_model_have_the_same_hashes(built: Path) -> None:
    manifest = json.loads((built / "out" / "manifest.json").read_text(encoding="utf-8"))["data"]
    assert manifest["files"] == {name: hash_of(built / name) for name in ("rows1.csv", "rows2.csv")}
    assert set(manifest["rows"]) == {"train", "test"}
    told = onnx.load(built / "out" / "model.onnx").metadata_props
    assert any(json.loads(entry.value).get("made_of") == manifest for entry in told)


def test_a_flipped_byte_is_found_and_nothing_trained(folder: Path) -> None:
    path = folder / "data" / "rows2.csv"
    content = bytearray(path.read_bytes())
    content[-2] ^= 1
    path.write_bytes(content)
    made = rebuild(folder)
    assert made.exit_code == 1
    assert "error[NN538]" in made.stderr
    assert "`rows2.csv` has different content" in made.stderr
    assert "rows1" not in made.stderr
    assert "training" not in made.stderr


def flip(path: Path, within: bytes) -> None:
    """Another last digit of a hash, or another byte of weights."""
    content = path.read_bytes()
    place = content.index(within) + len(within) - 1
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


@pytest.mark.parametrize("what", ["model", "hash of the model", "data", "rows", "spec", "text"])
def test_a_build_of_which_a_byte_was_changed(built: Path, folder: Path, what: str) -> None:
    """The model against the manifest beside it, before anything is trained."""
    manifest, model = folder / "manifest.json", folder / "model.onnx"
    shutil.copy(built / "out" / "manifest.json", manifest)
    said = json.loads(manifest.read_text())
    weights = next(each.raw_data for each in onnx.load(model).graph.initializer if each.data_type == 1 and each.dims)
    digest = {
        "hash of the model": said["files"]["model.onnx"],
        "data": said["data"]["files"]["rows1.csv"],
        "rows": said["data"]["rows"]["train"],
        "spec": said["files"]["spec.yaml"],
    }
    if what == "text":
        manifest.write_text("{")
    else:
        flip(model if what == "model" else manifest, weights if what == "model" else digest[what].encode())
    made = rebuild(folder)
    assert made.exit_code == 1
    assert "error[NN633]: `model.onnx` and `manifest.json` beside it are not as the build wrote them" in made.stderr
    note = {
        "data": "the content of `rows1.csv` differs",
        "rows": "the prepared rows of split `train` differ",
        "spec": "the spec differs",
        "text": "`manifest.json` is damaged",
    }
    assert note.get(what, "`model.onnx` has another content than the one that `manifest.json` lists") in made.stderr
    assert "epoch" not in made.stderr


def test_files_that_are_missing_or_new_are_named(folder: Path) -> None:
    (folder / "data" / "rows1.csv").rename(folder / "data" / "other.csv")
    assert "`rows1.csv` is missing" in rebuild(folder).stderr
    shutil.copy(folder / "data" / "other.csv", folder / "data" / "rows1.csv")
    shutil.copy(folder / "data" / "other.csv", folder / "data" / "rows3.csv")
    assert "`rows3.csv` is new" in rebuild(folder).stderr


def test_versions_that_differ_are_named(folder: Path) -> None:
    before = (folder / "model.onnx").read_bytes()
    model = onnx.load_from_string(before)
    (entry,) = (entry for entry in model.metadata_props if '"made_of"' in entry.value)
    told = json.loads(entry.value)
    told["versions"]["keras"] = "3.0.0"
    entry.value = json.dumps(told)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    made = rebuild(folder, "--out", str(folder / "again"))
    assert made.exit_code == 1
    assert "NN538" in made.stderr
    assert "keras was 3.0.0, now it is " in made.stderr
    assert f"wrote {folder / 'again'}" in made.stderr
    assert (folder / "again" / "model.onnx").read_bytes() == before


def test_a_model_from_weights_says_nothing_of_data(built: Path, folder: Path) -> None:
    api.load(built / "spec.yaml").export(folder / "exported", untrained=True)
    shutil.copy(folder / "exported" / "model.onnx", folder)
    assert "does not record which data it was built from" in rebuild(folder).stderr


def test_a_model_does_not_name_thousands_of_files() -> None:
    files = {f"{i}.png": "0" * 64 for i in range(NAMED + 1)}
    ((name, digest),) = shorten({"files": files, "rows": {}})["files"].items()
    assert (name, len(digest)) == (f"{NAMED + 1} files", 64)
    changed = {**files, "7.png": "1" * 64}
    assert shorten({"files": changed, "rows": {}})["files"][name] != digest


def test_it_is_built_on_as_many_processors(built: Path) -> None:
    """Sums of several threads are rounded in another order."""
    manifest = json.loads((built / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["processors"] == count_processors() >= 1
    before = count_processors()
    with as_many_processors(1):
        assert count_processors() == 1
    for count in (None, before, before + 1, 0):
        with as_many_processors(count):
            assert count_processors() == before


def test_how_many_processors_it_was_built_on_is_told_where_bytes_differ(folder: Path) -> None:
    """With weights altered, as another order of sums does, and a manifest of a larger machine."""
    model = onnx.load(folder / "model.onnx")
    kernel = next(tensor for tensor in model.graph.initializer if tensor.raw_data)
    kernel.raw_data = bytes([kernel.raw_data[0] ^ 1]) + kernel.raw_data[1:]
    onnx.save(model, folder / "model.onnx")
    found = rebuild(folder)
    assert "training by" in found.stderr
    assert "wrote" not in found.stderr, "the folder does not stay"
    assert "its weights differ" in found.stderr
    assert "no manifest next to it records the number of processors" in " ".join(found.stderr.split())
