"""Weights as an archive stores them, by the path below each layer; read as numbers, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nnspec.backends.keras.stored_weights import Stored, StoredWeights, variables_by_path
from nnspec.backends.types import KerasLayer, KerasModel
from nnspec.importers.keras.network import ImportFault

Stores = Callable[[Sequence[str]], Stored]  # of each layer, by the way to it


class WeightsFile:
    """The weights of a .keras archive, or of a .weights.h5 file."""

    def __init__(self, path: Path) -> None:
        try:
            self.stored = StoredWeights(path)
        except ValueError as error:
            raise ImportFault(f"the weights in `{path.name}` cannot be read: {error}") from None

    def of(self, path: Sequence[str]) -> Stored:
        """The weights of a layer, given the names of the models that hold it and its own.

        Raises:
            ImportFault: where the archive has no such layer.
        """
        try:
            return self.stored.of(path)
        except LookupError:
            raise ImportFault(f"the archive has no weights of layer `{'/'.join(path)}`") from None


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
