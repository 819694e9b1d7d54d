"""Observes the masks of a Keras model: runs it on padded inputs, and inspects the mask of every tensor.

Keras' rules cannot be told from a configuration: a mask ends at operators, is passed over by a recurrent layer with an
`initial_state`, is taken off its inputs by a MultiHeadAttention, and stays where an operation hands on the very tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.types import KerasLayer, KerasModel, KerasTensor, Tensor
from nnspec.importers.keras.network import MASKS, ImportFault, Place, leaves_in, reason_of

if TYPE_CHECKING:
    from keras.src.ops.node import Node as KerasNode
    from keras.src.ops.symbolic_arguments import SymbolicArguments

_NO_PADDING = b"A"
Fingerprint = bytes  # of a mask's values; masks that are equal on many padded inputs are one


@dataclass(frozen=True)
class Flow:
    """The masks of what a call reads and makes, in one of the two ways in which Keras hands masks on.

    Attributes:
        reads: of each tensor that it reads, masks left out, in the order of `Call.tensors`; None where it has none.
        outputs: of each output.
    """

    reads: tuple[Fingerprint | None, ...]
    outputs: tuple[Fingerprint | None, ...]


@dataclass(frozen=True)
class Seen(Flow):
    """The masks of one call.

    A value can have two: that which its tensor has when the model runs, and that which the graph computes from the
    masks of the symbolic tensors. They differ behind a MultiHeadAttention, which takes the masks off the tensors that
    run, and behind nested models. The graph's is used where the graph records it as a layer's `mask`, and the other
    one elsewhere: by an Attention, a Multiply, a layer that is called with further arguments.

    What stands here is what the call itself goes by: a layer that looks at masks has those that it uses, another one
    those that it hands on, of the graph where this has some.

    Attributes:
        given: of each argument that is a mask, by name: the mask itself, or those of a list.
        ways: both, each as a whole; a join makes a mask of its own in either.
    """

    given: Mapping[str, tuple[Fingerprint | None, ...]]
    ways: tuple[Flow, ...]


Observed = Mapping[tuple[Place, ...], Seen]


def observe_masks(model: KerasModel, runs: Sequence[Sequence[np.ndarray]]) -> dict[tuple[Place, ...], Seen]:
    """Runs the model as Keras does, without training.

    Args:
        runs: inputs in the order of the model's; many padded rows tell masks apart.

    Returns:
        What was seen at each call, by the way to its layer and the number of the call.
    """
    import keras

    from nnspec.backends.keras.model import reset_states

    function = _function(model)
    result: dict[tuple[Place, ...], Seen] = {}
    for inputs in runs:
        found: dict[tuple[Place, ...], Seen] = {}
        pairs = zip(inputs, function._inputs, strict=True)
        _run(function, [keras.ops.convert_to_tensor(array, symbol.dtype) for array, symbol in pairs], (), found)
        reset_states(model)
        result = {place: _join_runs(result.get(place), seen) for place, seen in found.items()}
    return {place: _map_masks(_real, seen) for place, seen in result.items()}


def _map_masks(change: Callable[..., Fingerprint | None], *seen: Seen) -> Seen:
    """What was seen with every mask changed, or with those of several runs made one."""

    def changed(*masks: tuple[Fingerprint | None, ...]) -> tuple[Fingerprint | None, ...]:
        return tuple(map(change, *masks))

    def flows(*same: Flow) -> Flow:
        return Flow(changed(*(one.reads for one in same)), changed(*(one.outputs for one in same)))

    own = flows(*seen)
    given = {key: changed(*(one.given[key] for one in seen)) for key in seen[0].given}
    return Seen(own.reads, own.outputs, given, tuple(map(flows, *(one.ways for one in seen))))


def _real(mask: Fingerprint | None) -> Fingerprint | None:
    """None for a mask that hides nothing, whatever the input: a Concatenate with something unmasked makes such."""
    return None if mask is None or not mask.strip(_NO_PADDING) else mask


def _join_runs(before: Seen | None, seen: Seen) -> Seen:
    """What several runs showed, as one."""
    if before is None:
        return seen

    def both(left: Fingerprint | None, right: Fingerprint | None) -> Fingerprint | None:
        return None if left is None or right is None else left + right

    return _map_masks(both, before, seen)


def _function(model: KerasLayer) -> KerasModel:
    """A Sequential runs as the Functional that it is made of."""
    return getattr(model, "_functional", None) or model


def _run(
    function: KerasModel, inputs: list[Tensor], way: tuple[Place, ...], found: dict[tuple[Place, ...], Seen]
) -> list[Tensor]:
    """One pass through a functional model, as its own `_run_through_graph` does it; its outputs in a row."""
    from keras import tree

    known = {id(symbol): tensor for symbol, tensor in zip(function._inputs, inputs, strict=True)}
    calls: list[_Ran] = []
    for node in _in_order(function):
        if any(id(symbol) not in known for symbol in node.input_tensors):
            continue
        arguments, keywords = node.arguments.fill_in(known)
        keywords = {**keywords, **({"training": False} if keywords.get("training") else {})}
        operation = node.operation
        symbols = _symbols(node.arguments)
        place = (*way, (operation.name, _number(function, node)))
        call = _Ran(place=place, operation=operation, symbols=symbols, made=node.outputs)
        call.reads = [_fingerprint(_mask(known[id(symbol)])) for symbol in symbols]
        call.given = {key: _fingerprints(keywords[key]) for key in MASKS if keywords.get(key) is not None}
        inner = _function(operation)
        if hasattr(inner, "_run_through_graph"):  # whose own calls tell what becomes of the masks
            outputs = _run(inner, _masked_inputs(inner, arguments, keywords), call.place, found)
        else:
            outputs = tree.flatten(_call(operation, arguments, keywords))
        call.outputs = [_fingerprint(_mask(tensor)) for tensor in outputs]
        calls.append(call)
        for symbol, tensor in zip(node.outputs, outputs, strict=True):
            known[id(symbol)] = tensor
    for call in calls:
        found[call.place] = call.seen(known)
    return [known[id(symbol)] for symbol in function._outputs]


@dataclass(kw_only=True)
class _Ran:
    """A call as it was run: the masks that its tensors had then; those of the graph are known once all has run."""

    place: tuple[Place, ...]
    operation: KerasLayer
    symbols: Sequence[KerasTensor]
    made: Sequence[KerasTensor]
    reads: list[Fingerprint | None] = field(default_factory=list)
    given: dict[str, tuple[Fingerprint | None, ...]] = field(default_factory=dict)
    outputs: list[Fingerprint | None] = field(default_factory=list)

    def seen(self, known: Mapping[int, Tensor]) -> Seen:
        def of_graph(symbol: KerasTensor) -> Fingerprint | None:
            mask = _mask(symbol)
            return _fingerprint(known[id(mask)]) if mask is not None and id(mask) in known else None

        run = Flow(tuple(self.reads), tuple(self.outputs))
        graph = Flow(tuple(map(of_graph, self.symbols)), tuple(map(of_graph, self.made)))
        own = run if _looks_at_masks(self.operation) else self.handed_on(run, graph)
        return Seen(own.reads, own.outputs, self.given, (graph, run))

    def handed_on(self, run: Flow, graph: Flow) -> Flow:
        """The masks of the graph, and those that only the tensors have when they are run.

        What the graph joins to one mask are those of the graph alone: a tensor without counts as one that has none.
        """
        if any(mask is not None for mask in graph.outputs):
            is_join = len(run.reads) > 1
            return Flow(graph.reads if is_join else _first_known(graph.reads, run.reads), graph.outputs)
        return Flow(_first_known(graph.reads, run.reads), _first_known(graph.outputs, run.outputs))


def _first_known(
    masks: Sequence[Fingerprint | None], others: Sequence[Fingerprint | None]
) -> tuple[Fingerprint | None, ...]:
    return tuple(other if mask is None else mask for mask, other in zip(masks, others, strict=True))


def _looks_at_masks(operation: KerasLayer) -> bool:
    """Whether what a layer computes depends on the masks that its tensors have, where it is given no others."""
    import keras

    if isinstance(operation, keras.layers.Multiply | keras.layers.Maximum | keras.layers.Minimum):
        return True
    return isinstance(operation, keras.Layer) and not MASKS.isdisjoint(operation._call_signature.parameters)


def _call(operation: KerasLayer, arguments: Sequence[object], keywords: Mapping[str, object]) -> Tensor:
    """What Keras' layer gives.

    Raises:
        ImportFault: where it fails, as a Softmax does that reads a mask of fewer axes.
    """
    try:
        return operation(*arguments, **keywords)
    except Exception as error:
        raise ImportFault(
            f"layer `{operation.name}` ({type(operation).__name__}) fails in Keras itself on padded input: "
            f"{reason_of(error)}",
            help="fix the model, and save it again",
        ) from None


def _masked_inputs(inner: KerasModel, arguments: Sequence[Tensor], keywords: Mapping[str, Tensor]) -> list[Tensor]:
    """What a nested model reads, with the mask that it is called with, as its own `call` does it."""
    from keras import tree
    from keras.src.backend import set_keras_mask

    read = list(inner._standardize_inputs(arguments[0] if arguments else keywords["inputs"]))
    masks = tree.flatten(keywords["mask"]) if keywords.get("mask") is not None else []
    for tensor, mask in zip(read, masks, strict=False):
        if mask is not None:
            set_keras_mask(tensor, mask)
    return read


def _in_order(function: KerasModel) -> Iterator[KerasNode]:
    for depth in sorted(function._nodes_by_depth, reverse=True):
        for node in function._nodes_by_depth[depth]:
            if node.operation and not node.is_input:
                yield node


def _number(function: KerasModel, node: KerasNode) -> int:
    """The number of the call among those of its layer that belong to the model, as the configuration lists them."""
    from keras.src.ops.function import make_node_key

    operation = node.operation
    mine = [other for i, other in enumerate(operation._inbound_nodes) if make_node_key(operation, i) in function._nodes]
    return next(i for i, other in enumerate(mine) if other is node)


def _symbols(arguments: SymbolicArguments) -> list[KerasTensor]:
    """The tensors that a call reads, in the order in which the configuration lists them; constants are none."""
    import keras

    read = {key: value for key, value in arguments.kwargs.items() if key not in MASKS}
    return [leaf for leaf in leaves_in((arguments.args, read)) if isinstance(leaf, keras.KerasTensor)]


def _mask(tensor: KerasTensor) -> KerasTensor | None:
    from keras.src.backend import get_keras_mask

    return get_keras_mask(tensor)


def _fingerprints(masks: Tensor | Sequence[Tensor | None]) -> tuple[Fingerprint | None, ...]:
    return tuple(map(_fingerprint, masks)) if isinstance(masks, list | tuple) else (_fingerprint(masks),)


def _fingerprint(mask: Tensor | None) -> Fingerprint | None:
    if mask is None:
        return None
    values = np.asarray(mask).astype(bool)
    if values.all():
        return _NO_PADDING
    return b"M" + repr(values.shape).encode() + np.packbits(values).tobytes()
