"""The states of stateful layers, which Keras on JAX forgets from batch to batch.

On JAX a training step is a function from variables to variables, and Keras hands it those that a layer tracks. The
states of a recurrent layer are none of them, so what a step assigns to them is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras

if TYPE_CHECKING:
    from nnspec.backends.types import KerasModel, KerasVariable


@dataclass(frozen=True, eq=False)
class _Carried:
    """A state in the place of a generator of random numbers: a variable of the layer, but none of its weights."""

    state: KerasVariable


def carry_states(model: KerasModel) -> None:
    """Makes the states of a model's stateful layers variables of it, where its engine is JAX."""
    if keras.backend.backend() != "jax":
        return
    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and getattr(layer, "states", None) is not None:
            layer._seed_generators += [_Carried(state) for state in keras.tree.flatten(layer.states)]
