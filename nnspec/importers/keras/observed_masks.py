"""Observes the masks of a Keras model: runs it on padded inputs, and inspects the mask of every tensor.

Keras' rules cannot be told from a configuration: a mask ends at operators, is passed over by a recurrent layer with an
`initial_state`, is taken off its inputs by a MultiHeadAttention, and stays where an operation hands on the very tensor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
class Seen:
    """The masks of one call.

    Attributes:
        reads: of each tensor that it reads, masks left out, in the order of `Call.tensors`; None where it has none.
        given: of each argument that is a mask, by name: the mask itself.
        outputs: of each output.
    """

    reads: tuple[Fingerprint | None, ...]
    given: Mapping[str, Fingerprint | None]
    outputs: tuple[Fingerprint | None, ...]


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
        result = {place: _joined(result.get(place), seen) for place, seen in found.items()}
    return {
        place: Seen(
            tuple(map(_real, seen.reads)),
            {key: _real(mask) for key, mask in seen.given.items()},
            tuple(map(_real, seen.outputs)),
        )
        for place, seen in result.items()
    }


def _real(mask: Fingerprint | None) -> Fingerprint | None:
    """None for a mask that hides nothing, whatever the input: a Concatenate with something unmasked makes such."""
    return None if mask is None or not mask.strip(_NO_PADDING) else mask


def _joined(before: Seen | None, seen: Seen) -> Seen:
    """What several runs showed, as one."""
    if before is None:
        return seen

    def both(left: Fingerprint | None, right: Fingerprint | None) -> Fingerprint | None:
        return None if left is None or right is None else left + right

    return Seen(
        tuple(map(both, before.reads, seen.reads)),
        {key: both(before.given.get(key), mask) for key, mask in seen.given.items()},
        tuple(map(both, before.outputs, seen.outputs)),
    )


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
        inner = _function(operation)
        if hasattr(inner, "_run_through_graph"):  # whose own calls tell what becomes of the masks
            outputs = _run(inner, _masked_inputs(inner, arguments, keywords), call.place, found)
        else:
            call.given = {key: _fingerprint(keywords[key]) for key in MASKS if keywords.get(key) is not None}
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
    """A call as it was run: the masks that its tensors had then.

    Beside those there are masks that the graph hands to layers as an argument, which MultiHeadAttention does not take
    off; most layers go by them, and what they hand on is known once all of the graph has run.
    """

    place: tuple[Place, ...]
    operation: KerasLayer
    symbols: Sequence[KerasTensor]
    made: Sequence[KerasTensor]
    reads: list[Fingerprint | None] = field(default_factory=list)
    given: dict[str, Fingerprint | None] = field(default_factory=dict)
    outputs: list[Fingerprint | None] = field(default_factory=list)

    def seen(self, known: Mapping[int, Tensor]) -> Seen:
        import keras

        def has_mask(symbol: KerasTensor) -> bool:
            mask = _mask(symbol)
            return mask is not None and id(mask) in known

        def in_graph(symbol: KerasTensor, run: Fingerprint | None) -> Fingerprint | None:
            return _fingerprint(known[id(_mask(symbol))]) if has_mask(symbol) else run

        looks_itself = (keras.layers.Multiply, keras.layers.Maximum, keras.layers.Minimum)
        reads = self.reads
        if not isinstance(self.operation, (*looks_itself, keras.layers.MultiHeadAttention)):
            # What the graph joins to one mask are those of the graph: others, which a nested model's tensors have when
            # they are run, count as none.
            is_joined = any(has_mask(symbol) for symbol in self.made)
            pairs = zip(self.symbols, reads, strict=True)
            reads = [None if is_joined and _mask(symbol) is None else in_graph(symbol, run) for symbol, run in pairs]
        made = [in_graph(*pair) for pair in zip(self.made, self.outputs, strict=True)]
        return Seen(tuple(reads), self.given, tuple(made))


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


def _fingerprint(mask: Tensor | None) -> Fingerprint | None:
    if mask is None:
        return None
    values = np.asarray(mask).astype(bool)
    if values.all():
        return _NO_PADDING
    return b"M" + repr(values.shape).encode() + np.packbits(values).tobytes()
