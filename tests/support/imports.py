"""The imports of a module by its text, read once for all tests about them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """An import statement.

    Attributes:
        module: what `from` names; None for a plain `import`.
        names: what is imported.
        level: the dots of a relative import.
        runs: whether it runs when the module is imported: it stands in no function, and not for types alone.
    """

    module: str | None
    names: tuple[str, ...]
    level: int
    line: int
    runs: bool

    @property
    def packages(self) -> set[str]:
        """The top-level packages of an absolute import."""
        if self.module is not None:
            return set() if self.level else {self.module.partition(".")[0]}
        return {name.partition(".")[0] for name in self.names} if not self.level else set()


@cache
def imports_of(path: Path) -> tuple[Import, ...]:
    """Every import of a module, wherever it stands."""
    return tuple(_imports(ast.parse(path.read_text(encoding="utf-8")), runs=True))


def _imports(node: ast.AST, *, runs: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            continue  # no expression holds a statement
        if isinstance(child, ast.Import | ast.ImportFrom):
            is_from = isinstance(child, ast.ImportFrom)
            names = tuple(alias.name for alias in child.names)
            yield Import(child.module if is_from else None, names, child.level if is_from else 0, child.lineno, runs)
            continue
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        yield from _imports(child, runs=runs and not is_function and not is_for_types)
