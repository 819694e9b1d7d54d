"""The files of a training's checkpoints: written beside and renamed, hashed, the last two kept.

A checkpoint is `NAME.npz`, its arrays, and `NAME.json`, its state with the hashes of both. The second is written last,
so that a checkpoint has all its parts or none: if a run is killed at any moment, or the disk is full, the one before is
whole. Names sort in the order of the training.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from nnspec.document.types import JsonObject

KEPT = 2
HASHES = ("sha256", "arrays_sha256")  # of the rest of the state, and of the file with the arrays
PART = ".part"
State = JsonObject


@dataclass(frozen=True, eq=False)
class Saved:
    """A checkpoint: its state as JSON, and its arrays by name."""

    name: str
    state: State
    arrays: Mapping[str, np.ndarray]


class CheckpointFiles:
    """The checkpoints in a folder.

    Attributes:
        damaged: the names of those that `newest` found damaged, newest first.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged: list[str] = []

    def names(self) -> list[str]:
        """Those that were written to their end, oldest first."""
        return sorted(path.stem for path in self.folder.glob("[0-9]*.json"))

    def write(self, name: str, state: State, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes a checkpoint, and then removes all but the last two.

        Raises:
            OSError: where it cannot be written; those before are as they were.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        before = [other for other in self.names() if other != name]
        try:
            digest = _write_beside(
                self.folder / f"{name}.npz", lambda file: np.savez(file, allow_pickle=False, **arrays)
            )
            body = {**state, HASHES[1]: digest}
            text = json.dumps({**body, HASHES[0]: _hash_of(body)})
            _write_beside(self.folder / f"{name}.json", lambda file: file.write(text.encode()))
        except OSError:
            for part in self.folder.glob(f"*{PART}"):  # it takes room that a full disk does not have
                part.unlink(missing_ok=True)
            raise
        kept = {*before[-(KEPT - 1) :], name}
        for path in self.folder.glob("[0-9]*"):
            if path.name.partition(".")[0] not in kept:
                path.unlink(missing_ok=True)

    def forget(self) -> None:
        """Goes on with none of those that are there, whose files stay until others take their room."""
        for name in self.names():
            (self.folder / f"{name}.json").unlink()

    def newest(self) -> Saved | None:
        """The newest checkpoint that is whole; None where there is none. Those that are not are `damaged`."""
        self.damaged = []
        for name in reversed(self.names()):
            try:
                return self._read(name)
            except (OSError, ValueError, KeyError):
                self.damaged.append(name)
        return None

    def _read(self, name: str) -> Saved:
        """A checkpoint.

        Raises:
            ValueError: where it is damaged.
        """
        body = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        if body.pop(HASHES[0]) != _hash_of(body):
            raise ValueError("its state differs from what was written")
        path = self.folder / f"{name}.npz"
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != body.pop(HASHES[1]):
                raise ValueError("its arrays differ from what was written")
            file.seek(0)
            with np.load(file) as arrays:
                return Saved(name, body, {key: arrays[key] for key in arrays.files})


def _hash_of(body: State) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _write_beside(path: Path, write: Callable[[BinaryIO], object]) -> str:
    """Writes a file under another name, waits until the disk has it, and renames it; its hash."""
    beside = path.with_name(f"{path.name}{PART}")
    with beside.open("wb+") as file:
        write(file)
        _flush(file)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    os.replace(beside, path)
    return digest


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
