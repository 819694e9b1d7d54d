"""Dependencies between the packages and modules of nnspec run one way; `nnspec.runtime` depends on none of the others.

What a function imports when it is called does not count: layers load Keras classes of nnspec's own inside their
lowering methods.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter

from tests.support.paths import PACKAGE

MODULES = {
    ".".join(path.with_suffix("").relative_to(PACKAGE.parent).parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def at_import(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when a module is imported."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        is_typing = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not is_typing and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from at_import(child)


def read_by(module: str) -> set[str]:
    """The modules of nnspec that a module imports."""
    found: set[str] = set()
    for node in at_import(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif node.module is not None:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return (found & MODULES.keys()) - {module, "nnspec"}


def unit(module: str) -> str:
    """The package that a module is part of, or the module where it lies at the top; the backends are two."""
    parts = module.split(".")[1:]
    return ".".join(parts[:2]) if parts[:2] == ["backends", "onnx"] else "".join(parts[:1])


READS = {module: read_by(module) for module in MODULES}


def test_no_module_depends_on_what_depends_on_it() -> None:
    TopologicalSorter(READS).prepare()  # raises CycleError, which names the cycle


def test_no_package_depends_on_what_depends_on_it() -> None:
    graph: dict[str, set[str]] = {}
    for module, read in READS.items():
        graph.setdefault(unit(module), set()).update({unit(other) for other in read} - {unit(module)})
    assert graph["pipeline"] >= {"document", "expansion", "validation", "inference", "checks"}
    TopologicalSorter(graph).prepare()


def test_the_runtime_stands_alone() -> None:
    read = {other for module, others in READS.items() if unit(module) == "runtime" for other in others}
    assert {unit(other) for other in read} == {"runtime"}
