"""What others need to know of a kind its class says: no module but its own family's spells a kind's name to decide.

A decision is a comparison (`==`, `in`, `match`) with a kind's name, or a lookup in a table of kinds' names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from nnspec.layers.registry import MODULES
from tests.support.paths import PACKAGE

# Verbs are words of every day, which name splits and keys elsewhere.
VERBS = {
    "permute",
    "merge",
    "split",
    "insert",
    "drop",
    "rename",
    "slice",
    "take",
    "expand",
    "pad",
    "reduce",
    "roll",
    "weight",
    "formula",
}
FAMILIES = {kind: module.partition(".")[0] for module, kinds in MODULES.items() for kind in kinds if kind not in VERBS}
# Where kinds are spelt all the same, and why.
ALLOWED = {
    "backends/onnx/builder.py": "operators of ONNX, some of which layers are named after",
    "importers/keras": "the classes of another framework's files, translated one by one",
    "layers/kit/contracts.py": "a fix that is an argument of the recurrent layers",
    "layers/kit/weight_objects.py": "initializers of Keras, one of which has a layer's name",
    "layers/merging/joining.py": "a fix that names the axis that a RepeatVector makes",
    "validation/hints.py": "the language: arguments and layers as other frameworks spell them",
    "checks/direction.py": "a verb of masks, which only this rule is about",
    "checks/padding.py": "likewise: it repairs the arguments of Masking",
}


def spelt(node: ast.AST) -> Iterator[str]:
    """The words of a constant, or of a tuple, list, set or table of constants."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for part in node.elts:
            yield from spelt(part)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("frozenset", "set"):
        for part in node.args:
            yield from spelt(part)


def decisions(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and word of every constant that something is compared with or looked up by."""
    for node in ast.walk(tree):
        found: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            found = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            found = [node.value]
        elif isinstance(node, ast.Dict):
            found = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call | ast.Set | ast.Tuple):
            found = [node.value]
        for part in found:
            for word in spelt(part):
                yield part.lineno, word


def deciding(path: Path) -> list[str]:
    where = path.relative_to(PACKAGE)
    family = where.parts[1] if where.parts[0] == "layers" and len(where.parts) > 2 else ""
    words = decisions(ast.parse(path.read_text(encoding="utf-8")))
    return [f"{where}:{line}: {word}" for line, word in words if word in FAMILIES and FAMILIES[word] != family]


def is_allowed(found: str) -> bool:
    return any(found.startswith(place) for place in ALLOWED)


def test_nobody_else_decides_by_a_kinds_name() -> None:
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in deciding(path)]
    assert found, "the walk finds what is allowed"
    assert not [line for line in found if not is_allowed(line)]


def test_what_is_allowed_is_needed() -> None:
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in deciding(path)]
    assert not [place for place in ALLOWED if not any(line.startswith(place) for line in found)]
