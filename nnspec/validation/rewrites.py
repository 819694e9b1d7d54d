"""Fixes of values in the wrong form: a single number, a missing list, quotes, a Python call."""

from __future__ import annotations

import ast
import re

from nnspec.catalogue import keras_objects
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, KeyRef
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Mapping, Node, Scalar, Sequence, format_path
from nnspec.layers.kit.edits import under_axis
from nnspec.layers.registry import REGISTRY
from nnspec.schema.sections import TASKS

Path = tuple[str | int, ...]
_CALL = re.compile(r"[A-Za-z]\w*\([^()]*\)")


def rewrites(node: Node, types: list[str], path: Path, owner: Node) -> tuple[Fix, ...]:
    """The fixes of a value that is none of the JSON types `types`; `owner` is the mapping or list that it stands in."""
    if found := _axis_as_key(owner, node, path):
        return found
    if isinstance(node, Sequence) and path[-1:] == ("axes",) and node.items:
        return (_named_axes(node),)
    if isinstance(node, Sequence) and path[:1] == ("blocks",) and len(path) == 2:
        return (Fix(f"write its layers under `model`: `{path[1]}: {{model: […]}}`"),)
    if "object" in types:
        return _as_mapping(node, path)
    if not isinstance(node, Scalar):
        return ()
    if "array" in types and node.value is not None:
        return _replace_value(node, f"[{node.span.text}]", "write a list")
    if isinstance(node.value, str):
        return _without_quotes(node, node.value, types)
    if types == ["integer"] and isinstance(node.value, float) and node.value.is_integer():
        return _replace_value(node, str(int(node.value)), "write an integer")
    return ()


def _axis_as_key(body: Node, node: Node, path: Path) -> tuple[Fix, ...]:
    """The fix of `slice: {axis: time, start: 2}`, where the axis itself is the key."""
    kind = str(path[-2]) if len(path) > 1 else ""
    parts = REGISTRY[kind].axis_parts if kind in REGISTRY and path[-1] == "axis" else ()
    if not parts or not isinstance(node, Scalar) or not isinstance(node.value, str):
        return ()
    said, edits = under_axis(body, node.value, parts)
    sure = Applicability.MACHINE if edits else Applicability.MAYBE
    return (Fix(f"the axis itself is the key: `{said}`", edits, sure),) if said else ()


def call_as_mapping(node: Node, aliases: dict[str, str]) -> tuple[Fix, ...]:
    """`Adam(lr=0.001)` as `{Adam: {learning_rate: 0.001}}`; `aliases` are other names of arguments."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str) or not _CALL.fullmatch(node.value):
        return ()
    try:
        call = ast.parse(node.value, mode="eval").body
    except (SyntaxError, ValueError):
        return ()
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
        return ()
    given = {str(k.arg): k.value.value for k in call.keywords if isinstance(k.value, ast.Constant)}
    if len(given) != len(call.keywords):
        return ()
    said = ", ".join(f"{aliases.get(name, name)}: {as_yaml(value)}" for name, value in given.items())
    name = call.func.id
    return _replace_value(
        node, f"{{{name}: {{{said}}}}}" if said else name, ("write the arguments as a mapping, not as a call")
    )


def _replace_value(node: Node, text: str, message: str) -> tuple[Fix, ...]:
    """A fix that writes another value, where the old one stands on one line."""
    if node.span.line != node.span.end_line or node.span.text.startswith(("&", "*", "$")):
        return (Fix(message),)
    return (Fix(f"{message}: `{text}`" if len(text) < 60 else message, (Edit(node.span, text),)),)


def _as_mapping(node: Node, path: Path) -> tuple[Fix, ...]:
    """A lone value where a mapping belongs: an output's task, or the first of several arguments that a layer needs."""
    kind = str(path[-1]) if path else ""
    if isinstance(node, Scalar) and path[:1] == ("outputs",) and len(path) == 2 and node.value in TASKS:
        return _replace_value(node, f"{{task: {node.span.text}}}", "write it as the task")
    if isinstance(node, Scalar) and node.value is None:
        return ()
    if kind not in REGISTRY:
        return _named_argument(node, kind)
    required = REGISTRY[kind].required_arguments()
    if isinstance(node, Sequence) and REGISTRY[kind].arity[0] > 1 and not required:
        return _replace_value(node, f"{{from: {node.span.text}}}", "name its inputs")
    if not isinstance(node, Scalar) or len(required) < 2 or required[0] not in REGISTRY[kind].args:
        return ()
    others = ", ".join(f"{name}: …" for name in required[1:])
    return (Fix(f"name its arguments: `{kind}: {{{required[0]}: {node.span.text}, {others}}}`"),)


def under_key(node: Mapping, name: str, key: str) -> tuple[Fix, ...]:
    """A fix that puts an entry under a further key, which stands nowhere yet: `{Dense: {units: 8}}` under `layer`."""
    message, value = f"write it under `{key}`", node.entries[name]
    if key in node.entries or value.span.line != value.span.end_line or value.span.line != node.key_span(name).line:
        return (Fix(message),)
    end = value.span.moved(line=value.span.end_line, column=value.span.end_column)
    edits = (Edit(node.key_span(name).start, f"{key}: {{"), Edit(end, "}"))
    return (Fix(message, edits, Applicability.MACHINE),)


def own_name_as_layer(key: Scalar, item: Node, user: str, path: Path) -> Diagnostic:
    """NN204 for the name of a block or a shared layer where a layer's kind belongs.

    Args:
        user: `block` or `share`, which uses it.
    """
    name = str(key.value)
    what = "a block" if user == "block" else "a shared layer"
    message = f"use it by its name: `{user}: {{use: {name}}}`"
    body = item.entries.get(name) if isinstance(item, Mapping) else None
    edits: tuple[Edit, ...] = (Edit(key.span, f"{user}: {{use: {name}}}"),) if body is None else ()
    if isinstance(body, Mapping) and body.entries:
        first = next(iter(body.keys.values())).span
        between = ", " if body.span.text.startswith("{") else "\n" + " " * (first.column - 1)
        edits = (Edit(key.span, user), Edit(first.start, f"use: {name}{between}"))
    notes = ("every use of a block has separate weights: `layers` and `share` are for the same ones",)
    return Diagnostic(
        "NN204",
        f"unknown layer `{name}`: it is the name of {what} of this spec",
        key.span,
        path=format_path((*path, name)),
        notes=notes if user == "block" else (),
        fixes=(Fix(message, edits),),
        about=(KeyRef(name),),
    )


def _named_argument(node: Node, name: str) -> tuple[Fix, ...]:
    """A lone value of an initializer or another Keras object that could be one of several arguments."""
    family = next((f for f in keras_objects.families_of(name) if name in keras_objects.names(f)), None)
    if family is None or not isinstance(node, Scalar):
        return ()
    said = " or ".join(f"`{{{name}: {{{key}: …}}}}`" for key in keras_objects.argument_names(family, name)[:2])
    return (Fix(f"name its argument: {said}"),) if said else ()


def _named_axes(node: Sequence) -> Fix:
    names = [item.value for item in node.items if isinstance(item, Scalar)]
    if len(names) == len(node.items) and all(isinstance(name, str) for name in names):
        return Fix(f"give every axis a size: `axes: {{{', '.join(f'{name}: SIZE' for name in names)}}}`")
    return Fix("give every axis a name: `axes: {time: 10, feature: 5}`")


def _without_quotes(node: Scalar, value: str, types: list[str]) -> tuple[Fix, ...]:
    if node.is_plain and "boolean" in types and value.lower() in ("yes", "on", "no", "off"):
        meant = "true" if value.lower() in ("yes", "on") else "false"
        return (Fix(f"write `{meant}`: in YAML 1.2, `{value}` is a string", (Edit(node.span, meant),)),)
    if not node.is_plain and {"integer", "number"} & set(types):
        try:
            float(value)
        except ValueError:
            return ()
        return (Fix("remove the quotes", (Edit(node.span, value),)),)
    return ()
