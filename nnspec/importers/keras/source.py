"""Converts a Keras configuration to layer calls in order of computation: flattens nested models, keeps shared layers.

Reads what `Model.get_config` gives (and a .keras archive holds as config.json); no framework is needed, and nothing
that the configuration names is ever loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nnspec.importers.keras.functional import Reference, is_model, named_references, references, to_functional
from nnspec.importers.keras.network import (
    GIVEN,
    MASKS,
    Call,
    Config,
    Constant,
    ImportFault,
    Network,
    Place,
    Tensor,
    leaves_in,
    tensors_in,
)


@dataclass(eq=False, kw_only=True)
class _Scope:
    """A model's configuration at one of its uses: its layers by name, and what its inputs are bound to."""

    config: Config
    path: tuple[str, ...]
    bindings: dict[str, Tensor]
    places: tuple[Place, ...] = ()
    distributed: int = 0
    layers: dict[str, Config] = field(default_factory=dict)
    made: dict[tuple[str, int], Call] = field(default_factory=dict)
    inner: dict[tuple[str, int], _Scope] = field(default_factory=dict)


def read_network(config: Config, class_name: str) -> Network:
    """The network of a Functional or Sequential configuration.

    Raises:
        ImportFault: where it is neither.
    """
    functional = to_functional(config, class_name, str(config.get("name", "model")))
    root = _Scope(config=functional, path=(), bindings={})
    _index(root)
    inputs: dict[str, Tensor] = {}
    batches: dict[str, int] = {}
    faults: list[ImportFault] = []
    for reference in references(functional["input_layers"]):
        name = str(reference[0])
        own = root.layers[name]["config"]
        shape = own.get("batch_shape") or own.get("batch_input_shape") or (None, *own.get("shape", ()))
        if own.get("sparse") or own.get("ragged"):
            faults.append(ImportFault(f"input `{name}` is sparse or ragged; inputs of a spec are dense"))
        if shape[0] is not None:
            batches[name] = int(shape[0])
        inputs[name] = Tensor(None, 0, tuple(shape[1:]), _dtype(own.get("dtype") or "float32"), name)
    root.bindings.update(inputs)
    reader = _Reader()
    outputs: dict[str, Tensor] = {}
    for name, reference in named_references(functional["output_layers"]):
        outputs[_free_name(name, outputs)] = reader.resolve(root, reference)
    wanted = _needed_calls(outputs.values())
    calls = tuple(call for call in reader.calls if id(call) in wanted)
    notes: list[str] = []
    if class_name == "Sequential" and not any(call.is_own or _keeps_state(call.config) for call in calls):
        notes = [_open_batch(name, size) for name, size in batches.items()]
        batches = {}
    masks = [tensor for call in calls for tensor in call.masks]
    of_masks = _needed_calls(masks) - wanted
    return Network(
        name=str(functional.get("name", "model")),
        inputs=inputs,
        calls=calls,
        outputs=outputs,
        batches=batches,
        faults=tuple(faults),
        mask_calls=tuple(call for call in reader.calls if id(call) in of_masks),
        notes=tuple(notes),
    )


def _keeps_state(config: object) -> bool:
    """Whether a layer, or one inside it, goes on from the sample of the same place in the batch before."""
    if isinstance(config, Mapping):
        return config.get("stateful") is True or any(map(_keeps_state, config.values()))
    return isinstance(config, list | tuple) and any(map(_keeps_state, config))


def _open_batch(name: str, size: int) -> str:
    """A Sequential without an `Input` records the batch that it was first called with, and takes any other."""
    return f"the batch of `{name}` is open: Keras recorded {size}, but no layer keeps a state that needs it"


def _needed_calls(tensors: Iterable[Tensor]) -> set[int]:
    """The calls that values depend on, by identity; what only computes masks is not among them."""
    found: set[int] = set()
    pending = [tensor.call for tensor in tensors]
    while pending:
        call = pending.pop()
        if call is not None and id(call) not in found:
            found.add(id(call))
            pending += [tensor.call for tensor in call.tensors]
    return found


def _free_name(name: str, taken: Mapping[str, object]) -> str:
    number, result = 1, name
    while result in taken:
        number, result = number + 1, f"{name}_{number + 1}"
    return result


def _dtype(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("config", {}).get("name", "float32"))
    return str(value)


def _index(scope: _Scope) -> None:
    for layer in scope.config["layers"]:
        name = layer.get("name") or layer["config"]["name"]
        scope.layers[str(name)] = layer


class _Reader:
    """Calls in the order of a walk from the outputs to the inputs, so that branches stand one after the other.

    The walk keeps its own stack: networks are deeper than Python's.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def resolve(self, scope: _Scope, reference: Reference) -> Tensor:
        stack = [(scope, reference)]
        while stack:
            here, wanted = stack[-1]
            missing = self.missing(here, wanted)
            if missing is None:
                stack.pop()
            else:
                stack.append(missing)
        found = self.look_up(scope, reference)
        assert found is not None
        return found

    def look_up(self, scope: _Scope, reference: Reference) -> Tensor | None:
        """The tensor, where what makes it has been read."""
        name, node, index = reference
        if name in scope.bindings:
            return scope.bindings[name]
        if (name, node) in scope.made:
            return Tensor(scope.made[name, node], index, (), "")
        inner = scope.inner.get((name, node))
        if inner is None:
            return None
        return self.look_up(inner, references(inner.config["output_layers"])[index])

    def missing(self, scope: _Scope, reference: Reference) -> tuple[_Scope, Reference] | None:
        """What must be read before this; reads it where nothing is missing."""
        name, node, index = reference
        if self.look_up(scope, reference) is not None:
            return None
        inner = scope.inner.get((name, node))
        if inner is not None:
            return inner, references(inner.config["output_layers"])[index]
        layer = scope.layers[name]
        place = self.place(layer, node)
        inbound = layer["inbound_nodes"][place]
        for source in _keras_references(inbound):
            if self.look_up(scope, source) is None:
                return scope, source
        arguments = self.bound(scope, inbound["args"])
        keywords = self.bound(scope, inbound["kwargs"])
        path, places = (*scope.path, name), (*scope.places, (name, place))
        whole = layer["config"].get("layer") if layer["class_name"] == "TimeDistributed" else layer
        if isinstance(whole, Mapping) and is_model(whole):
            self.enter(scope, (name, node), whole, places, (arguments, keywords), is_distributed=whole is not layer)
            return self.missing(scope, reference)
        call = Call(
            path=path,
            kind=layer["class_name"],
            module=str(layer.get("module") or "keras.layers"),
            config=layer["config"],
            arguments=tuple(arguments),
            keywords={key: value for key, value in keywords.items() if value is not None},
            places=places,
            distributed=scope.distributed,
            registered=str(layer.get("registered_name") or ""),
        )
        scope.made[name, node] = call
        self.calls.append(call)
        return None

    def place(self, layer: Config, node: int) -> int:
        """Where a call stands among those that were saved; a Sequential's layer counts calls of its own before."""
        count = len(layer["inbound_nodes"])
        return node if node < count else count - 1

    def enter(
        self,
        scope: _Scope,
        key: tuple[str, int],
        layer: Config,
        places: tuple[Place, ...],
        given: tuple[Sequence[object], Mapping[str, object]],
        *,
        is_distributed: bool,
    ) -> None:
        config = to_functional(layer["config"], layer["class_name"], key[0])
        names = [ref[0] for ref in references(config["input_layers"])]
        tensors = _bind_inputs(config, given, names)
        tensors = self.masked(scope, key, tensors, given[1].get("mask"), places, is_distributed=is_distributed)
        bindings = dict(zip(names, tensors, strict=True))
        inner = _Scope(
            config=config,
            path=(*scope.path, key[0]),
            bindings=bindings,
            places=places,
            distributed=scope.distributed + is_distributed,
        )
        _index(inner)
        scope.inner[key] = inner

    def masked(
        self,
        scope: _Scope,
        key: tuple[str, int],
        tensors: Sequence[Tensor],
        masks: object,
        places: tuple[Place, ...],
        *,
        is_distributed: bool,
    ) -> list[Tensor]:
        """What a nested model reads, with the masks that it is called with, one for each of its inputs."""
        result = list(tensors)
        for place, (tensor, mask) in enumerate(zip(tensors, leaves_in(masks), strict=False)):
            if not isinstance(mask, Tensor):
                continue
            call = Call(
                path=(*scope.path, key[0], f"{GIVEN}_{key[1]}_{place}"),
                kind=GIVEN,
                module="keras.layers",
                config={},
                arguments=(tensor,),
                keywords={"mask": mask},
                places=(*places, (GIVEN, place)),
                distributed=scope.distributed + is_distributed,
            )
            self.calls.append(call)
            result[place] = Tensor(call, 0, tensor.shape, tensor.dtype)
        return result

    def bound(self, scope: _Scope, value: object) -> Any:
        """The same structure with tensors in the place of references to them."""
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                config = value["config"]
                found = self.look_up(scope, tuple(config["keras_history"]))
                assert found is not None
                shape = tuple(config.get("shape", (None,)))[1:]
                dtype = found.dtype or str(config.get("dtype") or "")
                return Tensor(found.call, found.index, shape or found.shape, dtype, found.input)
            if value.get("class_name") in ("__numpy__", "__tensor__"):
                return Constant(value["config"]["value"], str(value["config"].get("dtype") or "float32"))
            return {key: self.bound(scope, inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.bound(scope, inner) for inner in value]
        return value


def _bind_inputs(
    config: Config, given: tuple[Sequence[object], Mapping[str, object]], names: list[str]
) -> list[Tensor]:
    given = (given[0], {key: value for key, value in given[1].items() if key not in MASKS})
    first = given[0][0] if given[0] else next(iter(given[1].values()))
    if isinstance(first, Mapping) and set(names) <= set(first):
        return [first[name] for name in names]
    tensors = list(tensors_in(given))
    if len(tensors) != len(names):
        raise ImportFault(f"`{config.get('name')}` has {len(names)} inputs, but is called with {len(tensors)}")
    return tensors


def _keras_references(value: object) -> Iterator[Reference]:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            name, node, index = value["config"]["keras_history"]
            yield name, int(node), int(index)
            return
        for inner in value.values():
            yield from _keras_references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _keras_references(inner)
