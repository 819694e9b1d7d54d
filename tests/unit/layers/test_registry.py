"""The table of layer kinds: right about every module, and importing only what a spec uses."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nnspec.layers import discover
from nnspec.layers.registry import MODULES, REGISTRY
from tests.support.paths import PACKAGE

FOLDER = PACKAGE / "layers"
SPEC = """
nnspec: 1
inputs: {x: {axes: {time: 10, feature: 5}}}
layers: {shared: {Dense: {units: 5}}}
model:
  - share: shared
  - TimeDistributed: {layer: {Dense: {units: 3, kernel_regularizer: {L2: {l2: 0.1}}}}}
  - Flatten
  - Dense: {units: 1}
outputs: {y: {task: regression}}
"""


@pytest.mark.parametrize("module", MODULES)
def test_the_table_is_right(module: str) -> None:
    layers = importlib.import_module(f"nnspec.layers.{module}").LAYERS
    assert MODULES[module] == tuple(layer.kind for layer in layers)
    assert all(REGISTRY[layer.kind] is layer for layer in layers)


def test_no_module_is_left_out() -> None:
    defining = {
        f"{path.parent.name}.{path.stem}"
        for path in FOLDER.glob("*/*.py")
        if "\nLAYERS" in path.read_text(encoding="utf-8")
    }
    assert defining == set(MODULES)


def test_the_table_is_generated() -> None:
    """A new layer needs `nnspec schema`, which writes its kind into the table."""
    assert discover.is_up_to_date()


def test_no_kind_stands_twice() -> None:
    kinds = Counter(kind for kinds in MODULES.values() for kind in kinds)
    assert kinds.most_common(1)[0][1] == 1
    assert set(kinds) <= set(REGISTRY)


def test_unknown_kinds() -> None:
    assert "Denes" not in REGISTRY
    assert REGISTRY.get("Denes") is None
    with pytest.raises(KeyError):
        REGISTRY["Denes"]


def test_check_imports_only_the_layers_that_are_used(tmp_path: Path) -> None:
    """With hundreds of kinds, a check costs what the kinds of its spec cost."""
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    code = (
        "import sys; from nnspec.pipeline import diagnose; assert diagnose('spec.yaml') == []\n"
        "print(' '.join(m.removeprefix('nnspec.layers.') for m in sys.modules if m.startswith('nnspec.layers.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & set(MODULES) == {
        "linear.dense",
        "wrappers.time_distributed",
        "shape.keras_layers",
    }
