"""What each worker of a training that is distributed does.

All workers go through the same training, with the same callbacks and checkpoints; the first writes to the build's
folder, the others to one that is removed. The weights are the same in all of them, so a checkpoint is that of one
process: any number of workers goes on with it, and whoever started them takes the result from the last one.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from nnspec.backends.base import TrainingBackend
from nnspec.backends.checkpoint_files import CheckpointFiles
from nnspec.diagnostics import Source, SpecError
from nnspec.jobs.distribution.share import CHECKPOINT, FAULT, Share, write_fault
from nnspec.progress import Progress


def train_share(share: Share, rank: int, coordinator: str, progress: Progress) -> None:
    """Trains as one of the workers, from the last checkpoint to the end; what is wrong with the spec is written down.

    Args:
        rank: which of them, from 0.
        coordinator: the address and port that the first one listens at.
    """
    with ExitStack() as stack:
        folder = Path(share.folder)
        if rank:  # before the first one is met, and writes
            scratch = Path(stack.enter_context(TemporaryDirectory()))
            shutil.copytree(folder / CHECKPOINT, scratch / CHECKPOINT)
            folder = scratch
        from nnspec.backends.keras.jax.distributed import DistributedJax

        engine = cast("TrainingBackend", DistributedJax(rank, share.workers, coordinator))
        try:
            engine.load()
            _train(share, folder, engine, progress)
        except SpecError as error:
            if rank == 0:
                write_fault(error, folder / CHECKPOINT / FAULT)


def _train(share: Share, folder: Path, engine: TrainingBackend, progress: Progress) -> None:
    from nnspec import pipeline
    from nnspec.data.section.fold_plan import fold_of
    from nnspec.jobs.dataset import prepare_data
    from nnspec.jobs.settings import settings_of
    from nnspec.jobs.start import weights_loader
    from nnspec.training.train import train

    source, quiet = Source(Path(share.path).name, share.text), Progress(quiet=True)
    checked = pipeline.check(share.path, share.overrides, allow_outside=True, without_search=True, source=source)
    if share.fold is not None:
        assert checked.data is not None
        checked = replace(checked, data=fold_of(checked.data, share.fold))
    ready, dataset = prepare_data(checked, folder, quiet, resume=True)
    start = weights_loader(ready, quiet.say)
    is_begun = bool(CheckpointFiles(folder / CHECKPOINT).names())
    train(ready.graph, dataset, settings_of(ready), folder, progress, resume=is_begun, backend=engine, initial=start)
