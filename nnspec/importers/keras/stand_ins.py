"""Stand-ins that compute blocks, so that Keras can load a model of which classes of one's own are part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

from nnspec.backends.types import KerasTensor, Tensor
from nnspec.importers.keras.block_weights import Holder, assign
from nnspec.importers.keras.inline import Inlined
from nnspec.importers.keras.network import ImportFault
from nnspec.importers.keras.stored_weights import Stores
from nnspec.ir.graph import Graph, Output, Value

Computed: TypeAlias = Callable[[Sequence[KerasTensor]], KerasTensor]


def stand_ins(inlined: Sequence[Inlined], stored: Stores) -> dict[str, type]:
    """Classes for `custom_objects`, by the names under which the archive knows those that they stand for.

    Raises:
        ImportFault: where two layers of one class have one name.
        SpecError: NN381 where weights do not fit.
    """
    made: dict[str, dict[str, Computed]] = {}
    ways: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in inlined:
        if one.block.is_shipped:
            continue
        key = (one.call.kind, one.call.name)
        if ways.setdefault(key, one.call.path) != one.call.path:
            raise ImportFault(
                f"two layers of the class `{one.call.kind}` are called `{one.call.name}`",
                help="rename one of them, and save the model again",
            )
        for name in {one.call.kind, one.call.registered} - {""}:
            if one.call.name not in made.setdefault(name, {}):
                made[name][one.call.name] = _compute_block(one, stored)
    return {name: _class(name, layers) for name, layers in made.items()}


@contextmanager
def standing_in(classes: Mapping[str, type]) -> Iterator[None]:
    """Has Keras take these classes, also where this process has registered others under the names."""
    import keras

    known = keras.saving.get_custom_objects()
    before = {name: known[name] for name in classes if name in known}
    known.update(classes)
    try:
        yield
    finally:
        for name in classes:
            known.pop(name, None)
        known.update(before)


def _compute_block(one: Inlined, stored: Stores) -> Computed:
    """The block's items as a Keras model, with the layer's weights."""
    from nnspec.backends.keras.model import build_model

    inputs: dict[str, Value] = {}
    bound: dict[tuple[str, str], Value] = {}
    for i, read in enumerate(one.reads):
        value = replace(read.value, node=f"in_{i}", port="output")
        inputs[value.node] = value
        bound.setdefault((read.value.node, read.value.port), value)
    nodes = tuple(
        replace(item.node, shared=item.shared, inputs=tuple(bound.get((v.node, v.port), v) for v in item.node.inputs))
        for item in one.items
    )
    outputs = {}
    for i, read in enumerate(one.outputs):
        value = bound.get((read.value.node, read.value.port), read.value)
        outputs[f"out_{i}"] = Output(name=f"out_{i}", value=value, task="regression", span=one.block.span)
    compiled = build_model(Graph(name=one.call.name, inputs=inputs, nodes=nodes, outputs=outputs))
    holders = [
        Holder(item.origin, node, compiled.layers[node.name])
        for item, node in zip(one.items, nodes, strict=True)
        if node.weights and item.origin is not None
    ]
    if holders:
        for variable, array in assign(one.block, one.call.name, holders, stored(one.call.path)):
            variable.assign(array)
    names = list(inputs)

    def compute(tensors: Sequence[Tensor]) -> Tensor:
        given = dict(zip(names, tensors, strict=True)) if len(names) > 1 else tensors[0]
        result = compiled.model(given, training=False)
        listed = list(result.values()) if isinstance(result, Mapping) else [result]
        return listed if len(listed) > 1 else listed[0]

    return compute


def _class(class_name: str, layers: Mapping[str, Computed]) -> type:
    import keras

    class StandIn(keras.layers.Layer):  # type: ignore[misc]
        """Computes a block; its weights are the block's already."""

        @classmethod
        def from_config(cls, config: dict[str, str]) -> StandIn:
            return cls(name=config["name"])

        def build(self, *shapes: object) -> None:
            self.built = True

        def build_from_config(self, config: dict[str, str]) -> None:
            self.built = True

        def call(self, inputs: Tensor, *more: Tensor, **keywords: Tensor) -> Tensor:
            read = [value for value in keras.tree.flatten((inputs, more, keywords)) if hasattr(value, "shape")]
            return layers[self.name](read)

        def load_own_variables(self, store: object) -> None:
            pass

    StandIn.__name__ = class_name
    return StandIn
