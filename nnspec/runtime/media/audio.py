"""Decodes clips by the rules of `nnspec.runtime.rules.audio`, to the samples that a model takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.media.sound import read_samples
from nnspec.runtime.ports import BATCH, Metadata
from nnspec.runtime.rules.audio import AudioError, Clip, Form, form_from, inspect, reason_of_misfit
from nnspec.runtime.rules.wav import WavError, read_wav_header

Samples = NDArray[np.float32]


def decode(file: Path, form: Form) -> Samples:
    """A clip's samples in [-1, 1]: axes `*form.axes`.

    Raises:
        AudioError: where it cannot be decoded, or does not fit.
        OSError: where it cannot be read.
        ImportError: where a package that reads or converts it is not installed.
    """
    clip = inspect(file)
    why = reason_of_misfit(clip, form)
    if why is not None:
        raise AudioError(why)
    samples = _read(file, clip)
    if form.channels == 1:
        samples = samples.mean(axis=1, keepdims=True, dtype=np.float32)
    if form.rate not in (None, clip.rate):
        samples = _convert_rate(samples, clip.rate, int(form.rate or 0), clip.length(form.rate))
    return _arrange_axes(_fit_length(samples, form), form)


def decode_for(file: Path, body: Metadata) -> Samples:
    """A clip as an input of a deployed model takes it: axes those of the input, batch left out. Errors as `decode`."""
    return decode(file, form_from(body["files"], [name for name, _ in body["axes"] if name != BATCH]))


def _read(file: Path, clip: Clip) -> Samples:
    """All samples: axes `sample channel`."""
    with file.open("rb") as stream:
        is_wav = stream.read(4) == b"RIFF"
    if is_wav:
        try:
            samples = read_samples(file, read_wav_header(file))
        except WavError as error:
            raise AudioError(str(error)) from None
    else:
        try:
            import soundfile
        except ImportError:
            raise ImportError("reading FLAC and Ogg needs the package soundfile, which is not installed") from None
        try:
            samples, _ = soundfile.read(file, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError(f"it is damaged ({str(error).rstrip('.')})") from None
    if len(samples) != clip.samples:
        raise AudioError(f"it is damaged: {len(samples)} samples can be read, but its header says {clip.samples}")
    if not np.isfinite(samples).all():
        raise AudioError("it has samples that are not finite numbers")
    return samples


def _convert_rate(samples: Samples, rate: int, to: int, length: int) -> Samples:
    try:
        import soxr
    except ImportError:
        raise ImportError("converting rates needs the package soxr, which is not installed") from None
    made = soxr.resample(samples, rate, to)[:length]
    return np.pad(made, ((0, length - len(made)), (0, 0)))  # a sample more or less, as soxr rounds


def _fit_length(samples: Samples, form: Form) -> Samples:
    size = max(len(samples), form.least) if form.size is None else form.size
    if len(samples) > size:
        first = (len(samples) - size) // 2
        return samples[first : first + size]
    return np.pad(samples, ((0, size - len(samples)), (0, 0)), constant_values=np.float32(form.fill))


def _arrange_axes(samples: Samples, form: Form) -> Samples:
    """Axes `sample channel` to those of the form."""
    order = [("sample", "channel").index(axis) for axis in form.axes if axis]
    kept = samples if "channel" in form.axes else samples[:, 0]
    return np.ascontiguousarray(kept.transpose(order)).reshape(form.shape(len(samples)))
