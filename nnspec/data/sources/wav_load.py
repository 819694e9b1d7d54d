"""WAV files cut into frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nnspec.data.section.paths import is_below
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics import Fix, SpecError
from nnspec.diagnostics.extras import install_command


def read_frames(slot: SlotPlan) -> NDArray[np.float32]:
    """The frames of every file, in file-name order: axes `sample frame`, values in [-1, 1].

    What is left at a file's end and does not fill a frame is not used; no frame joins two files.

    Raises:
        SpecError: NN612 without soundfile, NN502 where a file cannot be read, NN506 where it is not mono or has another
            sampling rate.
    """
    source, where = slot.source, slot.where("wav")
    try:
        import soundfile
    except ImportError:
        message = "reading WAV files needs soundfile, which is not installed"
        fix = Fix(install_command("audio"))
        raise SpecError.single("NN612", message, source.span, path=where, fixes=[fix]) from None
    frames = []
    for path in source.files():
        if source.root is not None and not is_below(path, source.root):
            raise SpecError.single("NN510", f"`{path.name}` leads outside the spec's folder", source.span, path=where)
        try:
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError, RuntimeError) as error:
            message = f"`{path.name}` cannot be used: {error}"
            raise SpecError.single("NN502", message, source.span, path=where) from None
        if samples.shape[1] != 1:
            message = f"`{path.name}` has {samples.shape[1]} channels, and mono is wanted"
            raise SpecError.single("NN506", message, source.span, path=where)
        if slot.rate is not None and rate != slot.rate:
            message = f"`{path.name}` has {rate} samples a second, but `rate` is {slot.rate}"
            raise SpecError.single("NN506", message, slot.span_of("rate"), path=slot.where("rate"))
        if len(samples) >= slot.frame:
            view = np.lib.stride_tricks.sliding_window_view(samples[:, 0], slot.frame)
            frames.append(view[:: slot.stride])
    if not frames:
        message = f"no file of `{source.shown}` has a whole frame of {slot.frame} samples"
        raise SpecError.single("NN506", message, slot.span_of("frame"), path=slot.where("frame"))
    return np.concatenate(frames)
