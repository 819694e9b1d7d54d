"""Runs a deployed model: numpy and onnxruntime, nothing else.

    predict = nnspec.runtime.load("out/model.onnx")
    predict(window=x)     # {"forecast": array}

What goes in is checked by name, axis, size and type before the model sees it. `reading` makes it from a data file,
`writing` puts what comes out into one. `rules.csv` and `rules.wav` say what such files mean, to the checks and the
training of nnspec as well; they need no numpy, so nothing is imported here before it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.runtime.errors import InputError, ModelError
    from nnspec.runtime.ports import Port
    from nnspec.runtime.predictor import Predictor, load

__all__ = ["InputError", "ModelError", "Port", "Predictor", "load"]

_HOMES = {
    "InputError": "errors",
    "ModelError": "errors",
    "Port": "ports",
    "Predictor": "predictor",
    "load": "predictor",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
