"""User-facing text keeps to the standard terms of the field: one word for one thing.

All messages, labels, notes, fixes, descriptions and help texts are strings in the code; the documentation of layers and
verbs is in docstrings; pages, README, CONTRIBUTING and comments of specs are files. Each is searched for words that are
not used, and the failure tells what to write instead.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

# word -> what to write instead
INSTEAD = {
    r"figures?": "metric, number",
    r"rises": "higher is better",
    r"(a|the|its|their|every|this|that|same|many) places?|places": "position, index, span, or what is there",
    r"of (its|their|one's|his) own": "separate, its own …",
    r"the very": "the same",
    r"where there (is|are) none": "without …, if there is no …",
    r"(has|have) not(?=[.,;:)`]|$)": "does not have …",
    r"called otherwise": "renamed",
    r"nobody": "no layer, no user",
    r"(told|tells) of": "report, describe",
    r"stands?(?! for)": "is",
    r"(lie|lies|lay)": "is, are",
    r"brackets": "axes",
    r"(turns?|turned) (\w+ )?round": "reverse",
    r"(mends?|mended|mending)": "fix",
    r"holds? (nothing|no)": "contain only, have no",
    r"(is|are) to (be|have|start|begin|give)": "must be, must have",
    r"anew": "again",
    r"by itself": "separately, on its own",
    r"(?<!there )(?<!There )(is|are) no(?! (longer|better|safer)\b)(?= )": "is not a",
    r"unlike (length|lengths|size|sizes|scales|numbers)": "different …",
    r"makes? (a |an |\w+ )?(features?|flags|NULL|numbers) of": "computes … from",
    r"(the|its|their|no) data (are|have|do not|say|give|hold)": "the data is, has, does not …",
    r"(is|are) there twice": "duplicate, listed twice",
    r"(takes?|make) room": "free some space",
    r"warns of": "warns about",
    r"(does|do) not go with": "cannot be combined with",
    r"(wants?|wanted)": "need",
    r"behind": "after",
    r"in front": "before",
    r"(goes|go|going) on": "continue",
    r"so much of": "so many positions of",
    r"gone": "removed",
    r"thereof|therein|whereof|hereby": "of it, in it",
    r"in training alone": "only in training",
    r"leaves? (\w+ )?alone": "does not change",
    r"speaks? of": "is about, names",
    r"makes? nothing": "creates no",
    r"(nothing|says?|said) (says )?so(?! (much|many))": "reports this",
    r"(ends?|ending|lose|loses) (the|a|its|their) mask|masks? ends": "remove or drop the mask",
    r"beside (nnspec|keras|tensorflow)": "another installed package",
    r"altogether|everybody": "a plainer word",
    r"which way round": "in which axis order",
    r"looked for|looks for": "expected, masked, found",
    r"(fill|fills|filled) (\w+ )?up": "pad",
    r"faults? of": "bug in",
    r"sought": "read from, looked up",
    r"strangers?": "unknown",
    r"pictures?": "image",
    r"weights? of samples": "sample weights",
    r"(ones|alone) alone": "only",
    r"engines?": "backend (what trains)",
}
PATTERN = {re.compile(rf"(?<![\w`./-])(?:{word})(?![\w`/])", re.IGNORECASE): better for word, better in INSTEAD.items()}

# Where one of these words is meant: (file, part of the text).
MEANT = {
    ("CONTRIBUTING.md", "engines that run trials"),
    ("CONTRIBUTING.md", "one engine means one set of rules for types"),  # DuckDB
    ("nnspec/validation/hints.py", "picture"),  # what users write
}

DOCUMENTATION = ("nnspec/layers/", "nnspec/cli/")  # docstrings there are what `explain`, hover and `--help` show
FILES = ("README.md", "CONTRIBUTING.md", "nnspec/diagnostics/pages/*.md")
COMMENTS = ("specs/*.yaml", "specs/networks/*.yaml")


def _text(node: ast.AST) -> str | None:
    """A string with `…` for each value that is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return None


def _documented(tree: ast.Module, *, is_shown: bool) -> dict[int, bool]:
    """Of every docstring, by identity, whether a user reads it."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            is_help = isinstance(node, ast.ClassDef) or bool(getattr(node, "decorator_list", ()))
            found[id(node.body[0].value)] = is_shown and is_help and not node.name.startswith("_")  # type: ignore[attr-defined]
    return found


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that a user may read, by line: strings of two words or more, and shown docstrings."""
    tree = _tree(path)
    name = path.relative_to(ROOT).as_posix()
    shown = _documented(tree, is_shown=name.startswith(DOCUMENTATION) and "/kit/" not in name)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        text = _text(node)
        if text is None or id(node) in parts or not shown.get(id(node), True):
            continue
        if re.search(r"[a-z]+ [a-z]", text.replace("`", "")):
            yield node.lineno, text  # type: ignore[attr-defined]


@cache
def texts() -> tuple[tuple[str, int, str], ...]:
    """Everything that a user reads: (file, line, text)."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[str, int, str]]:
    for path in sorted((ROOT / "nnspec").rglob("*.py")):
        for line, text in strings(path):
            yield path.relative_to(ROOT).as_posix(), line, text
    for pattern in FILES:
        for path in sorted(ROOT.glob(pattern)):
            is_code = False
            for number, line_text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                is_code ^= line_text.startswith("```")
                if not is_code:
                    yield path.relative_to(ROOT).as_posix(), number, line_text
    for pattern in COMMENTS:
        for path in sorted(ROOT.glob(pattern)):
            for number, line_text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if "#" in line_text:
                    yield path.relative_to(ROOT).as_posix(), number, line_text.partition("#")[2]


def objections(name: str, line: int, text: str) -> Iterator[str]:
    """What is to be written otherwise, with file and line."""
    if any(name == file and part in text for file, part in MEANT):
        return
    plain = re.sub(r"`[^`]*`", "`…`", text)
    for pattern, better in PATTERN.items():
        found = pattern.search(plain)
        if found is not None:
            yield f"{name}:{line}: `{found.group()}` in `{text[:90]}`: write {better}"


def test_user_facing_text_uses_standard_terms() -> None:
    found = [fault for name, line, text in texts() for fault in objections(name, line, text)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "writes the figures by `CSVLogger`",
        "`data` has input `w`, which the model has not",
        "is to start from (feature 5)",
        "each has weights of its own",
    ],
)
def test_a_word_that_is_not_used_is_found(text: str) -> None:
    assert list(objections("nnspec/x.py", 1, text))


# Functions act, so a verb names them: `_join`, not `_joined`. Those that a lone participle names: none may be added.
PARTICIPLES = re.compile(
    r"_*((?!embed)[a-z]+[^e]ed|told|said|made|kept|found|given|taken|held|left|known|meant|shown|written|drawn)"
)
CEILING_OF_PARTICIPLES = 178


def functions_named_by_participles() -> list[str]:
    """Functions and methods of nnspec, properties left out, that are named by a participle: `path: name`."""
    found = []
    for path in sorted((ROOT / "nnspec").rglob("*.py")):
        for node in ast.walk(_tree(path)):
            if not isinstance(node, ast.FunctionDef) or not PARTICIPLES.fullmatch(node.name):
                continue
            if not any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                found.append(f"{path.relative_to(ROOT).as_posix()}: {node.name}")
    return found


def test_no_further_function_is_named_by_a_participle() -> None:
    found = functions_named_by_participles()
    assert len(found) <= CEILING_OF_PARTICIPLES, "\n".join(found)


@pytest.mark.parametrize(
    ("name", "is_participle"), [("_joined", True), ("told", True), ("_join", False), ("feed", False)]
)
def test_a_participle_is_told_from_a_verb(name: str, is_participle: bool) -> None:
    assert bool(PARTICIPLES.fullmatch(name)) is is_participle


def test_messages_descriptions_help_and_pages_are_all_read() -> None:
    """What the walk must find: a message, a description, documentation, help, a page, a comment."""
    found: dict[str, list[str]] = {}
    for name, _, text in texts():
        found.setdefault(name, []).append(text)
    assert any("no input or earlier layer is named" in text for text in found["nnspec/expansion/naming.py"])
    assert any("Number of kernels" in text for text in found["nnspec/layers/convolution/plain.py"])
    assert any(text.startswith("Convolution along two axes") for text in found["nnspec/layers/convolution/plain.py"])
    assert any("Check, train, evaluate" in text for text in found["nnspec/cli/building.py"])
    assert any("Output directory" in text for text in found["nnspec/cli/options.py"])
    assert {"README.md", "nnspec/diagnostics/pages/NN301.md", "specs/causal_cnn.yaml"} <= found.keys()
