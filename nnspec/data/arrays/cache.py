"""The cache of prepared columns: folders of `.npy` files that processes share and map.

An entry's name is a hash of all that its values follow from: the stamps of the files, how they are read, and which
columns. It is written beside and renamed, so that whoever finds it finds it whole; of two processes that write the
same, the first one's stays. The cache is bounded (`NNSPEC_CACHE_SIZE`, in GB): the entries that were used longest ago
go first. A process that has mapped an entry keeps it though it is removed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nnspec.data.arrays import mapped

FORM = 1  # of the entries: another one is another name
SIZE = 32.0  # GB
_OLD = 86_400  # seconds after which what a process left unfinished is removed


class CacheError(Exception):
    """The cache cannot be written; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its folder, the bytes of its files, and when it was last used, in seconds since 1970."""

    path: Path
    size: int
    used: float


def columns_folder() -> Path:
    """Where the entries are."""
    return mapped.cache_folder() / "columns"


def entry_path(*parts: object) -> Path:
    """The folder of an entry, by what its values follow from."""
    key = hashlib.sha256(repr((FORM, *parts)).encode("utf-8", "surrogatepass")).hexdigest()
    return columns_folder() / key[:40]


def is_there(path: Path) -> bool:
    """Whether there is such an entry; it is then used, and stays longest."""
    if not path.is_dir():
        return False
    with suppress(OSError):
        os.utime(path)
    return True


def store(path: Path, write: Callable[[Path], None]) -> None:
    """Makes an entry of what `write` leaves in the folder that it is given.

    Raises:
        CacheError: where there is no room, or the folder may not be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".part-", dir=path.parent))
        try:
            write(beside)
            os.rename(beside, path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) or not path.is_dir():
                raise
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise CacheError(f"{error.strerror or error}") from None
    evict(keep=path)


def entries() -> Iterator[Entry]:
    """All entries, those that were used last first."""
    found = []
    with suppress(OSError):
        for path in columns_folder().iterdir():
            if not path.name.startswith(".") and path.is_dir():
                with suppress(OSError):
                    size = sum(file.stat().st_size for file in path.iterdir())
                    found.append(Entry(path, size, path.stat().st_mtime))
    yield from sorted(found, key=lambda entry: -entry.used)


def bound() -> float:
    """How many bytes the cache may hold; `NNSPEC_CACHE_SIZE` that is no number counts as none."""
    with suppress(ValueError):
        return float(os.environ.get("NNSPEC_CACHE_SIZE") or SIZE) * 1e9
    return SIZE * 1e9


def evict(keep: Path | None = None) -> None:
    """Removes what is beyond the bound, and what was left unfinished long ago."""
    most, total = bound(), 0
    for entry in entries():
        total += entry.size
        if total > most and entry.path != keep:
            shutil.rmtree(entry.path, ignore_errors=True)
    with suppress(OSError):
        for path in columns_folder().glob(".part-*"):
            if path.stat().st_mtime < time.time() - _OLD:
                shutil.rmtree(path, ignore_errors=True)


def clear() -> int:
    """Removes all entries: how many bytes that were."""
    found = list(entries())
    for entry in found:
        shutil.rmtree(entry.path, ignore_errors=True)
    return sum(entry.size for entry in found)
