"""Sound for a model: frames of a .wav file."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnspec.runtime.arrays import only_input
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Array, Metadata


def read_wav(file: Path, wanted: Mapping[str, Any], metadata: Metadata) -> dict[str, Array]:
    """Frames of a mono PCM file, in [-1, 1]; as long as the input's only axis that is more than 1."""
    name = only_input(file, wanted)
    body = wanted[name]
    with wave.open(str(file), "rb") as stream:
        channels, width, rate = stream.getnchannels(), stream.getsampwidth(), stream.getframerate()
        data = stream.readframes(stream.getnframes())
    if channels != 1:
        raise InputError(f"`{file.name}` has {channels} channels, and mono is wanted")
    if body.get("rate") and rate != body["rate"]:
        raise InputError(f"`{file.name}` has {rate} samples a second, but the model takes {body['rate']}")
    samples = _decode(data, width)
    sizes = [size for axis, size in body["axes"] if axis != BATCH and size != 1]
    if len(sizes) != 1:
        raise InputError(f"input `{name}` takes no frames of sound: it has axes {[axis for axis, _ in body['axes']]}")
    frame = sizes[0] if isinstance(sizes[0], int) else len(samples)
    if len(samples) < frame or not frame:
        raise InputError(f"`{file.name}` has {len(samples)} samples, but a frame takes {frame}")
    frames = np.lib.stride_tricks.sliding_window_view(samples, frame)[:: int(body.get("stride") or frame)]
    shape = [len(frames) if axis == BATCH else 1 if size == 1 else frame for axis, size in body["axes"]]
    is_batch_last = [axis for axis, size in body["axes"] if axis == BATCH or size != 1][-1] == BATCH
    return {name: np.ascontiguousarray(frames.T if is_batch_last else frames).reshape(shape)}


def _decode(data: bytes, width: int) -> NDArray[np.float32]:
    """PCM to [-1, 1]: 8 bits are unsigned, wider ones signed, little-endian."""
    if width == 1:
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / np.float32(128)
    if width == 3:
        padded = np.zeros((len(data) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(data[: len(data) // 3 * 3], np.uint8).reshape(-1, 3)
        return (padded.reshape(-1).view("<i4") / 2.0**31).astype(np.float32)
    whole = np.frombuffer(data[: len(data) // width * width], f"<i{width}")
    return (whole / 2.0 ** (8 * width - 1)).astype(np.float32)
