"""What people call the folders that splits are in."""

from __future__ import annotations

from collections.abc import Iterable

_NAMES = {
    "train": "train training trn",
    "validation": "validation valid validate val dev",
    "test": "test testing tst",
}
_SPLITS = {word: split for split, words in _NAMES.items() for word in words.split()}


def split_folders(folders: Iterable[str]) -> dict[str, str]:
    """The folder of each split, in the order train, validation, test; empty where they are not all splits."""
    given = sorted(folders)
    found = {_SPLITS.get(folder.casefold(), ""): folder for folder in given}
    if "" in found or "train" not in found or len(found) < max(2, len(given)):
        return {}
    return {split: found[split] for split in _NAMES if split in found}
