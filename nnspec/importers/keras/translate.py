"""Converts a Keras layer's configuration to a layer body of a spec, without defaults."""

from __future__ import annotations

from collections.abc import Mapping

from nnspec.catalogue import keras_objects
from nnspec.document.types import Plain
from nnspec.importers.keras.classes import KERAS_MODULES, kind_of
from nnspec.importers.keras.network import Call, Config, ImportFault
from nnspec.layers.kit.args import REQUIRED, Arg
from nnspec.layers.registry import REGISTRY

# What Keras keeps for itself, and what a spec says elsewhere.
_NOT_ARGUMENTS = frozenset(
    {
        *("name", "trainable", "dtype", "autocast", "batch_input_shape", "build_config", "num_heads_q", "sparse"),
        *("ragged", "vocabulary_size", "oov_method"),
    }
)
_WRAPPED = ("layer", "backward_layer", "cell")


def translate(call: Call) -> tuple[str, dict[str, Plain]]:
    """The kind and the body of a call's layer; what it reads is not part of it."""
    kind = kind_of(call.kind, call.module, call.name, call.registered)
    return kind, body_of(kind, without_arrays(call.config)[0], call.name)


def without_arrays(config: Config) -> tuple[Config, list[str]]:
    """A configuration without the initializers that are arrays, and which arguments had them.

    Such as the vectors of an embedding: the weights that the model has now are in the weights file.
    """
    found: list[str] = []

    def plain(inner: object) -> object:
        if isinstance(inner, Mapping):
            return mapping(inner)
        return [plain(part) for part in inner] if isinstance(inner, list) else inner

    def mapping(inner: Config) -> Config:
        arrays = [key for key, value in inner.items() if _is_initial_array(value)]
        found.extend(arrays)
        return {key: plain(value) for key, value in inner.items() if key not in arrays}

    return mapping(config), found


def _is_initial_array(value: object) -> bool:
    """Whether a serialized object is an initializer of Keras that holds an array."""
    if not isinstance(value, Mapping) or value.get("class_name") not in keras_objects.names("initializers"):
        return False
    return any(isinstance(argument, Mapping | list) for argument in (value.get("config") or {}).values())


def body_of(kind: str, config: Config, name: str) -> dict[str, Plain]:
    """The arguments that differ from the layer's defaults.

    Raises:
        ImportFault: for an argument that the layer's entry lacks, or a value that it cannot say.
    """
    _check_dtype(config.get("dtype"), name)
    layer = REGISTRY[kind]
    config = layer.from_keras(config)
    body: dict[str, Plain] = {}
    for key, value in config.items():
        arg = layer.args.get(key)
        if arg is None:
            is_said = key in _NOT_ARGUMENTS or (key == "data_format" and value == "channels_last")
            if not is_said and value not in (None, False, [], {}, 0):
                raise ImportFault(f"`{key}: {value}` of layer `{name}` ({kind}) has no counterpart in a spec")
            continue
        said = (
            _translate_wrapped(value, name)
            if _is_wrapped(key, value)
            else _value(arg, value, name, getattr(layer, "rank", None))
        )
        if key == "data_format" and said == "channels_last":
            continue  # as where nothing is said
        if not _is_default(arg, said, getattr(layer, "rank", None)):
            body[key] = said
    if config.get("trainable") is False:
        body["trainable"] = False
    return body


MIXED = ("mixed_float16", "mixed_bfloat16")  # whose weights are float32


def _check_dtype(policy: object, name: str) -> None:
    said = policy.get("config", {}).get("name") if isinstance(policy, Mapping) else policy
    if said not in (None, *MIXED, "float32", "int32", "int64", "string", "bool", "uint8", "int8", "int16"):
        raise ImportFault(
            f"layer `{name}` computes in `{said}`, but specs compute in float32",
            help="set `keras.config.set_dtype_policy('float32')` before building the model, and copy the weights",
        )


def activation_layer(config: Config) -> tuple[str, Config] | None:
    """The layer that is given as an activation, and its configuration, if one is."""
    given = config.get("activation")
    if not isinstance(given, Mapping) or not str(given.get("module") or "").startswith(KERAS_MODULES):
        return None
    kind = str(given["class_name"])
    return (kind, given["config"]) if kind in REGISTRY else None


def _is_wrapped(key: str, value: object) -> bool:
    return (key in _WRAPPED and isinstance(value, Mapping)) or (key in ("cells", "cell") and isinstance(value, list))


def _translate_wrapped(value: Config | list[Config], name: str) -> Plain:
    if isinstance(value, list):
        return [_translate_wrapped(inner, name) for inner in value]
    module, registered = str(value.get("module") or "keras.layers"), str(value.get("registered_name") or "")
    kind = kind_of(value["class_name"], module, name, registered)
    body = body_of(kind, value["config"], name)
    return {kind: body} if body else kind


def _value(arg: Arg, value: Plain, name: str, rank: int | None) -> Plain:
    if arg.family is not None:
        return _translate_object(arg.family, value, name)
    types = arg.schema.get("type", ())
    least = arg.schema.get("items", {}).get("minimum")
    if isinstance(value, list | tuple) and len(value) == 2 and least is not None:
        value = [max(part, least) if isinstance(part, float) else part for part in value]  # -0.2 … 0.2 of 0 … 1
    if "boolean" in types and value in (0, 1) and not {"integer", "number"}.intersection([types, *types]):
        return bool(value)
    return _plain(arg, value, rank)


def _plain(arg: Arg, value: Plain, rank: int | None) -> Plain:
    """Numbers and lists as a spec says them: one number where all axes that a layer slides along have the same."""
    if isinstance(value, list | tuple):
        listed = [_plain_item(item) for item in value]
        types = arg.schema.get("type", ())
        leaves = [leaf for item in listed for leaf in (item if isinstance(item, list) else [item])]
        is_short = "integer" in types and "array" in types and len(listed) == rank
        return leaves[0] if is_short and leaves and all(leaf == leaves[0] for leaf in leaves) else listed
    return _plain_item(value)


def _plain_item(value: Plain) -> Plain:
    if isinstance(value, list | tuple):
        return [_plain_item(item) for item in value]
    return value


def _is_default(arg: Arg, value: Plain, rank: int | None) -> bool:
    if arg.default is REQUIRED:
        return False
    if arg.family is not None and isinstance(arg.default, str | Mapping) and isinstance(value, str | Mapping):
        return keras_objects.canonical(arg.family, value) == keras_objects.canonical(arg.family, arg.default)
    if arg.family == "activations" and value in (None, "linear"):
        return arg.default is None
    if isinstance(value, bool) != isinstance(arg.default, bool):
        return False
    return bool(_plain(arg, value, rank) == _plain(arg, arg.default, rank))


def _translate_object(family: str, value: Plain, name: str) -> Plain:
    """A serialized Keras object as the catalogue says it: a name, or a name with the arguments that are not default."""
    if value is None or isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        raise ImportFault(f"layer `{name}` has `{value}` where a spec needs the name of a Keras object")
    kind = str(value.get("class_name"))
    if kind == "function":
        word = str(value.get("config"))
        if word in keras_objects.names(family) or word in keras_objects.aliases(family):
            return word
        raise ImportFault(
            f"layer `{name}` uses the function `{word}`, which is code: a spec cannot contain it",
            help=_HELP.get(family, ""),
        )
    if kind not in keras_objects.names(family):
        raise ImportFault(
            f"layer `{name}` uses `{kind}`, which is not a {keras_objects.FAMILIES[family].singular} of "
            "Keras: a spec cannot contain its code",
            help=_HELP.get(family, ""),
        )
    defaults = keras_objects.defaults(family, kind)
    config = value.get("config")
    given = {
        key: _inner(argument)
        for key, argument in (config.items() if isinstance(config, Mapping) else ())
        if key in defaults and argument != defaults[key]
    }
    return {kind: given} if given else _short_name(family, kind)


_ONLY_IN_TRAINING = "it acts only in training: build the model without it, copy the weights, and save that"
_HELP = {
    "activations": "put a layer or operations of `keras.ops` that compute it after the layer, and save the model again",
    **dict.fromkeys(("constraints", "initializers", "regularizers"), _ONLY_IN_TRAINING),
}


def _inner(value: Plain) -> Plain:
    return list(value) if isinstance(value, tuple) else value


def _short_name(family: str, kind: str) -> str:
    """`zeros` for `Zeros`: the word that people write."""
    alias = next((word for word, name in keras_objects.aliases(family).items() if name == kind and "_" in word), None)
    return alias or kind
