"""Faults of a file of blocks: each at its place, with what there is instead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from nnspec.cli import main
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.importers.keras.importer import import_file, import_model
from nnspec.importers.keras.stored_weights import WeightsFile, stored_in
from nnspec.progress import Progress
from tests.unit.importers.keras.own_classes.test_own_classes import BLOCKS, drawn

GOOD = """
example>PatchEncoder:
  model:
    - Dense: {name: projection, units: $projection_dim, as: embedding}
    - formula: {name: added, expression: x + table, weights: {table: {axes: {$first: null, embedding: null}}}}
  weights: {added.table: position_embedding/vars/0}
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("archive") / "encoder.keras"
    drawn("PatchEncoder").save(path)
    return path


def faults(archive: Path, folder: Path, text: str) -> list[Diagnostic]:
    blocks = folder / "blocks.yaml"
    blocks.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as refused:
        import_file(archive, folder, Progress(quiet=True), blocks=blocks)
    return refused.value.diagnostics


@pytest.mark.parametrize(
    ("old", "new", "code", "part", "line"),
    [
        ("weights: {added", "weight: {added", "NN380", "has no `weight`; did you mean `weights`?", 6),
        ("  model:", "  modle:", "NN380", "has no `modle`; did you mean `model`?", 0),
        ("position_embedding/vars/0}", "[1]}", "NN380", "must be a path in the archive", 6),
        ("  model:", "  parameters: {d: projecton_dim}\n  model:", "NN380", "has no `projecton_dim`; did you", 3),
        ("  model:", "  parameters: {d: dtype/config}\n  model:", "NN380", "is not a number, a string or a list", 3),
        ("  model:", "  inputs: [a, b]\n  model:", "NN380", "reads 1 values, but the block of", 2),
        ("  weights", "  outputs: [no]\n  weights", "NN380", "has no item `no`", 6),
        ("$projection_dim", "$projecton_dim", "NN110", "unknown variable `projecton_dim`; did you mean", 4),
        ("units:", "unit:", "NN201", "`Dense` has no `unit`; did you mean `units`?", 4),
        ("x + table", "y + table", "NN607", "NN368): the formula `y + table` cannot be computed", 0),
        ("added.table", "added.tabel", "NN381", "has no weight `added.tabel`; did you mean `added.table`?", 6),
        ("position_embedding/", "positon_embedding/", "NN381", "does not lead to a weight", 6),
        ("embedding/vars/0", "embedding/vars/7", "NN381", "did you mean `position_embedding/vars/0`?", 6),
        ("{$first: null, emb", "{$first: 1, emb", "NN381", "is (1, 4), but `position_embedding/vars/0` is (6, 4)", 6),
        ("as: embedding}", "use_bias: false, as: embedding}", "NN381", "takes no weight from `projection/vars/1`", 2),
        ("name: projection,", "name: project,", "NN381", "where `project.kernel` (8, 4) of the block of", 2),
    ],
)
def test_a_fault_is_told_at_its_place(
    archive: Path, tmp_path: Path, old: str, new: str, code: str, part: str, line: int
) -> None:
    assert GOOD.count(old) == 1
    found = [d for d in faults(archive, tmp_path, GOOD.replace(old, new)) if d.code == code]
    assert found
    assert any(part in d.message for d in found), [d.message for d in found]
    assert not line or found[0].span.line == line


def test_what_is_stored_is_listed(archive: Path, tmp_path: Path) -> None:
    (fault,) = faults(archive, tmp_path, GOOD.replace("position_embedding/vars/0", "no/vars/0"))
    (note,) = fault.notes
    assert "`position_embedding/vars/0` (6, 4)" in note
    assert "`projection/vars/0` (8, 4), `projection/vars/1` (4,)" in note


def test_a_class_without_a_block_is_refused_by_its_registered_name(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as refused:
        import_file(archive, tmp_path, Progress(quiet=True))
    (fault,) = refused.value.diagnostics
    assert "`example>PatchEncoder`, a custom class" in fault.message
    assert "--blocks" in fault.fixes[0].message


def test_a_class_that_has_the_name_of_a_layer_of_keras_is_not_taken_for_it(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("other")
    class ReLU(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return keras.ops.relu(x) + 1

    given = keras.Input((3,))
    model = keras.Model(given, keras.layers.Dense(2)(ReLU()(given)))
    with pytest.raises(SpecError) as refused:
        import_model(model, tmp_path)
    assert "`other>ReLU`, a custom class" in refused.value.diagnostics[0].message


def test_a_model_in_memory_is_compared_with_its_own_code(tmp_path: Path) -> None:
    model = drawn("GatedResidualNetwork")
    assert import_model(model, tmp_path, blocks=BLOCKS).error < 1e-6
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(
        BLOCKS.read_text(encoding="utf-8").replace("activation: elu", "activation: relu"), encoding="utf-8"
    )
    with pytest.raises(SpecError) as refused:
        import_model(model, tmp_path, blocks=wrong)
    assert refused.value.diagnostics[0].code == "NN708"


@pytest.mark.parametrize("name", ["TransformerBlock", "VariableSelection", "TemporalBlock", "MLPBlock"])
def test_paths_in_memory_are_those_of_the_archive(tmp_path: Path, name: str) -> None:
    model = drawn(name)
    model.save(tmp_path / "model.keras")
    for layer in model.layers:
        stored, held = WeightsFile(tmp_path / "model.keras").of([layer.name]), stored_in(model)([layer.name])
        assert list(stored) == sorted(held)
        assert all(np.array_equal(stored[path], held[path]) for path in stored)


def test_the_command_says_what_it_could_not_compare(archive: Path, tmp_path: Path) -> None:
    blocks = tmp_path / "blocks.yaml"
    blocks.write_text(GOOD, encoding="utf-8")
    arguments = ["import", str(archive), "--out", str(tmp_path), "--blocks", str(blocks), "--format", "json"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    (note,) = json.loads(result.output)["notes"]
    assert "`example>PatchEncoder`" in note
    assert "was not run" in note
