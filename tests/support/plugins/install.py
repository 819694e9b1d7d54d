"""Makes a package with entry points appear installed: a dist-info folder, which goes on the path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.support.paths import ROOT

MODULE = "tests.support.plugins.scaleshift.layers"
FAULTY = "tests.support.plugins.scaleshift.faulty"


def install(folder: Path, layers: Mapping[str, str], package: str = "scaleshift", version: str = "1.0") -> None:
    """Writes the metadata of a package whose entry points of `nnspec.layers` are these."""
    metadata = folder / f"{package}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", "utf-8")
    lines = [f"{kind} = {value}" for kind, value in layers.items()]
    (metadata / "entry_points.txt").write_text("[nnspec.layers]\n" + "\n".join(lines) + "\n", "utf-8")


def environment(folder: Path) -> dict[str, str]:
    """The environment of a process that has the packages of a folder installed."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
