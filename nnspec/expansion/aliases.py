"""Layers under their own names, and arguments under theirs: a spec may use Keras' other names for a layer, and a body
that is one argument; no later phase sees them.
"""

from __future__ import annotations

import re

from nnspec.document import Mapping, Node, Scalar, Sequence
from nnspec.expansion.short_forms import object_written_out, written_out
from nnspec.layers.aliases import ALIASES

_MODELS = ("model", "blocks", "layers")  # the sections that hold layers
_WRAPPED = ("layer", "backward_layer", "cell")  # arguments that hold one
_LISTED = ("model", "cells")  # those that hold several
_WORD = re.compile(r"\w+")


def with_kinds(root: Node) -> Node:
    """The document with aliases of layers and arguments replaced; all spans are kept."""
    if not isinstance(root, Mapping) or not any(isinstance(root.get(name), Mapping | Sequence) for name in _MODELS):
        return root
    entries = dict(root.entries)
    if "model" in entries:
        entries["model"] = _items(entries["model"])
    blocks, layers = entries.get("blocks"), entries.get("layers")
    if isinstance(blocks, Mapping):
        entries["blocks"] = _replace_alias(blocks, {name: _body(block) for name, block in blocks.entries.items()})
    if isinstance(layers, Mapping):
        entries["layers"] = _replace_alias(layers, {name: _item(layer) for name, layer in layers.entries.items()})
    if isinstance(training := entries.get("training"), Mapping):
        entries["training"] = _with_objects(training)
    if isinstance(outputs := entries.get("outputs"), Mapping):
        entries["outputs"] = _replace_alias(
            outputs, {name: _with_objects(said) for name, said in outputs.entries.items()}
        )
    return _replace_alias(root, entries)


def with_kinds_in_path(path: str) -> str:
    """A path into the document, such as `model[2].MaxPool1D.strides`, as it is after `with_kinds`."""
    if not path.startswith(_MODELS):
        return path
    return _WORD.sub(lambda word: ALIASES.get(word.group(), word.group()), path)


def _items(model: Node) -> Node:
    if not isinstance(model, Sequence):
        return model
    return Sequence(tuple(_item(item) for item in model.items), model.span, model.size)


def _item(item: Node) -> Node:
    """An item: a layer, a repeat, or anything else."""
    if isinstance(item, Scalar):
        name = ALIASES.get(item.value) if isinstance(item.value, str) else None
        return Scalar(name, item.span, item.is_plain) if name is not None else item
    if not isinstance(item, Mapping) or len(item.entries) != 1:
        return item
    (written, body) = next(iter(item.entries.items()))
    kind = ALIASES.get(written, written)
    key = item.keys.get(written, Scalar(written, item.span))
    key = Scalar(kind, key.span, key.is_plain)
    return Mapping({kind: _body(written_out(kind, key, body))}, {kind: key}, item.span, item.size)


def _body(body: Node) -> Node:
    """What stands behind a kind, a repeat or a block: its own layers are read too."""
    if not isinstance(body, Mapping):
        return body
    entries = dict(body.entries)
    for name in _WRAPPED:
        if name in entries:
            entries[name] = _item(entries[name])
    for name in _LISTED:
        if name in entries:
            entries[name] = _items(entries[name])
    return _with_objects(_replace_alias(body, entries))


def _with_objects(body: Node) -> Node:
    """The initializers, optimizers, losses and their like of a mapping, each with its argument under its name."""
    if not isinstance(body, Mapping) or not any(isinstance(v, Mapping | Sequence) for v in body.entries.values()):
        return body
    return _replace_alias(body, {key: _objects(key, value) for key, value in body.entries.items()})


def _objects(key: str, value: Node) -> Node:
    if isinstance(value, Sequence) and key in ("callbacks", "metrics", "weighted_metrics"):
        return Sequence(tuple(object_written_out(key, item) for item in value.items), value.span, value.size)
    return object_written_out(key, value)


def _replace_alias(node: Mapping, entries: dict[str, Node]) -> Mapping:
    return Mapping(entries, node.keys, node.span, node.size)
