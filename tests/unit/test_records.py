"""Records of more than five fields are built by name: a field that is put in later moves no value to another one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import PACKAGE

MOST = 5  # fields that a reader can tell apart by their position
LEADING = 3  # fields of a larger record that may go by position, such as code, message and span of a diagnostic


@dataclass(frozen=True)
class Fields:
    """The fields of a record, those of its bases first: all of them, and those that it takes by position."""

    every: tuple[str, ...]
    positional: tuple[str, ...]

    @property
    def is_by_name(self) -> bool:
        return len(self.every) <= MOST or len(self.positional) <= LEADING


def makes_records(module: ast.Module) -> set[str]:
    """The names that stand for `dataclass` in a module: imported under another name, or with arguments bound."""
    found = {"dataclass"}
    for node in module.body:
        if isinstance(node, ast.ImportFrom):
            found |= {name.asname for name in node.names if name.name == "dataclass" and name.asname}
        if isinstance(node, ast.Assign) and "dataclass" in ast.unparse(node.value):
            found |= {ast.unparse(target) for target in node.targets}
    return found


def is_keyword_only(call: ast.expr) -> bool:
    keywords = call.keywords if isinstance(call, ast.Call) else []
    return any(k.arg == "kw_only" and isinstance(k.value, ast.Constant) and k.value.value is True for k in keywords)


def own_fields(record: ast.ClassDef, decorator: ast.expr | None) -> Fields:
    """The fields that a class itself declares; `decorator` is None for a `NamedTuple`."""
    is_by_name = decorator is not None and is_keyword_only(decorator)
    every, positional = [], []
    for field in record.body:
        if not isinstance(field, ast.AnnAssign) or "ClassVar" in ast.unparse(field.annotation):
            continue
        if ast.unparse(field.annotation).rpartition(".")[2] == "KW_ONLY":
            is_by_name = True
            continue
        every.append(ast.unparse(field.target))
        if not is_by_name and not (field.value is not None and is_keyword_only(field.value)):
            positional.append(every[-1])
    return Fields(tuple(every), tuple(positional))


def records(texts: Mapping[str, str]) -> Iterator[tuple[str, Fields]]:
    """Every record of modules (by path), as `path: Name`, with the fields of those that it is derived from.

    Args:
        texts: the modules' code; a base is found by its name, which no other record of the package has.
    """
    own: dict[str, tuple[str, ast.ClassDef, Fields]] = {}
    for path, text in texts.items():
        module = ast.parse(text)
        makers = makes_records(module)
        for node in ast.walk(module):
            if not isinstance(node, ast.ClassDef):
                continue
            called = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
            given = [
                decorator
                for decorator, name in zip(node.decorator_list, called, strict=True)
                if ast.unparse(name) in makers or ast.unparse(name).endswith(".dataclass")
            ]
            is_tuple = any(ast.unparse(base).endswith("NamedTuple") for base in node.bases)
            if given or is_tuple:
                key = node.name if node.name not in own else f"{path}: {node.name}"
                own[key] = (path, node, own_fields(node, given[0] if given else None))

    def inherited(key: str, seen: frozenset[str] = frozenset()) -> Fields:
        _, node, fields = own[key]
        bases = [ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases]
        above = [inherited(base, seen | {key}) for base in bases if base in own and base not in seen | {key}]
        every = dict.fromkeys(name for each in (*above, fields) for name in each.every)
        positional = dict.fromkeys(name for each in (*above, fields) for name in each.positional)
        return Fields(tuple(every), tuple(positional))

    for key, (path, node, _) in own.items():
        yield f"{path}: {node.name}", inherited(key)


def of_package() -> dict[str, str]:
    return {
        str(path.relative_to(PACKAGE)): path.read_text(encoding="utf-8") for path in sorted(Path(PACKAGE).rglob("*.py"))
    }


def test_large_records_are_built_by_name() -> None:
    """Python refuses what the class does not take by position, so that it is enough to look at the classes."""
    found = dict(records(of_package()))
    assert sum(len(fields.every) > MOST for fields in found.values()) > 30
    wrong = [name for name, fields in found.items() if not fields.is_by_name]
    assert not wrong, "give these `kw_only=True`, or `_: KW_ONLY` behind the first fields"


SIX = "".join(f"    {name}: int\n" for name in "abcdef")
HALF = "".join(f"    {name}: int\n" for name in "ghi")
REST = "".join(f"    {name}: int\n" for name in "jkl")


@pytest.mark.parametrize(
    ("text", "is_by_name"),
    [
        (f"@dataclass\nclass R:\n{SIX}", False),
        (f"@dataclass(kw_only=True)\nclass R:\n{SIX}", True),
        (f"@dataclass(kw_only=False)\nclass R:\n{SIX}", False),
        (f"@dataclasses.dataclass\nclass R:\n{SIX}", False),
        (f"from dataclasses import dataclass as record\n@record\nclass R:\n{SIX}", False),
        (f"record = partial(dataclass, frozen=True)\n@record\nclass R:\n{SIX}", False),
        (f"class R(NamedTuple):\n{SIX}", False),
        (f"@dataclass\nclass R:\n    z: int\n    _: dataclasses.KW_ONLY\n{SIX}", True),
        (
            f"@dataclass\nclass B:\n{HALF}@dataclass\nclass R(B):\n{REST}",
            False,
        ),
        (f"@dataclass\nclass B:\n{HALF}\n@dataclass(kw_only=True)\nclass R(B):\n{SIX}", True),
    ],
)
def test_no_way_of_writing_a_record_escapes(text: str, is_by_name: bool) -> None:
    assert dict(records({"m.py": text}))["m.py: R"].is_by_name is is_by_name
