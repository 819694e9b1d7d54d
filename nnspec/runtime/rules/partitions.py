"""Partitioned folders: `year=2024/month=01/part.parquet` has the columns `year` and `month` beside those of the file.

A value is read as a cell of a CSV file is: a number where it is wanted as one, else the word as it stands.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path
from urllib.parse import unquote

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
WILDCARDS = frozenset("*?[")


def fixed_folder(pattern: Path) -> Path:
    """The folder that a pattern's first wildcard stands in; of a path without any, its own folder."""
    folder = Path(pattern.anchor)
    for part in pattern.parts[len(folder.parts) : -1]:
        if WILDCARDS & set(part):
            return folder
        folder /= part
    return folder


def partition_of(folders: Iterable[str], own: Container[str]) -> dict[str, str]:
    """The columns that a file's folders name, each with its cell; the file's `own` columns come before them."""
    found: dict[str, str] = {}
    for folder in folders:
        name, sign, value = folder.partition("=")
        if sign and name and unquote(name) not in own:
            found[unquote(name)] = "" if value == _NO_VALUE else unquote(value)
    return found


def find_files(pattern: Path, suffix: str) -> list[Path]:
    """The files that a path, a pattern or a folder names, by their paths in order; of a folder, all with this suffix.

    Hidden files and those of writers (`_SUCCESS`) are left out of a folder.
    """
    try:
        if pattern.is_file():
            return [pattern]
        if pattern.is_dir():
            return sorted(path for path in pattern.rglob(f"*{suffix}") if path.is_file() and _is_shown(path, pattern))
        folder = fixed_folder(pattern)
        if not WILDCARDS & set(str(pattern.relative_to(folder))):
            return []
        return sorted(path for path in folder.glob(str(pattern.relative_to(folder))) if path.is_file())
    except (OSError, ValueError):
        return []


def _is_shown(path: Path, folder: Path) -> bool:
    return not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
