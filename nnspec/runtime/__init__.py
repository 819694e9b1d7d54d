"""Runs a deployed model: numpy and onnxruntime, nothing else.

    predict = nnspec.runtime.load("out/model.onnx")
    predict(window=x)     # {"forecast": array}

What goes in is checked by name, axis, size and type before the model sees it. `reading` makes it from a data file,
`writing` puts what comes out into one.
"""

from __future__ import annotations

from nnspec.runtime.errors import InputError, ModelError
from nnspec.runtime.ports import Port
from nnspec.runtime.predictor import Predictor, load

__all__ = ["InputError", "ModelError", "Port", "Predictor", "load"]
