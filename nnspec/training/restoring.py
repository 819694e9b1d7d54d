"""Begins a training at its last checkpoint, and tells which that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnspec.diagnostics import Fix, Span, SpecError
from nnspec.progress import Progress

if TYPE_CHECKING:
    from nnspec.backends.keras.training.checkpoint import Checkpoint


def restore(checkpoint: Checkpoint, span: Span, progress: Progress) -> int:
    """Puts the newest checkpoint back that is whole; how many epochs are done.

    Raises:
        SpecError: NN537 where there are checkpoints, but none that is whole.
    """
    try:
        done = checkpoint.restore()
    except ValueError as error:
        raise _unusable(f"the checkpoint does not fit the network: {error}", span) from error
    damaged = checkpoint.files.damaged
    if damaged and checkpoint.found is None:
        raise _unusable(f"{_named(damaged)} damaged, and there is none before", span)
    for name in damaged:
        progress.say(f"note: checkpoint `{name}` is damaged: its content is not what was written")
    if checkpoint.found is None:
        progress.say("note: there is no checkpoint yet: the training starts from the beginning")
    else:
        step = f", step {checkpoint.first_step}" if checkpoint.first_step else ""
        progress.say(f"continuing from checkpoint `{checkpoint.found.name}`: epoch {done + 1 if step else done}{step}")
    return done


def _named(names: list[str]) -> str:
    listed = ", ".join(f"`{name}`" for name in names)
    return f"the checkpoint {listed} is" if len(names) == 1 else f"the checkpoints {listed} are"


def _unusable(message: str, span: Span) -> SpecError:
    fixes = [Fix("start again with `--resume --restart`, or restore the files below `checkpoint`")]
    return SpecError.single("NN537", message, span, path="training", fixes=fixes)
