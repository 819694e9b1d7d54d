"""A copy of the repository that a test adds to; the files that this touches, and those that CONTRIBUTING lists."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from tests.support.loaded_python import run_loaded
from tests.support.paths import ROOT


def copy_repository(target: Path) -> Path:
    """The package, its tests and schemas, without the files that tests keep as data.

    The bytecode goes along, which Python takes for a file of the same time and size: else each copy compiles it all.
    """

    def left_out(folder: str, names: list[str]) -> set[str]:
        if Path(folder).name == "__pycache__":
            return {name for name in names if not name.endswith(".pyc")}  # what another process is about to write
        return {"data"} if Path(folder) == ROOT / "tests" else set()

    for name in ("nnspec", "tests", "schemas"):
        shutil.copytree(ROOT / name, target / name, ignore=left_out)
    shutil.copy(ROOT / "pyproject.toml", target)
    return target


def run(folder: Path, *arguments: str, **variables: str) -> str:
    """What a module prints that is run in the copy, of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder), **variables}
    done = run_loaded("-m", *arguments, cwd=folder, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def run_tests(folder: Path, *arguments: str, **variables: str) -> None:
    run(folder, "pytest", "-q", "-p", "no:cacheprovider", *arguments, **variables)


def state(folder: Path) -> dict[str, str]:
    """What every file holds."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and ".hypothesis" not in path.parts
    }


def touched(folder: Path, before: dict[str, str]) -> set[str]:
    after = state(folder)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def listed(what: str, **names: str) -> set[str]:
    """The files that CONTRIBUTING lists for an addition, its capital words replaced."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = text.split(f"<!-- files: {what} -->\n```\n", 1)[1].split("```", 1)[0]
    pattern = re.compile("|".join(sorted(names, key=len, reverse=True)))
    return {pattern.sub(lambda found: names[found.group()], line.split()[0]) for line in block.splitlines()}


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    write(path, text.replace(old, new, 1))
