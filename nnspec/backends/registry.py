"""Backends by name, each loaded when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from nnspec.backends.base import TrainingBackend

# A module and the object in it; the module may import its framework only when the object is used.
TRAINING = {"tensorflow": ("nnspec.backends.keras.tensorflow_backend", "TENSORFLOW")}


def training_backend(given: str | TrainingBackend = "tensorflow") -> TrainingBackend:
    """The training backend of a name; a backend itself is handed back.

    Raises:
        KeyError: where no backend has this name.
    """
    if not isinstance(given, str):
        return given
    module, name = TRAINING[given]
    return cast(TrainingBackend, getattr(import_module(module), name))
