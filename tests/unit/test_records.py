"""Records of more than five fields are built by name: a field that is put in later moves no value to another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import PACKAGE

MOST = 5  # fields that a reader can tell apart by their position
LEADING = 3  # fields of a larger record that may go by position, such as code, message and span of a diagnostic


def positional_fields(record: ast.ClassDef) -> list[str]:
    """The fields that a dataclass takes by position, those of its bases left out."""
    decorator = next(d for d in record.decorator_list if "dataclass" in ast.unparse(d))
    if isinstance(decorator, ast.Call) and any(k.arg == "kw_only" for k in decorator.keywords):
        return []
    found = []
    for field in record.body:
        if isinstance(field, ast.AnnAssign):
            if ast.unparse(field.annotation) == "KW_ONLY":
                return found
            found.append(ast.unparse(field.target))
    return found


def records(path: Path) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(d) for d in node.decorator_list):
            yield node


def test_large_records_are_built_by_name() -> None:
    """Python refuses what the class does not take by position, so that it is enough to look at the classes."""
    wrong, count = [], 0
    for path in sorted(PACKAGE.rglob("*.py")):
        for record in records(path):
            fields = [field for field in record.body if isinstance(field, ast.AnnAssign)]
            count += len(fields) > MOST
            if len(fields) > MOST and len(positional_fields(record)) > LEADING:
                wrong.append(f"{path.relative_to(PACKAGE)}: {record.name}")
    assert count > 30
    assert not wrong, "give these `kw_only=True`, or `_: KW_ONLY` behind the first fields"
