"""Writes files so that whoever finds one finds it whole. Uses only the standard library."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Where to write what a file is to hold: beside it, under the same suffix; it takes the file's place at the end.

    After a failure the file is what it was before, and nothing is left beside it. A link leads to the file that is
    replaced. What is no file, such as `/dev/stdout` or a named pipe, is written to as it is.

    Raises:
        OSError: where the file cannot be written: a folder is missing or has its name, no permission, a full disk.
    """
    target = Path(path).resolve()
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if target.exists() and not target.is_file():
        yield target
        return
    if target.is_file() and not os.access(target, os.W_OK):  # which a rename would not ask
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    beside = target.with_name(f".{target.stem}.{os.getpid()}.tmp{target.suffix}")
    try:
        yield beside
        if target.is_file():
            beside.chmod(target.stat().st_mode & 0o7777)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def write_whole(path: str | os.PathLike[str], text: str) -> None:
    """Writes text in UTF-8, as `whole_file`.

    Raises:
        OSError: where the file cannot be written.
    """
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")
