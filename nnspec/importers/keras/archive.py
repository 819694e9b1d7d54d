"""Reads the configuration in a .keras archive as JSON, without loading the classes it names."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from nnspec.importers.keras.functional import FUNCTIONAL
from nnspec.importers.keras.network import Config, ImportFault

MAX_CONFIG_BYTES = 256 * 1024 * 1024


def read_archive(path: Path) -> tuple[Config, str]:
    """The model's configuration and its class name.

    Raises:
        ImportFault: where the file is not a Keras archive, or its model is no graph of layers.
    """
    if not path.is_file():
        raise ImportFault(f"there is no file `{path}`")
    if path.suffix in (".h5", ".hdf5"):
        raise ImportFault(
            f"`{path.name}` is a Keras 2 file",
            help="load it with `keras.models.load_model`, and save it as `model.keras`",
        )
    if not zipfile.is_zipfile(path):
        raise ImportFault(
            f"`{path.name}` is not a Keras archive", help=("save the model with `model.save('model.keras')`")
        )
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("config.json").file_size > MAX_CONFIG_BYTES:
                raise ImportFault(f"`{path.name}` has a configuration of more than {MAX_CONFIG_BYTES >> 20} MB")
            whole = json.loads(archive.read("config.json"))
        return whole["config"], _class_of(whole)
    except (KeyError, ValueError, TypeError, zipfile.BadZipFile) as error:
        raise ImportFault(f"`{path.name}` is damaged: {error}") from None


def _class_of(whole: Config) -> str:
    """The class' name; one of the user's own is told apart from Keras' of that name."""
    name, module = str(whole["class_name"]), str(whole.get("module") or "")
    return f"{name} of {module}" if name in FUNCTIONAL and not module.startswith("keras") else name
