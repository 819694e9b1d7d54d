"""Images, by the rules of `nnspec.runtime.rules.images`: of a folder, or of a column of paths."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.data.sources.base import ArrayFacts, MisfitError, SourceError, SourcePlan, ToldError
from nnspec.data.sources.folders import FolderSource, Member
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.document.types import Plain
from nnspec.runtime.rules.images import FITS, OTHER_SUFFIXES, SUFFIXES, Form, ImageError, ShapeError, form_of, inspect

if TYPE_CHECKING:
    import numpy as np

    from nnspec.runtime.ports import Metadata

_CHUNK = 64
_THOROUGH = 32 * 2**20  # bytes of a folder that are compared with their checksums


class ImageSource(FolderSource):
    kind = "images"
    is_raster = True
    noun = "images"
    thing = "image"
    description = (
        "Images (PNG, JPEG or WebP) of any size, a sample each: a folder, with one subfolder for each label or none; "
        "if the section has a `source`, its column of paths, relative to the table. They are resized to the height and "
        "width of the input; its 1, 3 or 4 channels make them grey, RGB or RGBA, with values from 0 to 255 (a "
        "`Rescaling` makes 0 to 1 of them). EXIF rotation is applied. The images of a second folder are matched with "
        "those of the first by name without suffix. As the targets of a classification they are masks: a pixel's value "
        "is the index of its class; of a binary output, 255 counts as 1."
    )
    suffixes = SUFFIXES
    file_suffixes = SUFFIXES
    refused_suffixes = OTHER_SUFFIXES
    options = {
        "fit": {
            "type": "string",
            "enum": list(FITS),
            "default": FITS[0],
            "description": "How images of another aspect ratio are fitted. `stretch`: resized to height and width. "
            "`crop`: resized to cover them, and the rest is cut off on both sides. `pad`: resized to "
            "fit inside, with zeros on both sides. Bilinear with antialiasing; masks use the nearest "
            "pixel.",
        }
    }

    def check_options(self, options: Mapping[str, Plain]) -> Iterator[tuple[str, str]]:
        if options.get("fit", FITS[0]) not in FITS:
            yield "fit", "`random_crop` is for clips: random pieces of images are `augment: [{RandomCrop: …}]`"

    def probe_members(
        self, plan: SourcePlan, members: Sequence[Member]
    ) -> tuple[ArrayFacts | None, Sequence[MisfitError]]:
        if plan.wanted is None:  # labels are all that is read
            return None, ()
        if not is_installed("images"):
            message = "reading images needs the package pillow, which is not installed"
            raise ToldError("NN612", message, install_command("images"))
        faults, left = [], _THOROUGH
        for member in members:
            try:
                size = member.path.stat().st_size
                inspect(member.path, is_thorough=size <= left)
                left -= min(size, left)
            except (ImageError, OSError) as error:
                faults.append((member, _reason(error)))
        if faults:
            raise self.unreadable(plan, faults, len(members))
        try:
            form = _form(plan)
        except ShapeError as error:
            return None, [MisfitError(str(error), self.kind, "NN556")]
        what = "masks" if form.is_mask else "images"
        return ArrayFacts((len(members), *form.shape), "|u1", f"the {what} of `{plan.shown}`"), ()

    def open_array(self, plan: SourcePlan, name: str | None) -> Iterator[np.ndarray]:
        """The values of images, some at a time: axes `sample *model axes`, 0 to 255."""
        import numpy as np

        from nnspec.runtime.media.images import decode

        form = _form(plan)
        members = self.members(plan)
        for start in range(0, len(members), _CHUNK):
            part = members[start : start + _CHUNK]
            values = np.empty((len(part), *form.shape), np.uint8)
            for position, member in enumerate(part):
                try:
                    values[position] = decode(member.path, form)
                except (ImageError, OSError) as error:
                    raise self.unreadable(plan, [(member, _reason(error))], len(members)) from None
            yield _as_classes(plan, values) if form.is_mask else values

    def describe_reading(self, plan: SourcePlan) -> dict[str, object]:
        column = {"column": plan.shown} if plan.table is not None else {"folder": plan.path.name}
        names = [name for name, _ in plan.wanted.axes] if plan.wanted is not None else []
        try:
            return {"files": {"kind": self.kind, **column, **_form(plan).to_json(names)}}
        except ShapeError:  # which a check of the data would report
            return {}

    def read_inputs(self, file: Path, wanted: Mapping[str, Metadata], metadata: Metadata) -> dict[str, np.ndarray]:
        from nnspec.runtime.reading import read_inputs

        return read_inputs(file, metadata)


def _form(plan: SourcePlan) -> Form:
    """What images are made to fit.

    Raises:
        ShapeError: where what takes them has no axes of an image.
    """
    if plan.wanted is None:
        raise SourceError("images cannot be used as a column")
    fit = str(plan.options.get("fit", FITS[0]))
    return form_of(plan.wanted.axes, fit, is_mask=plan.wanted.has_labels)


def _as_classes(plan: SourcePlan, values: np.ndarray) -> np.ndarray:
    """A binary mask's 255 as 1, unless it says which pixels do not count."""
    wanted = plan.wanted
    if wanted is None or not wanted.is_binary or wanted.ignore is not None:
        return values
    values[values == 255] = 1
    return values


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


SOURCE = ImageSource()
