"""Backends know graphs and nodes; what is particular to a kind of layer they ask the node's own layer."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.paths import PACKAGE

BELOW = sorted(path for folder in ("ir", "catalogue", "backends") for path in (PACKAGE / folder).rglob("*.py"))
ABOVE = ("layers", "inference", "checks", "training", "verify", "jobs", "cli")


@pytest.mark.parametrize("path", [p for p in BELOW if "ir" not in p.parts], ids=lambda p: p.stem)
def test_backends_import_no_layer_and_no_job(path: Path) -> None:
    """Wherever the import stands: also inside functions and for types."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    above = tuple(f"nnspec.{package}" for package in ABOVE)
    assert not {name for name in found if name.startswith(above)}
