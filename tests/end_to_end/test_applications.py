"""Models of keras.applications through the whole of nnspec; `python tests/tools/applications.py` runs all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.loaded_python import run_loaded

# Gates and a Normalization inside; many joins; two inputs a block; classes of its own.
SLOW = ("EfficientNetB0", "DenseNet121", "NASNetMobile", "ConvNeXtTiny")
# Open sizes and gates.
IMPORTED = [
    "MobileNetV3Small",
    *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW),
]


def row(name: str) -> dict[str, Any]:
    """In a process of its own, which gives its memory back."""
    done = run_loaded("-m", "tests.tools.applications", "--row", name, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", IMPORTED)
def test_imported_exported_and_verified(name: str) -> None:
    found = row(name)
    assert found["import_error"] <= 1e-5
    assert found["onnx_error"] <= 1e-4
    assert found["lines"] < found["layers"]  # repeated structure is folded
