"""What people write for a layer's arguments out of habit from Keras, PyTorch or ONNX, and what a spec says instead.

A kind says its own in `habits`: the word as it is written there, and a `Hint`. Those of any owner are in
`nnspec.validation.hints`.
"""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Hint:
    """What to say about a word that does not exist, and the word that takes its place, if one does."""

    text: str
    instead: str | None = None


def keras_word(instead: str) -> Hint:
    """The same argument by the name that Keras has for it."""
    return Hint(f"Keras' name for it is `{instead}`", instead)


INFERRED = Hint("it is inferred from the input; remove it")
# What layers of other frameworks do as well, in a layer with weights.
SEPARATE_LAYERS: Mapping[str, Hint] = {
    habit: Hint(f"write it as a separate layer after this one: `{layer}`")
    for habit, layer in {
        "dropout": "Dropout: 0.5",
        "dropout_rate": "Dropout: 0.5",
        "batch_norm": "BatchNormalization",
        "batch_normalization": "BatchNormalization",
        "layer_norm": "LayerNormalization",
        "pool_size": "MaxPooling2D: 2",
    }.items()
}
# An activation, in a layer without weights or one that normalizes.
SEPARATE_ACTIVATION: Mapping[str, Hint] = {
    "activation": Hint("write it as a separate layer after this one: `Activation: relu`")
}
# The inputs of an attention as arguments.
ATTENTION_INPUTS: Mapping[str, Hint] = dict.fromkeys(
    ("query", "value", "key", "q", "k", "v"),
    Hint("list its inputs: `from: [query, value]`, or `from: [query, value, key]`"),
)
