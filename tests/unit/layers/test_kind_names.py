"""What others need to know of a kind its class says: no module but its own family's spells a kind's name to decide.

A decision is whatever a name is compared with, matched against or looked up by: an operand of a comparison, a
pattern, a key of a table, an item of a list or set, the prefix of a `startswith`. A name that is only written, as the
kind of a layer that a fix offers is, decides nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from nnspec.layers.registry import MODULES
from tests.support.paths import PACKAGE

FAMILIES = {kind: module.partition(".")[0] for module, kinds in MODULES.items() for kind in kinds}
# Names of verbs are words of every day (`split`, `weight`), which name much else: they count beside a `kind`.
EVERYDAY = {kind for kind in FAMILIES if kind.islower() and kind not in ("unmask", "mask_like")}
# Where kinds are spelt all the same, and why.
ALLOWED = {
    "data/section/augment": "the section of such transforms",
    "data/augment/": "transforms of pictures that data and layers draw alike, called as Keras' layers",
    "backends/onnx/targets/": "operators of ONNX, some of which layers are named after",
    "backends/onnx/precision/": "operators of ONNX, some of which layers are named after",
    "onnx_axes/rules": "operators of ONNX, some of which layers are named after",
    "importers/keras/operations": "Keras' operations, some of which layers are named after",
    "importers/keras/source.py": "Keras' wrapper around whole models, which is taken apart",
    "importers/keras/calls.py": "and the wrapper that is put around their layers instead",
    "importers/keras/fold_repeats.py": "what people call a block, by the layers that it begins and ends with",
}

LOOKUPS = {"get", "pop", "index", "count", "setdefault"}
AFFIXES = {"startswith", "endswith", "removeprefix", "removesuffix"}


def strings(node: ast.AST) -> Iterator[ast.Constant]:
    """A string, or those in a tuple, list, set or `frozenset(…)`, however deep."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from strings(part)
    elif isinstance(node, ast.Call):
        for part in node.args:
            yield from strings(part)


def is_called(node: ast.AST, name: str) -> bool:
    """Whether it is a variable or attribute of this name."""
    return (isinstance(node, ast.Name) and node.id == name) or (isinstance(node, ast.Attribute) and node.attr == name)


def is_operator(node: ast.AST) -> bool:
    """Whether it is called `op`: an operator of ONNX, some of which layers are named after."""
    return is_called(node, "op")


def is_list_of_names(parts: list[ast.expr]) -> bool:
    return all(isinstance(p, ast.Constant) and isinstance(p.value, str) and p.value[:1].isupper() for p in parts)


def operator_sets(tree: ast.AST) -> set[str]:
    """The names of collections in which nothing but operators of ONNX are looked for."""
    inside: dict[str, list[bool]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.comparators[-1], ast.Name):
            inside.setdefault(node.comparators[-1].id, []).append(is_operator(node.left))
    return {name for name, are in inside.items() if all(are)}


def decisions(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Line and word of every string that decides, and whether a part of a name does as well as the whole."""
    operators = operator_sets(tree)
    harmless = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and {t.id for t in node.targets if isinstance(t, ast.Name)} & operators
        for part in ast.walk(node.value)
    }
    compared = {id(p) for node in ast.walk(tree) if isinstance(node, ast.Compare) for p in node.comparators}
    for node in ast.walk(tree):
        found: list[ast.AST | None] = []
        is_affix = False
        match node:
            case ast.Compare(left=left, comparators=others):
                found = [] if any(map(is_operator, [left, *others])) else [left, *others]
            case ast.MatchValue(value=value):
                found = [value]
            case ast.Dict(keys=keys):
                found = [*keys]
            case ast.Subscript(slice=index):
                found = [index]
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) if is_list_of_names(parts):
                found = [] if id(node) in compared else [node]
            case ast.Call(func=ast.Attribute(attr=attr), args=args) if attr in LOOKUPS | AFFIXES:
                found, is_affix = [*args], attr in AFFIXES
            case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
                found = [ast.Constant(k.arg, lineno=k.lineno) for k in keywords]
        for part in found:
            for string in strings(part) if part is not None and id(part) not in harmless else ():
                if string.value not in EVERYDAY or (isinstance(node, ast.Compare) and names_kinds(node)):
                    yield string.lineno, str(string.value), is_affix


def names_kinds(node: ast.Compare) -> bool:
    return any(is_called(part, "kind") for part in (node.left, *node.comparators))


def kinds_of(word: str, *, is_affix: bool) -> list[str]:
    """The kinds that a word names, or that begin or end with it."""
    if not is_affix:
        return [word] if word in FAMILIES else []
    is_long = len(word) > 2 and word[:1].isupper()
    return [kind for kind in FAMILIES if is_long and (kind.startswith(word) or kind.endswith(word))]


def deciding(path: Path) -> list[str]:
    where = path.relative_to(PACKAGE)
    family = where.parts[1] if where.parts[0] == "layers" and len(where.parts) > 2 else ""
    found = []
    for line, word, is_affix in decisions(ast.parse(path.read_text(encoding="utf-8"))):
        if any(FAMILIES[kind] != family for kind in kinds_of(word, is_affix=is_affix)):
            found.append(f"{where.as_posix()}:{line}: {word}")
    return found


@cache
def decided() -> list[str]:
    """Of all modules, where a kind's name decides outside its family."""
    return [line for path in sorted(PACKAGE.rglob("*.py")) for line in deciding(path)]


def is_allowed(found: str) -> bool:
    return any(found.startswith(place) for place in ALLOWED)


def test_nobody_else_decides_by_a_kinds_name() -> None:
    assert not [line for line in decided() if not is_allowed(line)]


def test_what_is_allowed_is_needed() -> None:
    assert not [place for place in ALLOWED if not any(line.startswith(place) for line in decided())]


@pytest.mark.parametrize(
    "text",
    [
        "node.kind == 'Dense'",
        "node.kind == 'split'",
        "'Dense' != kind",
        "kind in ('Dense', 'Conv1D')",
        "kind in {'Dense'}",
        "kind in frozenset({'Dense'})",
        "{'Dense': 1}[kind]",
        "{('filters', 'Dense'): 1}",
        "dict(Dense=1)",
        "dict.fromkeys(('Dense', 'Conv1D'), 1)",
        "REGISTRY['Dense'] is layer",
        "table.get('Dense')",
        "kind.startswith('Conv')",
        "kind.endswith(('Dense', 'Pooling'))",
        "kind.removeprefix('Global')",
        "KINDS = ['Dense', 'Conv1D']",
        "KINDS: set[str] = {'Dense'}",
        "[hint for kind in ('Dense', 'GRU')]",
        "kinds & {'Dense'}",
        "match kind:\n    case 'GRU' | 'Dense': pass",
        "match pair:\n    case ('Dense', _): pass",
        "match item:\n    case Layer(kind='Dense'): pass",
        "OPS = {'GRU'}\nop in OPS\nkind in OPS",
    ],
)
def test_every_way_to_decide_is_seen(text: str) -> None:
    found = [word for _, word, is_affix in decisions(ast.parse(text)) if kinds_of(word, is_affix=is_affix)]
    assert found


@pytest.mark.parametrize(
    "text",
    [
        "'''Dense'''",
        "Fix('use `Dense`')",
        "lowering.node('Add', left, right)",
        "op == 'Add'",
        "node.op in ('Add', 'Softmax')",
        "OPS = frozenset({'GRU', 'LSTM'})\nnode.op in OPS",
        "aliases = {'Convolution1D': 'Conv1D'}",
        "text.startswith('Items')",
        "section == 'split'",
        "[('Add', 'offset', 0.0)]",
    ],
)
def test_what_is_only_written_is_no_decision(text: str) -> None:
    assert not [word for _, word, is_affix in decisions(ast.parse(text)) if kinds_of(word, is_affix=is_affix)]
