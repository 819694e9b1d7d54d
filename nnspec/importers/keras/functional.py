"""Model configurations in Functional form, and their references; a Sequential becomes a chain."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nnspec.importers.keras.network import Config, ImportFault
from nnspec.layers.registry import REGISTRY

FUNCTIONAL = frozenset({"Functional", "Model"})
Reference = tuple[str, int, int]  # a layer by name, which of its calls, which of what that gives


def is_model(layer: Config) -> bool:
    """Whether a layer's configuration is that of a model of layers."""
    return "layers" in layer["config"] and layer["class_name"] in {*FUNCTIONAL, "Sequential"}


def to_functional(config: Config, class_name: str, name: str) -> Config:
    """The configuration in Functional's form; a Sequential becomes a chain."""
    if class_name == "Sequential":
        return _chain(config, name)
    if class_name not in FUNCTIONAL or "input_layers" not in config:
        raise ImportFault(
            f"`{name}` is a `{class_name}`, a subclassed model: its computation is Python code, which a "
            "spec cannot contain",
            help=(
                "build it as a Functional model (`keras.Model(inputs, outputs)`) of Keras' layers, and save that model"
            ),
        )
    nested = {str(layer.get("name")) for layer in config["layers"] if layer["class_name"] in FUNCTIONAL}
    return {**config, "output_layers": _by_saved_calls(config["output_layers"], nested)}


def _by_saved_calls(structure: object, nested: Collection[str]) -> object:
    """Outputs by the calls that are saved, as layers name what they read.

    Keras counts the call that made a nested Functional here, and nowhere else.
    """
    if isinstance(structure, Mapping):
        return {key: _by_saved_calls(inner, nested) for key, inner in structure.items()}
    if not isinstance(structure, list | tuple):
        return structure
    if len(structure) == 3 and isinstance(structure[0], str):
        name, node, tensor = structure
        return [name, max(0, int(node) - (name in nested)), tensor]
    return [_by_saved_calls(inner, nested) for inner in structure]


def _chain(config: Config, name: str) -> Config:
    layers = list(config["layers"])
    if not layers:
        raise ImportFault(f"`{name}` has no layers")
    if layers[0]["class_name"] != "InputLayer":
        shape = config.get("build_input_shape") or layers[0].get("build_config", {}).get("input_shape")
        if shape is None:
            raise ImportFault(
                f"`{name}` was never built, so the shape of its input is not known",
                help="start it with `keras.Input(shape)`, or call it once before saving it",
            )
        reader = REGISTRY.get(str(layers[0]["class_name"]))
        dtype = "int32" if reader is not None and reader.reads_ids else "float32"
        first = {"batch_shape": shape, "dtype": dtype, "name": "input"}
        layers.insert(0, {"class_name": "InputLayer", "module": "keras.layers", "config": first})
    linked: list[Config] = []
    before: str | None = None
    for layer in layers:
        own = str(layer["config"]["name"])
        calls: list[Config] = [] if before is None else [{"args": [_reference_to(before)], "kwargs": {}}]
        linked.append({**layer, "name": own, "inbound_nodes": calls})
        before = own
    start = str(layers[0]["config"]["name"])
    return {**config, "layers": linked, "input_layers": [[start, 0, 0]], "output_layers": [[before, 0, 0]]}


def _reference_to(name: str) -> Config:
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}


def named_references(structure: object) -> list[tuple[str, Reference]]:
    if isinstance(structure, Mapping):
        return [(str(key), ref) for key, inner in structure.items() for ref in references(inner)]
    return [(ref[0], ref) for ref in references(structure)]


def references(structure: object) -> list[Reference]:
    """`[name, node, tensor]` in Keras' nesting of lists and mappings."""
    if isinstance(structure, Mapping):
        return [ref for key in sorted(structure) for ref in references(structure[key])]
    if isinstance(structure, list | tuple):
        if len(structure) == 3 and isinstance(structure[0], str):
            return [(structure[0], int(structure[1]), int(structure[2]))]
        return [ref for inner in structure for ref in references(inner)]
    return []
