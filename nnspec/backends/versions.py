"""Versions of everything that a result depends on."""

from __future__ import annotations

from importlib.metadata import version

from nnspec.backends.base import TrainingBackend


def versions(backend: TrainingBackend) -> dict[str, str]:
    """By distribution: nnspec, what trained, what lowered and ran the file."""
    return {name: version(name) for name in ("nnspec", *backend.packages, "onnx", "onnxruntime", "numpy")}
