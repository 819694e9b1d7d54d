"""Tells whether files are still what they were, without reading them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from nnspec.data.sources.errors import SourceError

Stamps = tuple[tuple[str, int, int, int, int], ...]


def stamps_of(paths: Iterable[Path]) -> Stamps:
    """What changes as files do: of each its name, inode, size, and times of change.

    Raises:
        SourceError: where one is not there or may not be looked at.
    """
    try:
        stats = [(str(path), path.stat()) for path in paths]
    except OSError as error:
        raise SourceError(f"it cannot be read ({error.strerror})") from None
    return tuple((name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats)
