"""WAV files cut into frames, by the rules of `nnspec.runtime.rules.wav`."""

from __future__ import annotations

import array
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import (
    ArrayFacts,
    DataSource,
    MisfitError,
    SourceError,
    SourceFacts,
    SourcePlan,
)
from nnspec.data.sources.paths import expand
from nnspec.runtime.rules.wav import WavError, WavHeader, read_wav_header

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata

_BLOCK = 1 << 20
_LARGEST = (2 - 2**-23) * 2.0**127  # a float32 holds


class _WavFacts(SourceFacts):
    names = ("",)

    def __init__(self, frames: ArrayFacts, faults: list[MisfitError]) -> None:
        self.frames, self.faults = frames, faults

    def array(self, name: str) -> ArrayFacts | None:
        return self.frames if name == "" else None

    def column(self, name: str, *, values: bool = False) -> None:
        raise SourceError("audio frames cannot be used as a column")


class WavSource(DataSource):
    kind = "wav"
    noun = "WAV files"
    description = (
        "Mono WAV files: a path or a pattern such as `speech/*.wav`. They are read in file-name order "
        "and cut into frames, "
        "samples in [-1, 1]."
    )
    suffixes = (".wav",)
    is_pattern = True
    options = {
        "frame": {"type": "integer", "minimum": 1, "description": "Number of samples in one frame."},
        "stride": {
            "type": "integer",
            "minimum": 1,
            "description": "Number of samples from the start of one frame to the next; default: `frame`.",
        },
        "rate": {
            "type": "integer",
            "minimum": 1,
            "description": "The sampling rate in Hz that every WAV file must have.",
        },
    }
    required = {"frame": "in samples"}

    def list_files(self, path: Path) -> list[Path]:
        return expand(path)

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        frame, stride, rate = _options(plan)
        faults: list[MisfitError] = []
        total, rates = 0, set()
        for path in plan.files():
            plan.check_below(path)
            header = _header(path)
            faults += _misfits(path, header, rate)
            if header.encoding == "float" and not _is_finite(path, header):
                faults.append(MisfitError(f"`{path.name}` has samples that are not finite numbers", self.kind))
            total += max(0, (header.samples - frame) // stride + 1)
            rates.add(header.rate)
        if rate is None and len(rates) > 1:
            message = f"the files of `{plan.shown}` differ in sampling rate: {sorted(rates)}"
            faults.append(MisfitError(message, self.kind))
        if not total:
            faults.append(
                MisfitError(f"no file of `{plan.shown}` has {frame} samples, the length of one frame", "frame")
            )
        return _WavFacts(ArrayFacts((total, frame), "<f4", f"a frame of {frame} samples"), faults)

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        """The frames of one file after the other: axes `frame sample`. No frame joins two files."""
        from nnspec.runtime.media.sound import cut_frames, read_samples

        frame, stride, rate = _options(plan)
        for path in plan.files():
            plan.check_below(path)
            header = _header(path)
            for fault in _misfits(path, header, rate):
                raise fault
            try:
                samples = read_samples(path, header)
            except (OSError, WavError) as error:
                raise SourceError(f"{path.name}: {error}") from None
            yield cut_frames(samples[:, 0], frame, stride)

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        _, stride, rate = _options(plan)
        return {"stride": stride, "rate": rate}

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.media.sound import read_wav

        return read_wav(file, wanted, metadata)


def _options(plan: SourcePlan) -> tuple[int, int, int | None]:
    """Frame, stride and rate; the stride is a frame where it is not given."""
    frame, stride = plan.integer("frame") or 0, plan.integer("stride")
    return frame, frame if stride is None else stride, plan.integer("rate")


def _header(path: Path) -> WavHeader:
    try:
        return read_wav_header(path)
    except WavError as error:
        raise SourceError(f"{path.name}: {error}") from None


def _misfits(path: Path, header: WavHeader, rate: int | None) -> Iterator[MisfitError]:
    if header.channels != 1:
        yield MisfitError(f"`{path.name}` has {header.channels} channels, but must be mono", "wav")
    if rate is not None and header.rate != rate:
        yield MisfitError(f"`{path.name}` has a sampling rate of {header.rate} Hz, but `rate` is {rate}", "rate")


def _is_finite(path: Path, header: WavHeader) -> bool:
    """Whether all float samples are numbers that a float32 holds."""
    left = header.size
    with path.open("rb") as stream:
        stream.seek(header.offset)
        while left:
            block = array.array("f" if header.width == 4 else "d", stream.read(min(_BLOCK, left)))
            if sys.byteorder == "big":
                block.byteswap()
            left -= len(block) * header.width
            if not block or not math.isfinite(sum(block)) or max(map(abs, block)) > _LARGEST:
                return False
    return True


SOURCE = WavSource()
