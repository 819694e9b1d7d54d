"""The Keras backend: a graph as a Keras model, and the layers that Keras lacks or gets wrong.

`model` builds the model. The layers are registered with Keras under the package `nnspec` and keep their names for good,
since saved models hold them: `register_layers` makes them known before `keras.models.load_model`.
"""

from __future__ import annotations

import importlib


def register_layers() -> None:
    """Imports every module that registers layers with Keras, so that Keras can load models that hold them."""
    for module in ("attention", "axes", "image", "preprocessing"):
        importlib.import_module(f"nnspec.backends.keras.layers.{module}")
