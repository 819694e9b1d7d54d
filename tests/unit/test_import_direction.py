"""Imports run one way: every one, wherever it stands, in a function or for types alone, leads to a lower floor.

FLOORS is the order of the packages, from what depends on nothing to the command line. Within a package the modules, and
the folders that it consists of, form no circle either. `nnspec.runtime` stands alone.
"""

from __future__ import annotations

from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.support.imports import imports_of
from tests.support.paths import PACKAGE

# From the ground up; packages on one floor know nothing of each other.
FLOORS: list[set[str]] = [
    {"lazy", "progress", "runtime", "unused_packages"},
    {"diagnostics"},
    {"document", "ir"},
    {"catalogue"},
    {"data"},
    {"backends"},
    {"layers"},
    {"schema"},
    {"expansion"},
    {"validation", "inference"},
    {"training", "search"},
    {"checks"},
    {"pipeline"},
    {"evaluation", "verify", "show", "fix", "explain", "propose", "onnx_axes"},
    {"report"},
    {"jobs", "importers", "lsp", "page"},
    {"api"},
    {"cli", "nnspec"},
    {"__main__"},
]
FLOOR_OF = {package: number for number, floor in enumerate(FLOORS) for package in floor}
MODULES = {
    ".".join(path.with_suffix("").relative_to(PACKAGE.parent).parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


@cache
def imports(module: str) -> dict[str, int]:
    """The modules of nnspec that a module imports anywhere in its text, each with the line."""
    lines: dict[str, int] = {}
    for found in imports_of(MODULES[module]):
        assert found.level == 0, f"{module}:{found.line}: imports are absolute, so that they can be followed"
        names = set(found.names)
        if found.module is not None:
            whole = {f"{found.module}.{name}" for name in names}
            names = {name if name in MODULES else found.module for name in whole}
        lines.update(dict.fromkeys((names & MODULES.keys()) - {module, "nnspec"}, found.line))
    return lines


def package(module: str) -> str:
    """`nnspec.layers.kit.base` -> `layers`."""
    return module.split(".")[1] if "." in module else module


def folder(module: str) -> str:
    """What a package consists of: `nnspec.layers.kit.base` -> `layers.kit`, `nnspec.api` -> `api`."""
    return ".".join(module.split(".")[1:3]) or module


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One circle in a graph, its last item the first again; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def importers_of(parent: str) -> dict[str, set[str]]:
    """The modules that import one of a package's modules from outside it, by that module."""
    found: dict[str, set[str]] = {}
    for module in MODULES:
        for other in imports(module):
            if f"{other}.".startswith(f"{parent}.") and not f"{module}.".startswith(f"{parent}."):
                found.setdefault(other, set()).add(module)
    return found


def test_every_package_has_a_floor() -> None:
    assert {package(module) for module in MODULES} == FLOOR_OF.keys()


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_import_climbs(module: str) -> None:
    own = package(module)
    climbing = [
        f"line {line} imports {other}"
        for other, line in imports(module).items()
        if package(other) != own and FLOOR_OF[package(other)] >= FLOOR_OF[own]
    ]
    assert not climbing, f"{module} stands on floor {FLOOR_OF[own]}: {climbing}"


def test_no_module_depends_on_what_depends_on_it() -> None:
    assert not circle({module: set(imports(module)) for module in MODULES})


def test_no_folder_depends_on_what_depends_on_it() -> None:
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        graph.setdefault(folder(module), set()).update({folder(other) for other in imports(module)} - {folder(module)})
    assert not circle(graph)


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circle({"a": {"b", "c"}, "b": {"c"}})


def test_the_runtime_stands_alone() -> None:
    others = {other for module in MODULES if package(module) == "runtime" for other in imports(module)}
    assert {package(other) for other in others} == {"runtime"}


def test_formats_are_seen_through_their_seam_alone() -> None:
    """Of ONNX, the layers know what they lower themselves with; everybody else asks `nnspec.backends.registry`."""
    found = importers_of("nnspec.backends.onnx")
    assert {package(module) for modules in found.values() for module in modules} == {"layers"}
    of_the_walk = {"backend", "deploy", "export", "fallback", "form", "session"}
    assert not found.keys() & {f"nnspec.backends.onnx.{name}" for name in of_the_walk}
