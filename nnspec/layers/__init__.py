"""The layer kinds, by the key that a spec uses. Adding a layer: one module here, and its cases under tests/layers."""

from __future__ import annotations

import importlib

from nnspec.layers.base import Layer

MODULES = (
    "core",
    "convolution",
    "depthwise",
    "pooling",
    "global_pooling",
    "padding",
    "spectral",
    "recurrent",
    "wrappers",
    "bidirectional",
    "rescaling",
    "normalization",
    "sample_normalization",
    "regularization",
    "activations",
    "merging",
    "concatenation",
    "dot",
    "embedding",
    "masking",
    "reshaping",
    "verbs",
)


def _load() -> dict[str, Layer]:
    registry: dict[str, Layer] = {}
    for name in MODULES:
        module = importlib.import_module(f"nnspec.layers.{name}")
        for layer in module.LAYERS:
            registry[layer.kind] = layer
    return registry


REGISTRY: dict[str, Layer] = _load()
