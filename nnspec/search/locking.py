"""Locks on folders that end with the process that has them, however it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


class TakenError(Exception):
    """Another process has the lock."""


@contextlib.contextmanager
def lock_file(path: Path, *, waits: bool) -> Iterator[None]:
    """Has a lock file to itself within the block; without a means to lock, as on Windows, it has not.

    Args:
        waits: until another process that has it ends.

    Raises:
        TakenError: where another process has it.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError:
            raise TakenError(str(path)) from None
        yield
