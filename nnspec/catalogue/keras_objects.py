"""The Keras objects that a spec names besides layers: initializers, optimizers, losses, metrics, callbacks, and so on.

In a spec each is a name (`adam`, `Adam`) or a single-key mapping (`Adam: {learning_rate: 0.001}`). catalogue.json, made
by `python -m nnspec.catalogue.generate`, lists them; keras itself is imported by `build` alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from nnspec.diagnostics import did_you_mean
from nnspec.document.types import JsonObject, JsonSchema
from nnspec.lazy import dataclass

Schema = JsonSchema


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of object: what one is called, where Keras keeps them, and what a spec says with one."""

    singular: str
    module: str
    description: str


FAMILIES: Mapping[str, Family] = {
    "activations": Family("activation", "keras.activations", "A function applied to each output value."),
    "callbacks": Family("callback", "keras.callbacks", "An action that runs during training."),
    "constraints": Family(
        "constraint", "keras.constraints", ("A constraint applied to a weight after each training step.")
    ),
    "initializers": Family("initializer", "keras.initializers", "The initial values of a weight."),
    "losses": Family("loss", "keras.losses", "The quantity that training minimizes."),
    "metrics": Family("metric", "keras.metrics", "A quantity measured in addition to the loss."),
    "optimizers": Family("optimizer", "keras.optimizers", "How weights are updated from gradients."),
    "regularizers": Family("regularizer", "keras.regularizers", "A penalty on a weight or an output."),
    "schedules": Family(
        "schedule", "keras.optimizers.schedules", ("How the learning rate changes with the training step.")
    ),
}
# What a layer's argument may leave out: these have a second definition that takes null.
NULLABLE = ("activations", "constraints", "initializers", "regularizers")


@cache
def _families() -> dict[str, JsonObject]:
    text = Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8")
    families: dict[str, JsonObject] = json.loads(text)["families"]
    return families


def _arguments(family: str, name: str) -> dict[str, Schema]:
    """Argument -> its schema, description, and default where it has one.

    Raises:
        LookupError: where the family has no such class.
    """
    classes = _families()[family]["classes"]
    if name in classes:
        arguments: dict[str, Schema] = classes[name]["arguments"]
        return arguments
    if name in words(family):
        return {}
    raise LookupError(f"`{name}` is not a known {FAMILIES[family].singular}{did_you_mean(name, classes)}")


def names(family: str) -> tuple[str, ...]:
    """The class names (activations: function names) of a family."""
    return tuple(_families()[family]["classes"])


def aliases(family: str) -> dict[str, str]:
    """Further names, such as `adam`, and the class that each stands for."""
    return dict(_families()[family]["aliases"])


def words(family: str) -> dict[str, str]:
    """Words for which `Model.compile` chooses the class by the output (`accuracy`), and what they mean."""
    return dict(_families()[family]["words"])


def refusal(family: str, name: str) -> tuple[str, str, str] | None:
    """A class of Keras that a spec cannot name (case ignored): its name, why, and what to write instead."""
    for known, said in _families()[family]["refused"].items():
        if known.lower() == name.lower():
            return known, said["reason"], said["instead"]
    return None


def family_of(argument: str) -> str | None:
    """The family whose objects an argument or section key takes: `kernel_initializer`, `optimizer`, `metrics`."""
    word = argument.rpartition("_")[2]
    if word in ("callbacks", "metrics"):
        return word
    if argument == "learning_rate":
        return "schedules"
    return next((family for family, about in FAMILIES.items() if about.singular == word), None)


def families_of(name: str) -> tuple[str, ...]:
    """The families that have this name, alias or word: `Hinge` is a loss and a metric."""
    return tuple(f for f in FAMILIES if name in names(f) or name in aliases(f) or name in words(f))


def argument_names(family: str, name: str) -> tuple[str, ...]:
    """The arguments of a class, in Keras' order."""
    return tuple(_arguments(family, canonical(family, name)[0]))


def required_arguments(family: str, name: str) -> tuple[str, ...]:
    """The arguments without a default; a class that has some cannot be written as a bare name."""
    arguments = _arguments(family, canonical(family, name)[0])
    return tuple(key for key, argument in arguments.items() if "default" not in argument)


# What many classes of a family take besides what makes them what they are, and what comes first where it matters most.
_COMMON = frozenset(("seed", "axis", "name", "dtype", "reduction"))
_FIRST = ("learning_rate", "monitor")


def main_argument(family: str, name: str) -> str | None:
    """The argument that a value alone stands for, as in `{L2: 0.01}` and `{Adam: 0.001}`; None where that is a guess.

    It is the only one that is required, or the only one there is besides those that many classes have.
    """
    arguments = argument_names(family, name)
    required = required_arguments(family, name)
    own = [key for key in arguments if key not in _COMMON]
    if required:
        return required[0] if len(required) == 1 else None
    if arguments[:1] and arguments[0] in _FIRST:
        return arguments[0]
    return own[0] if len(own) == 1 else None


def defaults(family: str, name: str) -> dict[str, Any]:
    """The arguments of a class with their defaults; None for one that has none."""
    arguments = _arguments(family, canonical(family, name)[0])
    return {key: argument.get("default") for key, argument in arguments.items()}


def argument(family: str, name: str, key: str) -> Schema:
    """Schema, description, and default where it has one, of an argument."""
    found: Schema = _arguments(family, canonical(family, name)[0])[key]
    return found


def metric_name(metric: str) -> str:
    """The name of a metric in the history where the spec gives none: `logcosh` of `LogCoshError`."""
    return str(_families()["metrics"]["classes"][metric]["name"])


def is_higher_better(metric: str) -> bool | None:
    """Whether more of a metric is better; None where that depends on what it is asked for."""
    found: bool | None = _families()["metrics"]["classes"][metric]["higher_is_better"]
    return found


# ------------------------------------------------------------------------------------------------------ schema


def definition(family: str, *, nullable: bool = False) -> Schema:
    """The JSON Schema (draft-07) of a name or a single-key mapping `{Class: {arguments}}`.

    Each wrong value breaks one keyword. Refers to `#/definitions/schedule` where an optimizer is described.
    """
    bare = [name for name in names(family) if not required_arguments(family, name)]
    known = [*bare, *(a for a, name in aliases(family).items() if name in bare), *words(family)]
    bodies = {name: _body(family, name) for name in names(family) if family != "activations"}
    types = [*(["string"] if known else []), *(["object"] if bodies else []), *(["null"] if nullable else [])]
    result: Schema = {"description": FAMILIES[family].description, "type": types}
    if known:
        result |= {"if": {"type": "string"}, "then": {"enum": known}}
    if bodies:
        rest = {"minProperties": 1, "maxProperties": 1, "properties": bodies, "additionalProperties": False}
        result |= {"else": rest} if known else rest
    return result


def definitions() -> dict[str, Schema]:
    """Every family by its singular, and `nullable_…` of those that a layer's argument may leave out."""
    result = {about.singular: definition(family) for family, about in FAMILIES.items()}
    return result | {f"nullable_{FAMILIES[f].singular}": definition(f, nullable=True) for f in NULLABLE}


def _body(family: str, name: str) -> Schema:
    properties = {key: _property(argument) for key, argument in _arguments(family, name).items()}
    description = _families()[family]["classes"][name]["description"]
    body: Schema = {"description": description, "properties": properties, "additionalProperties": False}
    required = required_arguments(family, name)
    types = ["object"] if required else ["object", "null"]
    if (main := main_argument(family, name)) is not None:  # no phase behind the aliases sees it alone
        types += [kind for kind in _types(_arguments(family, name)[main]["schema"]) if kind in _ALONE]
    if required:
        body["required"] = list(required)
    return {"type": types if len(types) > 1 else types[0], **body}


_ALONE = ("number", "integer", "string")


def _types(schema: Schema) -> list[str]:
    found = schema.get("type", [])
    return [found] if isinstance(found, str) else list(found)


def _property(argument: Schema) -> Schema:
    result = {**argument["schema"], "description": argument["description"]}
    if argument.get("default") is not None:
        result["default"] = argument["default"]
    return result


# ---------------------------------------------------------------------------------------------------- building


def canonical(family: str, value: str | Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Class name and arguments of `adam`, `Adam`, `{Adam: {…}}` or `{Adam: null}`. A word stays what it is.

    Raises:
        LookupError: where the family has no such name.
        TypeError: where the value is neither a name nor a mapping with one key.
    """
    if isinstance(value, str):
        name, arguments = value, None
    elif isinstance(value, Mapping) and len(value) == 1:
        ((name, arguments),) = value.items()
    else:
        raise TypeError(f"a {FAMILIES[family].singular} is a name or a mapping with one key, not {value!r}")
    name = aliases(family).get(name, name)
    _arguments(family, name)
    return name, dict(arguments or {})


def build(family: str, value: str | Mapping[str, Any] | None) -> Any:
    """The Keras object that `value` describes: a new one each time; None stays None, an activation is a function.

    A word stays a string, which `Model.compile` resolves. A metric given by name keeps what the spec calls it as its
    name, as in `Model.compile`, so that `mae` is watched as `val_mae`.

    Raises:
        LookupError: where the family has no such name, or the class no such argument.
        ValueError: where Keras refuses the arguments together.
    """
    if value is None:
        return None
    name, given = canonical(family, value)
    known = _arguments(family, name)
    for key in given:
        if key not in known:
            raise LookupError(f"`{name}` has no argument `{key}`{did_you_mean(key, known)}")
    if name in words(family):
        return name
    arguments = {key: _as_keras(known[key], argument) for key, argument in given.items()}
    if family == "metrics" and isinstance(value, str):
        arguments["name"] = value
    found = getattr(import_module(FAMILIES[family].module), name)
    return found if family == "activations" else found(**arguments)


def _as_keras(argument: Schema, value: Any) -> Any:
    if "family" in argument and isinstance(value, str | Mapping):
        return build(argument["family"], value)
    return _as_number(argument["schema"], value)


def _as_number(schema: Schema, value: Any) -> Any:
    """Whole numbers as floats where Keras means a number: a schedule that starts at an integer computes in integers."""
    if isinstance(value, list | tuple):
        return [_as_number(schema.get("items", {}), item) for item in value]
    types = schema.get("type", ())
    is_number = "number" in ([types] if isinstance(types, str) else types)
    return float(value) if is_number and isinstance(value, int) and not isinstance(value, bool) else value


# ----------------------------------------------------------------------------------------------- documentation


def explain(family: str, name: str) -> str:
    """The text of a documentation page for a class, an alias or a word."""
    about = FAMILIES[family]
    found = canonical(family, name)[0]
    if found in words(family):
        return f"{found} ({about.singular})\n\n{_wrap(words(family)[found])}\n"
    entry = _families()[family]["classes"][found]
    lines = [f"{found} ({about.singular})", "", _wrap(entry["description"])]
    if others := [alias for alias, target in aliases(family).items() if target == found]:
        lines += ["", f"Also written: {', '.join(others)}"]
    if (main := main_argument(family, found)) is not None and family != "activations":
        lines += ["", f"A body that is not a mapping is its `{main}`."]
    if entry["arguments"]:
        lines += ["", "Arguments:"]
    for key, argument in entry["arguments"].items():
        lines += ["", _wrap(f"{key}: {_signature(argument)}", "  "), _wrap(argument["description"], "      ")]
    return "\n".join(lines) + "\n"


def describe(family: str, name: str) -> str:
    """What a class, an alias or a word is, in one paragraph."""
    found = canonical(family, name)[0]
    return words(family).get(found) or str(_families()[family]["classes"][found]["description"])


def _wrap(text: str, indent: str = "") -> str:
    from textwrap import fill

    return fill(text, 100, initial_indent=indent, subsequent_indent=" " * 6 if indent else "")


def _signature(argument: Schema) -> str:
    """`number, > 0; default 0.001`."""
    text = _bounds(argument["schema"], argument.get("family"))
    default = f"default {json.dumps(argument['default'])}" if "default" in argument else "required"
    return f"{text}; {default}"


def _bounds(schema: Schema, family: str | None = None) -> str:
    if "enum" in schema:
        return " | ".join(json.dumps(option) for option in schema["enum"])
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    said = {"object": FAMILIES[family].singular if family else "mapping", "array": "list"}
    if "items" in schema:
        said["array"] = f"list of ({_bounds(schema['items'])})"
    if "string" in types and "enum" in schema.get("then", {}):
        said["string"] = " | ".join(json.dumps(option) for option in schema["then"]["enum"])
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    limits = "".join(f" {sign} {schema[key]}" for key, sign in signs.items() if key in schema)
    said |= {kind: f"{kind}{limits}" for kind in ("number", "integer")}
    return " or ".join(said.get(kind, kind) for kind in types)
