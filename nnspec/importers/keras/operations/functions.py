"""Elementwise functions as activation layers, with their arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping

from nnspec.catalogue import keras_objects
from nnspec.importers.keras.items import Read
from nnspec.importers.keras.operations.operation import Operation, Rule

_WITHOUT = {"alpha": 1.0, "approximate": False, "threshold": 0.5}  # what activations by name have


def activation_word(kind: str) -> str | None:
    """What an activation is called by name that Keras' class of an operation computes; None where none does."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    word = keras_objects.aliases("activations").get(word, word)
    return word if word in keras_objects.names("activations") else None


def add_activation(op: Operation) -> Read | None:
    """The layer of an activation."""
    if len(op.reads) != 1 or op.constants:
        return None
    rank = len(op.axes(op.reads[0]))
    if op.kind == "LeakyRelu":
        return op.add("LeakyReLU", {"negative_slope": float(op.config["negative_slope"])}, op.reads)
    if op.kind == "Elu" and op.config.get("alpha", 1.0) != 1.0:
        return op.add("ELU", {"alpha": float(op.config["alpha"])}, op.reads)
    if op.kind == "Softmax":
        places = op.places(op.config.get("axis", -1), rank)
        if places != [rank - 1]:
            names = [op.name(op.reads[0], place) for place in places]
            return op.add("Softmax", {"axis": names if len(names) > 1 else names[0]}, op.reads)
    if op.kind == "Normalize" and op.config.get("order") == 2 and not op.config.get("epsilon"):
        place = op.place(op.config.get("axis", -1), rank)
        return op.add("UnitNormalization", {} if place == rank - 1 else {"axis": op.name(op.reads[0], place)}, op.reads)
    word = activation_word(op.kind)
    if word is None:
        return None
    if any(op.config.get(key, value) != value for key, value in _WITHOUT.items()):
        return None
    if "axis" in op.config and op.place(op.config["axis"], rank) != rank - 1:
        return None
    return op.add("Activation", {"activation": word}, op.reads)


RULES: Mapping[str, Rule] = dict.fromkeys(("LeakyRelu", "Normalize"), add_activation)
