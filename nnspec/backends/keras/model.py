"""The graph as a Keras model. Every node is lowered once; nodes that share a layer share one Keras layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nnspec.backends.base import TrainingBackend
from nnspec.backends.keras.precision import computing_in
from nnspec.backends.registry import running_backend
from nnspec.backends.types import KerasModel, Tensor, Values
from nnspec.diagnostics import SpecError
from nnspec.ir.graph import Graph, Node, Output, Value
from nnspec.ir.layer_failure import failure, say
from nnspec.ir.names import keras_name
from nnspec.ir.precision import policies

if TYPE_CHECKING:
    from nnspec.backends.types import KerasCallable, KerasLayer


@dataclass(frozen=True, eq=False)
class Compiled:
    """A Keras model and, for every node, the Keras layer (or callable) that computes it.

    One input or output stands alone; several are dicts by name.

    Attributes:
        tensors: by "node" or "node.port", the Keras tensor.
        trained: the model as it is trained: with the outputs that have targets, and the same layers; `model` itself
            where all have.
    """

    model: KerasModel
    layers: Mapping[str, KerasCallable]
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    trained: KerasModel = None


def build_model(
    graph: Graph, *, batches: Mapping[str, int | None] | None = None, precision: str = "float32"
) -> Compiled:
    """The Keras model of a graph, weights drawn from Keras' current seed, the same on every engine.

    Args:
        precision: what the layers compute in; weights are float32, and so are outputs.

    Raises:
        CompilerBug: where Keras refuses what the checks let pass.
    """
    from nnspec.backends.keras.initial_weights import drawn_alike
    from nnspec.backends.keras.layers.carried_states import carry_states

    with drawn_alike():
        compiled = _build(graph, graph.batches if batches is None else batches, precision)
    carry_states(compiled.model)
    return compiled


def _build(graph: Graph, batches: Mapping[str, int | None], precision: str) -> Compiled:
    import keras

    tensors: dict[tuple[str, str], Tensor] = {}
    inputs: dict[str, Tensor] = {}
    for name, value in graph.inputs.items():
        shape = tuple(axis.size if isinstance(axis.size, int) else None for axis in value.axes)
        inputs[name] = keras.Input(shape=shape, batch_size=batches.get(name), dtype=value.dtype, name=keras_name(name))
        tensors[name, "output"] = inputs[name]
    layers: dict[str, KerasCallable] = {}
    shared: dict[str, KerasCallable] = {}
    dtypes = policies(graph, precision)
    for node in graph.nodes:
        read = [tensors[value.node, value.port] for value in node.inputs]
        try:
            layer = shared.get(node.shared) if node.shared else None
            with computing_in(dtypes[node.name]):
                if layer is None:
                    layer = node.layer.to_keras(node)
                if node.shared:
                    shared[node.shared] = layer
                results = _as_results(node, node.layer.call_keras(layer, node, read))
            if node.args.get("trainable") is False:  # said last: what a layer makes when it is built would be trained
                setattr(layer, "trainable", False)  # noqa: B010 - some kinds lower to a callable, not a layer
        except SpecError:
            raise
        except (Exception, SystemExit) as error:
            what = f"fails to create the Keras layer of `{node.name}`, which passed the checks: {say(error)}"
            raise failure(node.layer, node.inner, node.span, what) from error
        layers[node.name] = layer
        for value, tensor in zip(node.outputs, results, strict=True):
            _compare_shapes(node, value, tensor)
            tensors[node.name, value.port] = tensor
    outputs = {name: _output(o, tensors[o.value.node, o.value.port]) for name, o in graph.outputs.items()}
    rename_operations(outputs.values())
    model = keras.Model(
        inputs=inputs if len(inputs) > 1 else next(iter(inputs.values())),
        outputs=outputs if len(outputs) > 1 else next(iter(outputs.values())),
        name=keras_name(graph.name),
    )
    named = {(node if port == "output" else f"{node}.{port}"): tensor for (node, port), tensor in tensors.items()}
    return Compiled(model, layers, named, _with_targets(graph, model, outputs))


def _with_targets(graph: Graph, model: KerasModel, outputs: Mapping[str, Tensor]) -> KerasModel:
    """The model without the outputs that no loss compares with targets, if there are such."""
    import keras

    kept = {name: tensor for name, tensor in outputs.items() if graph.outputs[name].is_trained}
    if not kept or len(kept) == len(outputs):
        return model
    return keras.Model(
        inputs=model.input,
        outputs=kept if len(kept) > 1 else next(iter(kept.values())),
        name=model.name,
    )


def rename_operations(outputs: Iterable[Tensor]) -> None:
    """Gives operations that Keras has named another name where a layer of the spec, or another one, has theirs.

    Keras numbers the operations that it names by itself (`multiply_1`, also those of masks), and refuses a model in
    which two have one name; the spec's names are its author's.
    """
    import keras

    operations, rest, seen = {}, list(outputs), set[int]()
    while rest:
        tensor = rest.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        history = tensor._keras_history
        operations[id(history.operation)] = history.operation
        rest += history.operation._inbound_nodes[history.node_index].input_tensors
    taken = {operation.name for operation in operations.values() if isinstance(operation, keras.Layer)}
    for operation in operations.values():
        if isinstance(operation, keras.Layer):
            continue
        number, name = 1, operation.name
        while operation.name in taken:
            operation.name, number = f"{name}.{number}", number + 1
        taken.add(operation.name)


def _output(output: Output, tensor: Tensor) -> Tensor:
    """An output; Keras' losses apply a mask to values of one axis behind the masked one, and fail on more.

    Where the data say which targets count, that is said once, by weights.
    """
    if output.value.mask is None or (len(output.value.axes) <= 2 and output.counts == "all"):
        return tensor
    from keras import ops

    return ops.copy(tensor)  # an operation: Keras hands a mask on from layer to layer alone


def _as_results(node: Node, made: Tensor) -> list[Tensor]:
    """What a layer gives, a tensor for each output that was inferred."""
    import keras

    results = list(made) if isinstance(made, list | tuple) else [made]
    if len(results) != len(node.outputs):
        raise ValueError(f"it must return a tensor for each output, {len(node.outputs)}, but returns {len(results)}")
    for result in results:
        if not keras.backend.is_keras_tensor(result):
            raise TypeError(f"it returns {type(result).__name__}, not a tensor")
    return results


def _compare_shapes(node: Node, value: Value, tensor: Tensor) -> None:
    """What was inferred is what Keras made."""
    inferred = tuple(axis.size if isinstance(axis.size, int) else None for axis in value.axes)
    built = tuple(tensor.shape[1:])
    agree = len(inferred) == len(built) and all(
        a == b or a is None or b is None for a, b in zip(inferred, built, strict=True)
    )
    if not agree:
        what = f"infers shape {inferred} for `{node.name}`, but Keras builds {built}"
        raise failure(node.layer, node.inner, node.span, what)


def read_weights(node: Node, layer: KerasLayer) -> dict[str, np.ndarray]:
    """A node's weights by the names that the graph gives them.

    Raises:
        CompilerBug: where Keras has other weights than inferred.
    """
    try:
        variables = node.layer.keras_weights(layer) if node.weights else []
    except Exception as error:
        what = f"fails to find the weights of `{node.name}` in its Keras layer: {say(error)}"
        raise failure(node.layer, node.inner, node.span, what) from error
    shapes = [tuple(v.shape) for v in variables]
    if shapes != [w.shape for w in node.weights]:
        wanted = ", ".join(f"{w.name} {w.shape}" for w in node.weights)
        what = f"infers weights {wanted} for `{node.name}`, but Keras has {shapes}"
        raise failure(node.layer, node.inner, node.span, what)
    return {w.name: np.asarray(v) for w, v in zip(node.weights, variables, strict=True)}


def reset_states(model: KerasModel) -> None:
    """Stateful layers begin anew. Keras' own `reset_state` fails on the nested states of stacked cells."""
    from keras import ops, tree

    for layer in model._flatten_layers():
        if getattr(layer, "stateful", False) and getattr(layer, "states", None) is not None:
            for state in tree.flatten(layer.states):
                state.assign(ops.zeros(state.shape, state.dtype))


def as_model_inputs(graph: Graph, arrays: Mapping[str, np.ndarray]) -> Values:
    """Arrays by input name as the Keras model takes them; tensors where there is text: Keras takes no arrays of it."""
    ready: dict[str, Tensor] = dict(arrays)
    if any(value.dtype == "string" for value in graph.inputs.values()):
        from keras import ops

        ready = {name: ops.convert_to_tensor(array) for name, array in ready.items()}
    return ready if len(graph.inputs) > 1 else ready[next(iter(graph.inputs))]


def as_array(value: Tensor) -> np.ndarray:
    """A result as an array; text as words rather than bytes."""
    array = np.asarray(value)
    if array.dtype.kind != "O":
        return array
    words = [word.decode("utf-8") if isinstance(word, bytes) else word for word in array.reshape(-1)]
    return np.asarray(words, object).reshape(array.shape)


def predict(
    model: KerasModel,
    graph: Graph,
    arrays: Mapping[str, np.ndarray],
    batch_size: int = 256,
    backend: TrainingBackend | None = None,
) -> dict[str, np.ndarray]:
    """The Keras model's outputs by name; a batch for arrays of more than `batch_size` samples at a time.

    Args:
        backend: what computes them; default the engine that Keras runs on.
    """
    made = (backend or running_backend()).predict(model, as_model_inputs(graph, arrays), batch_size)
    results = made if isinstance(made, dict) else {next(iter(graph.outputs)): made}
    return {name: as_array(value) for name, value in results.items()}
