"""What is told of a file or folder that cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nnspec.diagnostics.model import Fix, SpecError
from nnspec.diagnostics.spans import Source, Span

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TEXTS = ("no space left on device", "disk quota exceeded", "file too large")  # libraries that keep the text alone


@contextmanager
def telling_unwritable(path: Path, option: str = "--out") -> Iterator[None]:
    """Around the writing of a file: what the system says against it becomes a diagnostic.

    Args:
        option: where the user named it.

    Raises:
        SpecError: NN606, or NN536 where the disk is full.
    """
    try:
        yield
    except OSError as error:
        if not is_of(error, path):
            raise
        raise unwritable(error, path, option) from None


def unwritable(error: OSError, path: Path, option: str = "--out") -> SpecError:
    """NN606 with what to do about it, or NN536 where the disk is full."""
    here = Span(Source(option, ""))
    if is_full(error):
        free = shutil.disk_usage(_nearest_folder(path)).free / 1e6
        message = f"the disk has no room for `{path.name}`: {free:,.1f} MB are free in its folder"
        fix = Fix("free some space, or choose a folder on another disk")
        return SpecError.single("NN536", message, here, notes=["nothing was written"], fixes=[fix])
    reason = (error.strerror or str(error)).lower()
    return SpecError.single("NN606", f"cannot write `{path}`: {reason}", here, fixes=[_fix(error, path)])


def is_of(error: OSError, path: Path) -> bool:
    """Whether an error is that of writing a file or folder: of one on the way to it, or of none in particular."""
    if error.filename is None:
        return True
    named, target = Path(os.fsdecode(error.filename)).resolve(), path.resolve()
    return named.parent == target.parent or named in target.parents or target in (named, *named.parents)


def is_full(error: BaseException) -> bool:
    """Whether a disk had no room for what was written, or the user's share of it none."""
    return any(
        (isinstance(cause, OSError) and cause.errno in _FULL)
        or (not isinstance(cause, SpecError) and any(text in str(cause).lower() for text in _TEXTS))
        for cause in causes(error)
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    rest: BaseException | None = error
    seen: set[int] = set()
    while rest is not None and id(rest) not in seen:
        seen.add(id(rest))
        yield rest
        rest = rest.__cause__ or rest.__context__


def _nearest_folder(path: Path) -> Path:
    """The nearest folder of a path that exists."""
    return next((folder for folder in path.absolute().parents if folder.is_dir()), Path(os.sep))


def _fix(error: OSError, path: Path) -> Fix:
    if error.errno == errno.ENOENT:
        return Fix(f"create the folder first: `mkdir -p {path.parent}`")
    if error.errno == errno.EISDIR:
        return Fix(f"it is a folder: name a file in it, such as `{path / 'file'}`")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        blocked = next((str(part) for part in (path, *path.parents) if part.is_file()), str(path.parent))
        return Fix(f"`{blocked}` is a file, not a folder: choose another folder")
    return Fix("choose a folder that you can write to")
