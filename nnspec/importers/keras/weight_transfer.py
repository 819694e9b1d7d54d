"""Carries a Keras model's weights over to the compiled spec."""

from __future__ import annotations

from nnspec.backends.keras.model import Compiled
from nnspec.backends.types import KerasLayer, KerasModel, KerasVariable
from nnspec.importers.keras.block_weights import Holder, assign
from nnspec.importers.keras.build_spec import Draft
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.stored_weights import Stores, layer_at
from nnspec.ir.graph import Graph


def carry_weights(model: KerasModel, draft: Draft, graph: Graph, compiled: Compiled) -> None:
    """Every layer's weights from the model to the compiled spec.

    Raises:
        ImportFault: where a layer has others.
    """
    for node, item in zip(graph.nodes, draft.items, strict=True):
        if item.call is None or not node.weights:
            continue
        source = layer_at(model, item.call.path)
        made = node.layer.keras_weights(compiled.layers[node.name])
        weights = own_weights(source)
        if [tuple(v.shape) for v in weights] != [tuple(v.shape) for v in made]:
            raise ImportFault(f"layer `{item.call.name}` ({node.kind}) has other weights than in the spec")
        for variable, value in zip(made, weights, strict=True):
            variable.assign(value)
    for layer in compiled.model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def carry_blocks(draft: Draft, graph: Graph, compiled: Compiled, stored: Stores) -> None:
    """The weights of custom classes to the blocks that stand for them."""
    nodes = {id(item): node for item, node in zip(draft.items, graph.nodes, strict=True)}
    for one in draft.inlined:
        holders = [
            Holder(item.origin, nodes[id(item)], compiled.layers[nodes[id(item)].name])
            for item in one.items
            if item.origin is not None and nodes[id(item)].weights
        ]
        if holders:
            for variable, array in assign(one.block, one.call.name, holders, stored(one.call.path)):
                variable.assign(array)


def own_weights(layer: KerasLayer) -> list[KerasVariable]:
    """A layer's weights without those of a layer that is its activation: that one is a layer of its own."""
    inner = getattr(layer, "activation", None)
    apart = {id(variable) for variable in getattr(inner, "weights", ())}
    return [variable for variable in layer.weights if id(variable) not in apart]
