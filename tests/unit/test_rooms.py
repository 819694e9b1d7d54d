"""Folders say what is in them: names in docstrings exist, and tests are in the folder of what they test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = sorted(path.parent for path in (ROOT / "nnspec").rglob("__init__.py"))
# Words of a package's docstring that are code, but of a spec, another package or a command line.
WORDS = {"as", "from", "augment", "data", "search", "lsp", "lsprotocol", "nnspec"}
# Tests of one room with files of their own.
WITHOUT_A_ROOM = {"importers/keras/own_classes"}
DOTTED = re.compile(r"(?<![\w/.-])(?:nnspec|tests)(?:\.[A-Za-z_]\w*)+(?![\w/-])")
# Names of files and entry points, and what a test adds.
FILES = {"nnspec.schema.json", "nnspec.sarif", "nnspec.onnx", "nnspec.pth", "tests.pth"}
EXAMPLES = ("jsonrows", "nobody", "nnspec.sources", "nnspec.layers", "nnspec.__file__")


@cache
def _names_in(module: Path) -> set[str]:
    """What a module defines, imports or maps by name."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef | ast.FunctionDef)}
    found |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    return found | {str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)}


def exists(name: str) -> bool:
    """Whether a dotted name is that of a package, of a module, or of something in one."""
    path = ROOT
    for part in name.split("."):
        if (path / part).is_dir():
            path /= part
        elif (path / f"{part}.py").is_file():
            path /= f"{part}.py"
        else:
            module = path if path.is_file() else path / "__init__.py"
            return part in _names_in(module)
    return True


def unknown_modules(package: Path, text: str) -> list[str]:
    """The words in backticks of a package's docstring that are neither its modules nor known words."""
    names = _names_in(package / "__init__.py")
    rooms = {each.name for each in (ROOT / "nnspec").iterdir()} | WORDS
    words = [word.rstrip("/") for word in re.findall(r"`([a-z_]+/?)`", text)]
    here = {path.stem for path in package.iterdir() if path.name != "__pycache__"}
    return [word for word in words if word not in here | names | rooms]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_folder_says_what_is_in_it(package: Path) -> None:
    """Its docstring names modules that it has, and all its folders if it has several."""
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    assert text, "no docstring"
    assert unknown_modules(package, text) == []


def test_a_module_that_was_renamed_is_found() -> None:
    package = ROOT / "nnspec/validation"
    assert unknown_modules(package, "`acceptance` decides, `wording` writes messages") == ["wording"]


def test_dotted_names_in_comments_docstrings_and_pages_exist() -> None:
    texts = [path for kind in ("py", "md", "mjs", "j2") for path in (ROOT / "nnspec").rglob(f"*.{kind}")]
    found = []
    for path in [
        *texts,
        *(ROOT / "tests").rglob("*.py"),
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "pyproject.toml",
    ]:
        for name in set(DOTTED.findall(path.read_text(encoding="utf-8"))):
            if name in FILES or any(example in name for example in EXAMPLES):
                continue
            if not exists(name):
                found.append(f"{path.relative_to(ROOT)}: {name}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("nnspec.layers.kit.base.Layer", True),
        ("nnspec.runtime.load", True),
        ("nnspec.layers.dense", False),
        ("nnspec.layers.linear.dense.Danse", False),
    ],
)
def test_a_name_that_moved_is_found(name: str, is_there: bool) -> None:
    assert exists(name) is is_there


def test_tests_are_in_the_folder_of_what_they_test() -> None:
    unit = ROOT / "tests/unit"
    folders = {path.parent.relative_to(unit).as_posix() for path in unit.rglob("test_*.py")} - WITHOUT_A_ROOM
    assert [folder for folder in sorted(folders) if not (ROOT / "nnspec" / folder).is_dir()] == []
