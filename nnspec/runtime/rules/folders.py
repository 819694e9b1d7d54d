"""The files of a folder that are samples: the same, in the same order, for checking, training and predicting.

Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

_LITTER = frozenset({"thumbs.db", "desktop.ini", "__macosx"})  # what file managers and archivers leave behind
_DEEPEST = 32  # folders within folders: links may run in a circle


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a folder. Names are relative to it, with `/` between their parts.

    Attributes:
        files: those of the suffixes, sorted by name.
        others: the other files; what is hidden, or left behind by file managers, is not among them.
        links: every symbolic link on the way.
    """

    files: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)


def list_folder(folder: Path, suffixes: Collection[str]) -> Listing:
    """The files of a folder and of those within it.

    Args:
        suffixes: in lower case, such as `.png`.

    Raises:
        OSError: where a folder cannot be read.
    """
    found = Listing()
    _walk(folder, "", suffixes, found, _DEEPEST)
    found.files.sort()
    found.others.sort()
    return found


def _walk(folder: Path, before: str, suffixes: Collection[str], found: Listing, depth: int) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _LITTER:
                continue
            name = before + entry.name
            if entry.is_symlink():
                found.links.append(name)
            if entry.is_dir():
                if depth:
                    _walk(Path(entry.path), f"{name}/", suffixes, found, depth - 1)
            elif entry.is_file():
                is_sample = os.path.splitext(entry.name)[1].lower() in suffixes
                (found.files if is_sample else found.others).append(name)


def label_of(name: str) -> str:
    """The folder that a file is in, as a label: the same whichever way the file system writes accents."""
    return unicodedata.normalize("NFC", name.split("/")[-2]) if "/" in name else ""


def stem_of(name: str) -> str:
    """A name without its suffix, by which files of two folders are matched."""
    return unicodedata.normalize("NFC", os.path.splitext(name)[0])
