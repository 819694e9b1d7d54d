"""A disk without room: which errors say so, and what is told of it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.diagnostics import Fix, Source, Span, SpecError

_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_TEXTS = ("no space left on device", "disk quota exceeded", "file too large")  # libraries that keep the text alone


def is_full(error: BaseException) -> bool:
    """Whether a disk had no room for what was written, or the user's share of it none."""
    return any(
        (isinstance(cause, OSError) and cause.errno in _ERRORS)
        or (not isinstance(cause, SpecError) and any(text in str(cause).lower() for text in _TEXTS))
        for cause in _causes(error)
    )


def full_disk(error: BaseException, target: Path, checkpoints: Path) -> SpecError:
    """NN536, with what is left of a build directory.

    Args:
        checkpoints: the folder that holds those of the run.
    """
    named = next(
        (str(cause.filename) for cause in _causes(error) if isinstance(cause, OSError) and cause.filename), None
    )
    what = f"`{Path(named).name}`" if named else f"`{target.name}`"
    free = shutil.disk_usage(target.parent).free / 1e6
    files = CheckpointFiles(checkpoints)
    found = files.newest() if checkpoints.is_dir() else None
    if found is None:
        kept, fix = "no checkpoint was written before", "make room, and start again"
    else:
        epoch, step = len(found.state["history"]), int(found.state["step"])
        where = f"epoch {epoch + 1}, step {step}" if step else f"the end of epoch {epoch}"
        kept = f"the checkpoint `{found.name}` is whole: the training continues from {where}"
        fix = "make room, and continue with `--resume`"
    message = f"the disk has no room for {what}: {free:,.1f} MB are free in the folder of `{target.name}`"
    return SpecError.single("NN536", message, Span(Source("--out", "")), notes=[kept], fixes=[Fix(fix)])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    rest: BaseException | None = error
    seen: set[int] = set()
    while rest is not None and id(rest) not in seen:
        seen.add(id(rest))
        yield rest
        rest = rest.__cause__ or rest.__context__
