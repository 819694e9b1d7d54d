"""Completion of names declared in the document: nodes, axes, variables, blocks and shared layers; and keywords.

Keys, layers and arguments are completed from the published schema by a YAML server beside this one; layers of installed
packages, which it does not know, here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsprotocol import types as lsp

from nnspec.ir import axes as ax
from nnspec.layers.registry import REGISTRY
from nnspec.lsp.names import names
from nnspec.lsp.network import nodes_by_place
from nnspec.lsp.package_layers import arguments_at, kinds_at
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey

# The key whose value is being typed, and the text before the cursor in that value.
_VALUE = re.compile(r"(?:^|[\s{,])(?P<key>[A-Za-z_]\w*):\s*(?P<value>[^:]*)$")
_KINDS = {
    "variable": lsp.CompletionItemKind.Variable,
    "layer": lsp.CompletionItemKind.Class,
    "argument": lsp.CompletionItemKind.Property,
}
_AXES = ("over", "axis", "permute", "merge", "split", "drop", "rename", "dims", "along", "axes", "class_axis")


def completions(
    latest: Survey, last_good: Survey | None, positions: Positions, where: lsp.Position
) -> list[lsp.CompletionItem]:
    """What may stand at a place.

    Args:
        last_good: the last text that was valid YAML, since one that is being typed seldom is.
    """
    survey = latest if latest.root is not None else last_good or latest
    offset = positions.offset(where)
    text = positions.source.text
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    known = names(survey)
    if re.search(r"\$[\w]*$|\$\([^)]*$", before):
        return _items({n.text for n in known if n.kind == "variable" and n.is_declaration}, "variable")
    offered = kinds_at(before), arguments_at(before, _key_above(text, offset))
    if any(offered):
        return _items(offered[0], "layer") + _items(offered[1], "argument")
    found = _VALUE.search(before)
    key = found.group("key") if found is not None else _key_above(text, offset)
    if key in ("use", "block", "share"):
        kinds = {"block": ("block",), "share": ("layer",)}.get(key) or _used(before)
        return _items({n.text for n in known if n.kind in kinds and n.is_declaration}, key)
    main = REGISTRY[key].main_argument if isinstance(key, str) and key in REGISTRY else None
    key = main if main == "from" or main in _AXES else key  # `Add: [a, b]`, `Softmax: time`
    if key == "from":
        made = {item.name for item in survey.expanded.items} if survey.expanded is not None else set()
        return _items({n.text for n in known if n.kind == "node" and n.is_declaration} | made, "node")
    if key in _AXES:
        return _items(_axes(survey, where.line + 1), "axis")
    return []


def _used(before: str) -> tuple[str, ...]:
    kinds = [kind for word, kind in (("block", "block"), ("share", "layer")) if f"{word}:" in before]
    return tuple(kinds) or ("block", "layer")


def _key_above(text: str, offset: int) -> str | None:
    """The key of the block list or mapping that the cursor's line stands in."""
    lines = text[:offset].split("\n")
    indent = len(lines[-1]) - len(lines[-1].lstrip())
    for line in reversed(lines[:-1]):
        stripped = line.lstrip()
        if stripped and len(line) - len(stripped) < indent:
            found = re.match(r"(?:-\s+)?([A-Za-z_]\w*):\s*$", stripped)
            return found.group(1) if found else None
    return None


def _axes(survey: Survey, line: int) -> Iterable[str]:
    """The axes that the layer of a line reads; all axes of the network where it is not known."""
    places = nodes_by_place(survey)
    here = [node for (start, _), nodes in places.items() for node in nodes if start <= line <= node.span.end_line]
    graph = survey.graph
    values = [value for node in here for value in node.inputs]
    if not values and graph is not None:
        values = [*graph.inputs.values(), *(value for node in graph.nodes for value in node.outputs)]
    return dict.fromkeys(name for value in values for name in ax.names(value.axes))


def _items(words: Iterable[str], what: str) -> list[lsp.CompletionItem]:
    kind = _KINDS.get(what, lsp.CompletionItemKind.Reference)
    return [lsp.CompletionItem(label=word, kind=kind, detail=what) for word in sorted(words)]
