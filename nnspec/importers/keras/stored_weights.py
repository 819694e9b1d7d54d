"""Weights as an archive stores them, by the path below each layer; read as numbers, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nnspec.backends.types import KerasCallable, KerasLayer, KerasModel, KerasVariable
from nnspec.importers.keras.network import ImportFault

Stored = dict[str, np.ndarray]  # by the path below a layer, such as `dense/vars/0`
Stores = Callable[[Sequence[str]], Stored]  # of each layer, by the way to it
H5Group: TypeAlias = Any  # of h5py, which ships no types
_FILE = "model.weights.h5"


class WeightsFile:
    """The weights of a .keras archive, or of a .weights.h5 file."""

    def __init__(self, path: Path) -> None:
        import h5py  # type: ignore[import-untyped]

        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    self.file = h5py.File(io.BytesIO(archive.read(_FILE)), "r")
            else:
                self.file = h5py.File(path, "r")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ImportFault(f"the weights in `{path.name}` cannot be read: {error}") from None

    def of(self, path: Sequence[str]) -> Stored:
        """The weights of a layer, given the names of the models that hold it and its own.

        Raises:
            ImportFault: where the archive has no such layer.
        """
        group = self.file
        for step in path:
            found = next((child for child in _children(group) if _name(child) == step), None)
            if found is None:
                raise ImportFault(f"the archive has no weights of layer `{'/'.join(path)}`")
            group = found
        return {place: np.asarray(data) for place, data in _arrays(group, "") if "seed_generator" not in place}


def _children(group: H5Group) -> Iterator[H5Group]:
    layers = group.get("layers", {})
    yield from (layers[key] for key in layers)


def _name(group: H5Group) -> str:
    name = group["vars"].attrs.get("name", "") if "vars" in group else ""
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _arrays(group: H5Group, place: str) -> Iterator[tuple[str, H5Group]]:
    import h5py

    for key in group:
        if group.get(key, getlink=True).__class__ is not h5py.HardLink:
            continue  # a link leads to another file
        child = group[key]
        if isinstance(child, h5py.Group):
            yield from _arrays(child, f"{place}{key}/")
        elif child.dtype.kind in "fiub":
            yield f"{place}{key}", child


def layer_at(model: KerasModel, path: Sequence[str]) -> KerasLayer:
    """A layer by the way to it: through models, models that TimeDistributed wraps, and (`@activation`) layers."""
    layer = model
    for step in path:
        if step.startswith("@"):
            layer = getattr(layer, step[1:])
        else:
            layer = (layer if hasattr(layer, "get_layer") else layer.layer).get_layer(step)
    return layer


def stored_in(model: KerasModel) -> Stores:
    """The weights that a model has, as it would store them."""

    def of(path: Sequence[str]) -> Stored:
        found = variables_by_path(layer_at(model, path)).items()
        return {place: np.asarray(variable) for place, variable in found if "seed_generator" not in place}

    return of


def variables_by_path(layer: KerasCallable) -> dict[str, KerasVariable]:
    """A Keras layer's variables by the paths under which Keras stores them."""
    from keras.src.saving.keras_saveable import KerasSaveable
    from keras.src.saving.saving_lib import _walk_saveable
    from keras.src.utils.naming import to_snake_case

    found: dict[str, KerasVariable] = {}
    seen: set[int] = set()

    def walk(saveable: KerasLayer, place: str) -> None:
        if id(saveable) in seen:
            return
        seen.add(id(saveable))
        own: dict[str, KerasVariable] = {}
        saveable.save_own_variables(own)
        found.update({f"{place}vars/{key}": variable for key, variable in own.items()})
        for name, child in _walk_saveable(saveable):
            inside(child, f"{place}{name}")

    def inside(child: object, place: str) -> None:
        if isinstance(child, KerasSaveable):
            if hasattr(child, "save_own_variables"):
                walk(child, f"{place}/")
        elif isinstance(child, list | tuple | dict):
            counts: dict[str, int] = {}
            for each in child.values() if isinstance(child, dict) else child:
                name = to_snake_case(type(each).__name__) if isinstance(each, KerasSaveable) else "container"
                number = counts[name] = counts.get(name, -1) + 1
                inside(each, f"{place}/{name}" + (f"_{number}" if number else ""))

    walk(layer, "")
    return found


def described(stored: Mapping[str, np.ndarray]) -> str:
    """`dense/vars/0` (3, 8), …"""
    return ", ".join(f"`{place}` {array.shape}" for place, array in stored.items()) or "none"
