"""Weights as a Keras file stores them, by the path below each layer; read as numbers, and nothing else."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from nnspec.backends.types import KerasCallable, KerasLayer, KerasVariable

Stored = dict[str, np.ndarray]  # by the path below a layer, such as `dense/vars/0`
H5Group: TypeAlias = Any  # of h5py, which ships no types
_FILE = "model.weights.h5"


class StoredWeights:
    """The weights in a .keras archive, or in a .weights.h5 file.

    Raises:
        ValueError: where it is neither, or damaged.
    """

    def __init__(self, path: Path) -> None:
        import h5py  # type: ignore[import-untyped]

        try:
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    self.file = h5py.File(io.BytesIO(archive.read(_FILE)), "r")
            else:
                self.file = h5py.File(path, "r")
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(str(error).strip("\"'")) from None

    def layers(self) -> dict[str, H5Group]:
        """Every layer by its name; one of a model within the model is `outer/inner`."""
        return dict(_layers(self.file, ""))

    def shapes(self, layer: H5Group) -> dict[str, tuple[int, ...]]:
        """The shape of each weight of a layer, by its path; nothing is read."""
        return {place: tuple(data.shape) for place, data in _arrays(layer, "") if "seed_generator" not in place}

    def arrays(self, layer: H5Group) -> Stored:
        """The weights of a layer, by their paths."""
        return {place: np.asarray(data) for place, data in _arrays(layer, "") if "seed_generator" not in place}

    def of(self, path: Sequence[str]) -> Stored:
        """The weights of a layer, given the names of the models that hold it and its own.

        Raises:
            LookupError: where there is no such layer.
        """
        group = self.file
        for step in path:
            found = next((child for child in _children(group) if _name(child) == step), None)
            if found is None:
                raise LookupError("/".join(path))
            group = found
        return self.arrays(group)


def _layers(group: H5Group, place: str) -> Iterator[tuple[str, H5Group]]:
    for child in _children(group):
        name = f"{place}{_name(child)}"
        yield name, child
        yield from _layers(child, f"{name}/")


def _children(group: H5Group) -> Iterator[H5Group]:
    import h5py

    layers = group.get("layers", {}) if _is_here(group, "layers") else {}
    yield from (layers[key] for key in layers if _is_here(layers, key) and isinstance(layers[key], h5py.Group))


def _name(group: H5Group) -> str:
    name = group["vars"].attrs.get("name", "") if "vars" in group and _is_here(group, "vars") else ""
    return name.decode("utf-8") if isinstance(name, bytes) else str(name)


def _is_here(group: H5Group, key: str) -> bool:
    """Whether a member is in this file: a link leads to another one."""
    import h5py

    return isinstance(group.get(key, getlink=True), h5py.HardLink)


def _arrays(group: H5Group, place: str) -> Iterator[tuple[str, H5Group]]:
    import h5py

    for key in group:
        if not _is_here(group, key):
            continue
        child = group[key]
        if isinstance(child, h5py.Group):
            yield from _arrays(child, f"{place}{key}/")
        elif child.dtype.kind in "fiub" and not child.external and not child.is_virtual:  # whose values are elsewhere
            yield f"{place}{key}", child


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
