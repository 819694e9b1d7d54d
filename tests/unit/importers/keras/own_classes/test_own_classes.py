"""Classes of one's own import as blocks: the outputs are the real model's, and the import never sees the classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from nnspec import pipeline
from nnspec.backends.keras.model import build_model, predict
from tests.support.loaded_python import run_loaded
from tests.support.paths import ROOT
from tests.unit.importers.keras.own_classes.models import MODELS

BLOCKS = Path(__file__).parent / "blocks.yaml"
ALONE = """
import json, sys
from pathlib import Path
from nnspec.diagnostics import SpecError
from nnspec.importers.keras.importer import import_file
from nnspec.progress import Progress
folder, blocks, results = Path(sys.argv[1]), Path(sys.argv[2]), {}
for archive in sorted(folder.glob("*.keras")):
    try:
        import_file(archive, folder, Progress(quiet=True), blocks=blocks)
        results[archive.stem] = ""
    except SpecError as error:
        results[archive.stem] = str(error)
assert not [name for name in sys.modules if "own_classes" in name]
print(json.dumps(results))
"""


def random_input(model: Any) -> np.ndarray:
    rng = np.random.default_rng(4)
    shape = (5, *model.input_shape[1:])
    return rng.integers(0, 11, shape) if model.inputs[0].dtype == "int32" else rng.normal(size=shape).astype("float32")


def drawn(name: str) -> Any:
    """The model with weights that no symmetry hides."""
    keras.utils.set_random_seed(2)
    model = MODELS[name]()
    rng = np.random.default_rng(3)
    for variable in model.weights:
        if "seed" not in variable.path:
            variable.assign(rng.normal(0, 0.5, variable.shape))
    return model


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, str]]:
    """Every model saved here, and imported by a process that knows none of the classes."""
    folder = tmp_path_factory.mktemp("archives")
    models = {name: drawn(name) for name in MODELS}
    for name, model in models.items():
        model.save(folder / f"{name}.keras")
    done = run_loaded("-c", ALONE, str(folder), str(BLOCKS), check=True, cwd=ROOT)
    return folder, models, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", MODELS)
def test_a_class_of_ones_own_imports_as_a_block(
    imported: tuple[Path, dict[str, Any], dict[str, str]], name: str
) -> None:
    folder, models, faults = imported
    assert not faults[name]
    checked = pipeline.check(folder / f"{name}.yaml")
    compiled = build_model(checked.graph)
    compiled.model.load_weights(folder / f"{name}.weights.h5")
    x = random_input(models[name])
    wanted = np.asarray(models[name](x, training=False))
    (output,) = checked.graph.outputs
    got = predict(compiled.model, checked.graph, {"given": x})[output]
    assert got.shape == wanted.shape
    assert np.max(np.abs(got - wanted)) <= 2e-6 * max(1.0, float(np.max(np.abs(wanted))))
