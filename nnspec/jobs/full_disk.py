"""A disk without room for a build directory, and what is left of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.diagnostics import Fix, Source, Span, SpecError
from nnspec.diagnostics.unwritable import causes


def full_disk(error: BaseException, target: Path, checkpoints: Path) -> SpecError:
    """NN536, with what is left of a build directory.

    Args:
        checkpoints: the folder that holds those of the run.
    """
    named = next(
        (str(cause.filename) for cause in causes(error) if isinstance(cause, OSError) and cause.filename), None
    )
    what = f"`{Path(named).name}`" if named else f"`{target.name}`"
    free = shutil.disk_usage(target.parent).free / 1e6
    files = CheckpointFiles(checkpoints)
    found = files.newest() if checkpoints.is_dir() else None
    if found is None:
        kept, fix = "no checkpoint was written before", "free some space, and start again"
    else:
        epoch, step = len(found.state["history"]), int(found.state["step"])
        where = f"epoch {epoch + 1}, step {step}" if step else f"the end of epoch {epoch}"
        kept = f"the checkpoint `{found.name}` is complete: training continues from {where}"
        fix = "free some space, and continue with `--resume`"
    message = f"the disk has no room for {what}: {free:,.1f} MB are free in the folder of `{target.name}`"
    return SpecError.single("NN536", message, Span(Source("--out", "")), notes=[kept], fixes=[Fix(fix)])
