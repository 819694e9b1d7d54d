"""Clips, by the rules of `nnspec.runtime.rules.audio`: of a folder, or of a column of paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import ArrayFacts, MisfitError, SourceError, SourcePlan, ToldError
from nnspec.data.sources.folders import FolderSource, Member
from nnspec.data.sources.pieces import Pieces
from nnspec.diagnostics.extras import install_command
from nnspec.document.types import Plain
from nnspec.runtime.rules.audio import (
    FITS,
    OTHER_SUFFIXES,
    SUFFIXES,
    AudioError,
    Clip,
    Form,
    ShapeError,
    form_of,
    inspect,
    reason_of_misfit,
)

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata

_CHUNK = 64
_CODE = "NN561"
RANDOM = "random_crop"


class AudioSource(FolderSource):
    kind = "audio"
    noun = "clips"
    thing = "clip"
    description = (
        "Clips (WAV, FLAC or Ogg Vorbis), a sample each: a folder, with one subfolder for each label or none;"
        " if the section has a `source`, its column of paths, relative to the table. Samples are in [-1, 1]; "
        "channels are mixed to one, unless the input has an axis `channel` of two or more. Shorter clips are "
        "padded to the size of the input, or to the longest if its axis is open, with `pad_value` (0)."
        " Padding counts as data unless a layer such as `Masking` masks it."
    )
    suffixes = SUFFIXES
    file_suffixes = SUFFIXES
    fills_up = True
    refused_suffixes = OTHER_SUFFIXES
    options = {
        "rate": {
            "type": "integer",
            "minimum": 1,
            "description": "The sampling rate in Hz, which WAV files (`wav`) must have and clips (`audio`) get.",
        },
        "fit": {
            "type": "string",
            "enum": ["stretch", "crop", "pad", "random_crop"],
            "description": "How data of another size is fitted. Images: `stretch` (default) resizes them to height "
            "and width; `crop` resizes them to cover both, and cuts off the rest on both sides; `pad` "
            "resizes them to fit inside, with zeros on both sides. Bilinear with antialiasing; masks "
            "use the nearest pixel. Clips: `pad` (default) takes them whole, padded at the end; "
            "`crop` also cuts longer ones to their middle; `random_crop` takes another piece of them "
            "in every epoch of training, drawn with the seed, and their middle elsewhere.",
        },
        "crop": {
            "type": "integer",
            "minimum": 1,
            "description": "With `fit: random_crop` and an open axis of samples: the number of samples in a piece. "
            "Training takes pieces, everything else whole clips.",
        },
    }

    def is_uneven(self, plan: SourcePlan) -> bool:
        try:
            return len({clip.length(plan.integer("rate")) for clip in self._clips(plan, self.members(plan))}) > 1
        except SourceError:  # which a check of the data reports
            return False

    def check_options(self, options: Mapping[str, Plain]) -> Iterator[tuple[str, str]]:
        fit = options.get("fit", FITS[0])
        if fit not in (*FITS, RANDOM):
            yield "fit", f"`{fit}` is for images: clips take `pad`, `crop` or `random_crop`"
        if "crop" in options and fit != RANDOM:
            yield "crop", "`crop` is the size of the pieces of `fit: random_crop`"

    def probe_members(
        self, plan: SourcePlan, members: Sequence[Member]
    ) -> tuple[ArrayFacts | None, Sequence[MisfitError]]:
        if plan.wanted is None:  # labels are all that is read
            return None, ()
        found = self._clips(plan, members)
        try:
            form = _form(plan, found)
        except ShapeError as error:
            return None, [MisfitError(str(error), self.kind, _CODE)]
        rates = {clip.rate for clip in found}
        if form.rate is None and len(rates) > 1:
            strange = next(m for m, clip in zip(members, found, strict=True) if clip.rate != found[0].rate)
            message = (
                f"takes clips of one rate, but {members[0].place} has {found[0].rate} Hz and {strange.place} "
                f"{max(rates - {found[0].rate})}: `rate: {found[0].rate}` converts them"
            )
            return None, [MisfitError(message, self.kind, _CODE)]
        if any(form.rate not in (None, rate) for rate in rates):
            self._require("soxr", "converting rates")
        faults = [
            (m, why)
            for m, clip in zip(members, found, strict=True)
            if (why := reason_of_misfit(clip, form)) is not None
        ]
        if faults:
            member, why = faults[0]
            many = f" ({len(faults)} such clips)" if len(faults) > 1 else ""
            longest = max(clip.length(form.rate) for clip in found)
            remedy = f"; the longest clip has {longest}: `fit: crop` cuts them" if "samples" in why else ""
            return None, [MisfitError(f"does not take {member.place}: {why}{many}{remedy}", self.kind, _CODE)]
        size = form.size if form.size is not None else form.least
        return ArrayFacts((len(members), *form.shape(size)), "<f4", f"the clips of `{plan.shown}`"), ()

    def _require(self, module: str, what: str) -> None:
        if find_spec(module) is None:
            raise ToldError(
                "NN612", f"{what} needs the package {module}, which is not installed", install_command("audio")
            )

    def _clips(self, plan: SourcePlan, members: Sequence[Member]) -> list[Clip]:
        faults, found = [], []
        for member in members:
            try:
                found.append(inspect(member.path))
                if Path(member.name).suffix.lower() != ".wav":
                    self._require("soundfile", "reading FLAC and Ogg")
            except (AudioError, OSError) as error:
                faults.append((member, _reason(error)))
        if faults:
            raise self.unreadable(plan, faults, len(members))
        return found

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        """The samples of clips, some at a time: axes `clip *model axes`."""
        import numpy as np

        from nnspec.runtime.media.audio import decode

        members = self.members(plan)
        form = _form(plan, self._clips(plan, members))
        for start in range(0, len(members), _CHUNK):
            values = []
            for member in members[start : start + _CHUNK]:
                try:
                    values.append(decode(member.path, form))
                except (AudioError, OSError) as error:
                    raise self.unreadable(plan, [(member, _reason(error))], len(members)) from None
            yield np.stack(values)

    def open_pieces(self, plan: SourcePlan) -> Pieces | None:
        if plan.options.get("fit") != RANDOM or plan.wanted is None:
            return None
        from nnspec.runtime.media.audio import decode

        members = self.members(plan)
        clips = self._clips(plan, members)
        form = _form(plan, clips)
        whole = replace(form, size=None, least=0)

        def read(row: int) -> np.ndarray:
            try:
                return decode(members[row].path, whole)
            except (AudioError, OSError) as error:
                raise self.unreadable(plan, [(members[row], _reason(error))], len(members)) from None

        size = form.size if form.size is not None else plan.integer("crop")
        assert size is not None, "`form_of` asks for `crop` where the axis is open"
        total = sum(4 * form.channels * clip.length(form.rate) for clip in clips)
        return Pieces(read, total, form.axes.index("sample"), size, form.fill)

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        column = {"column": plan.shown} if plan.table is not None else {"folder": plan.path.name}
        names = [name for name, _ in plan.wanted.axes] if plan.wanted is not None else []
        try:
            found = self._clips(plan, self.members(plan))
            form = _form(plan, found)
        except (ShapeError, SourceError):  # which a check of the data would report
            return {}
        rate = form.rate if form.rate is not None else found[0].rate
        return {"files": {"kind": self.kind, **column, **replace(form, rate=rate).to_json(names)}}

    def read_inputs(self, file: Path, wanted: Metadata, metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def _form(plan: SourcePlan, clips: Sequence[Clip]) -> Form:
    """What clips are made to fit; an open axis has the length of the longest.

    Raises:
        ShapeError: where what takes them has no axes of a clip.
    """
    if plan.wanted is None:
        raise SourceError("clips cannot be used as a column")
    rate, fit = plan.integer("rate"), str(plan.options.get("fit", FITS[0]))
    is_open = any(not isinstance(size, int) for _, size in plan.wanted.axes)
    if fit == RANDOM:
        fit = "pad" if is_open else "crop"
        if is_open and "crop" not in plan.options:
            raise ShapeError(
                "has an open axis of samples, so `fit: random_crop` needs the size of the pieces, such as `crop: 8000`"
            )
        if not is_open and "crop" in plan.options:
            raise ShapeError("has a fixed number of samples, which is that of the pieces: leave `crop` out")
    form = form_of(plan.wanted.axes, rate, fit, plan.wanted.fill)
    return form if form.size is not None else replace(form, least=max(clip.length(rate) for clip in clips))


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


SOURCE = AudioSource()
