"""Audio input of a model: the samples of a .wav file, cut into frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.errors import InputError
from nnspec.runtime.media.arrays import only_input
from nnspec.runtime.ports import BATCH, Array, Metadata
from nnspec.runtime.rules.wav import WavError, WavHeader, read_wav_header


def read_wav(file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, Array]:
    """Frames of a mono file, as long as the input's only axis that is more than 1."""
    name = only_input(file, wanted)
    body = wanted[name]
    try:
        header = read_wav_header(file)
        if header.channels != 1:
            raise InputError(f"`{file.name}` has {header.channels} channels, but must be mono")
        if body.get("rate") and header.rate != body["rate"]:
            raise InputError(
                f"`{file.name}` has a sampling rate of {header.rate} Hz, but the model takes {body['rate']}"
            )
        samples = read_samples(file, header)[:, 0]
    except WavError as error:
        raise InputError(f"`{file.name}` cannot be read: {error}") from None
    sizes = [size for axis, size in body["axes"] if axis != BATCH and size != 1]
    if len(sizes) != 1:
        raise InputError(f"input `{name}` does not take audio frames: it has axes {[axis for axis, _ in body['axes']]}")
    frame = sizes[0] if isinstance(sizes[0], int) else len(samples)
    if len(samples) < frame or not frame:
        raise InputError(f"`{file.name}` has {len(samples)} samples, but a frame needs {frame}")
    frames = cut_frames(samples, frame, int(body.get("stride") or frame))
    shape = [len(frames) if axis == BATCH else 1 if size == 1 else frame for axis, size in body["axes"]]
    is_batch_last = [axis for axis, size in body["axes"] if axis == BATCH or size != 1][-1] == BATCH
    return {name: np.ascontiguousarray(frames.T if is_batch_last else frames).reshape(shape)}


def read_samples(file: Path, header: WavHeader) -> NDArray[np.float32]:
    """All samples, integers as fractions of their range: axes `sample channel`, values in [-1, 1].

    Raises:
        WavError: where the file has changed since its header was read.
    """
    with file.open("rb") as stream:
        stream.seek(header.offset)
        data = stream.read(header.size)
    if len(data) < header.size:
        raise WavError("it has fewer samples than its header says")
    return _decode(data, header).reshape(header.samples, header.channels)


def cut_frames(samples: NDArray[np.float32], frame: int, stride: int) -> NDArray[np.float32]:
    """Whole frames of axis `sample`, one every `stride` samples: axes `frame sample`. What is left over is not used."""
    if len(samples) < frame:
        return np.empty((0, frame), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, frame)[::stride]


def _decode(data: bytes, header: WavHeader) -> NDArray[np.float32]:
    """Little-endian samples to floats; integers of 8 bits are unsigned, wider ones signed."""
    width = header.width
    if header.encoding == "float":
        with np.errstate(over="ignore"):
            return np.frombuffer(data, f"<f{width}").astype(np.float32)
    if header.encoding == "a-law":
        return _expand_a_law()[np.frombuffer(data, np.uint8)]
    if header.encoding == "mu-law":
        return _expand_mu_law()[np.frombuffer(data, np.uint8)]
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return (padded.reshape(-1).view("<i4") / 2.0**31).astype(np.float32)
    return (np.frombuffer(data, f"<i{width}") / 2.0 ** (8 * width - 1)).astype(np.float32)


def _expand_mu_law() -> NDArray[np.float32]:
    """The value of each µ-law byte (ITU-T G.711)."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = ((((code & 0x0F).astype(np.int64) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    return (np.where(code & 0x80, -magnitude, magnitude) / 2.0**15).astype(np.float32)


def _expand_a_law() -> NDArray[np.float32]:
    """The value of each A-law byte (ITU-T G.711)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment, step = (code >> 4).astype(np.int64) & 7, (code & 0x0F).astype(np.int64) << 4
    magnitude = np.where(segment == 0, step + 8, (step + 0x108) << np.maximum(segment - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 2.0**15).astype(np.float32)
