"""Completion of layers of installed packages, which the published schema does not know: their kinds and arguments."""

from __future__ import annotations

import re

from nnspec.layers import plugins
from nnspec.layers.registry import REGISTRY
from nnspec.schema.assembly import layer_schema

# Where a layer is allowed: an item of a list, or the layer of a wrapper.
_ITEM = re.compile(r"^\s*-\s+\w*$|\blayer:\s*\{?\s*\w*$")
# Inside the braces of a layer's body, where a key begins.
_BODY = re.compile(r"(?P<kind>[A-Za-z_]\w*):\s*\{(?:[^{}]*,)?\s*\w*$")


def kinds_at(before: str) -> list[str]:
    """The kinds that may stand at the end of a line's beginning."""
    return _of_packages() if _ITEM.search(before) else []


def arguments_at(before: str, key_above: str | None) -> list[str]:
    """The arguments that may stand there: in the braces of a body, or on a line below the kind `key_above`."""
    found = _BODY.search(before)
    kind = found.group("kind") if found is not None else key_above if re.fullmatch(r"\s+\w*", before) else None
    return list(layer_schema(REGISTRY[kind])["properties"]) if kind in _of_packages() else []


def _of_packages() -> list[str]:
    return [kind for kind in plugins.kinds() if kind in REGISTRY and REGISTRY[kind].package]
