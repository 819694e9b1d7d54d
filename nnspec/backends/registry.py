"""Backends by name, each loaded when it is first asked for.

Another backend is a module, and its line in a table here: the language then has its name, as the jobs do.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:  # both need NumPy, which what checks a spec does not load
    from nnspec.backends.base import ExportBackend, TrainingBackend

# A module and the object in it; the module may import its framework only when the object is used. The first of a table
# is what a spec uses that names none. Engines are called as the module that they are imported as.
TRAINING = {
    "tensorflow": ("nnspec.backends.keras.tensorflow.backend", "TENSORFLOW"),
    "jax": ("nnspec.backends.keras.jax.backend", "JAX"),
}
AUTO = "auto"  # in place of an engine's name: the fastest of those that are installed, see `nnspec.jobs.choosing`
EXPORT = {"onnx": ("nnspec.backends.onnx.backend", "ONNX")}


def training_backend(given: str | TrainingBackend | None = None) -> TrainingBackend:
    """The training backend of a name, the default where there is none; a backend itself is handed back.

    Raises:
        KeyError: where no backend has this name.
    """
    if given is not None and not isinstance(given, str):
        return given
    return cast("TrainingBackend", _load(TRAINING, given))


def running_backend() -> TrainingBackend:
    """The training backend that Keras runs on in this process; the default where Keras has not been imported.

    What is done with a model that is built goes by it: another engine cannot compute that model.
    """
    keras = sys.modules.get("keras")
    name = None if keras is None else keras.backend.backend()
    return training_backend(name if name in TRAINING else None)


def export_backend(given: str | ExportBackend | None = None) -> ExportBackend:
    """The export backend of a name, the default where there is none; a backend itself is handed back.

    Raises:
        KeyError: where no backend has this name.
    """
    if given is not None and not isinstance(given, str):
        return given
    return cast("ExportBackend", _load(EXPORT, given))


def export_backend_of_file(path: Path) -> ExportBackend:
    """The export backend whose files are named like this one; the default where that says nothing."""
    known = map(export_backend, EXPORT)
    return next((backend for backend in known if backend.suffix == path.suffix), export_backend())


def _load(table: dict[str, tuple[str, str]], given: str | None) -> object:
    module, name = table[next(iter(table)) if given is None else given]
    return getattr(import_module(module), name)
