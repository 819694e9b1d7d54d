"""Versions of all packages that a result depends on."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from nnspec.backends.base import ExportBackend, TrainingBackend


def versions(engine: TrainingBackend, exporter: ExportBackend) -> dict[str, str]:
    """By distribution: nnspec, what trained, what lowered and ran the file."""
    return {name: _version(name) for name in ("nnspec", *engine.packages, *exporter.packages, "numpy")}


@cache  # a build tells them in six files, and looking one up reads the metadata of its package
def _version(name: str) -> str:
    return version(name)
