"""Vocabularies that a Keras model learned by `adapt`, taken from the loaded model's layers."""

from __future__ import annotations

from nnspec.backends.types import KerasModel
from nnspec.importers.keras.network import Call, ImportFault, Network
from nnspec.layers.registry import REGISTRY


def unsaved_vocabularies(network: Network) -> list[Call]:
    """The lookups whose words are not in the configuration."""
    return [call for call in network.calls if _has_words(call.kind) and not call.config.get("vocabulary")]


def _has_words(kind: str) -> bool:
    layer = REGISTRY.get(kind)
    return layer is not None and "vocabulary" in layer.args


def fill_in(calls: list[Call], model: KerasModel) -> None:
    """Writes into the configurations what the model's layers know.

    Raises:
        ImportFault: where a layer was never adapted.
    """
    import numpy as np

    for call in calls:
        layer = model
        for step in call.path:
            layer = layer.get_layer(step)
        table = getattr(layer, "_lookup_layer", layer)
        words = [word.item() if isinstance(word, np.generic) else word for word in table.get_vocabulary(False)]
        if not words:
            raise ImportFault(f"layer `{call.name}` ({call.kind}) has no vocabulary: it was never adapted")
        config = call.config
        assert isinstance(config, dict), "it was read from JSON, or made by `get_config`"
        config["vocabulary"] = words
        if table.output_mode == "tf_idf":
            start = table.vocabulary_size() - len(words)
            weights = np.asarray(table.idf_weights)[start : start + len(words)]
            config["idf_weights"] = [float(weight) for weight in weights]
