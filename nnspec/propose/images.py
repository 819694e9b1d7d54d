"""The spec that is proposed for a folder of images whose subfolders are labels: a small convolutional network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from nnspec.data.sources.split_names import split_folders
from nnspec.diagnostics import Diagnostic, Fix, Source, Span, SpecError
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.diagnostics.lists import enumerated
from nnspec.propose.spec_text import Lines, as_spec
from nnspec.propose.table import training
from nnspec.runtime.rules.audio import SUFFIXES as CLIPS
from nnspec.runtime.rules.folders import Listing, label_of, list_folder
from nnspec.runtime.rules.images import SUFFIXES, ImageError, inspect

_LOOKED_AT = 200  # images, evenly from all of them
_LARGEST = 96  # pixels a side; larger images are made smaller
_SMALLEST_POOLED = 8
_CLIPS = (
    "write `data: {inputs: {clip: {audio: FOLDER}}, outputs: {kind: {folder_of: clip}}}`, as specs/spoken_language.yaml"
)
_GREY = ("1", "L", "LA", "I", "I;16", "F")
_FILTERS = (16, 32, 64, 64)
_AUGMENT = (
    "    - RandomRotation: {factor: 0.03, fill_mode: nearest}",
    "    - RandomTranslation: {height_factor: 0.08, width_factor: 0.08, fill_mode: nearest}",
)


@dataclass(frozen=True, kw_only=True)
class ImagePlan:
    """What is proposed for a folder of images.

    Attributes:
        labels: each with its number of images.
        size: the pixels a side that the network reads.
        sizes: the smallest and the largest side that were found.
        splits: the folder of each split, within which those of the labels are; empty where there are none.
    """

    labels: Counter[str]
    size: int
    sizes: tuple[int, int]
    is_grey: bool
    splits: Mapping[str, str]

    @property
    def count(self) -> int:
        """How many images there are."""
        return sum(self.labels.values())


def plan_images(folder: Path) -> ImagePlan:
    """Labels, and the size and channels that most images have.

    Raises:
        SpecError: NN599 where there are no images, no two labels, or Pillow is not installed.
    """
    if not folder.is_dir():
        raise _refuse(folder, f"there is no folder `{folder}`")
    if not is_installed("images"):
        raise _refuse(
            folder, "reading images needs the package pillow, which is not installed", install_command("images")
        )
    listing = list_folder(folder, SUFFIXES)
    names = listing.files
    labels = Counter(label_of(name) for name in names)
    if len(labels) < 2 or "" in labels:
        raise _refuse_labels(folder, listing, labels)
    is_deep = all(name.count("/") == 2 for name in names)
    sides, modes = _look(folder, names[:: max(1, len(names) // _LOOKED_AT)])
    usual = int(median(sides))
    size = min(_LARGEST, max(_SMALLEST_POOLED, usual // 4 * 4))
    is_grey = all(mode in _GREY for mode in modes)
    splits = split_folders({name.split("/")[0] for name in names}) if is_deep else {}
    return ImagePlan(labels=labels, size=size, sizes=(min(sides), max(sides)), is_grey=is_grey, splits=splits)


def _refuse_labels(folder: Path, listing: Listing, labels: Counter[str]) -> SpecError:
    """NN599 for a folder whose images are not in two subfolders or more."""
    has, fix = f"folder `{folder.name}` has", "put the images of each label into a subfolder that has its name"
    names = listing.files
    if not names and list_folder(folder, CLIPS).files:
        return _refuse(folder, f"{has} no images, but clips, of which no spec is proposed", _CLIPS)
    kinds = ", ".join(suffix.lstrip(".") for suffix in SUFFIXES)
    if not names and listing.others:
        some = enumerated(listing.others, 3)
        return _refuse(folder, f"{has} no images that can be read ({kinds}), but {some}", f"convert them; {fix}")
    if not names:
        return _refuse(folder, f"{has} no images ({kinds})", fix)
    if len(labels) > 2 and "" in labels:
        loose = next(name for name in names if "/" not in name)
        return _refuse(folder, f"{has} images beside its subfolders, so `{loose}` has no label", fix)
    return _refuse(folder, f"{has} {len(names)} images, but not in two subfolders or more", fix)


def _split(plan: ImagePlan) -> str:
    """The value of `split`: the folders of the splits where there are such; validation is never left out."""
    if not plan.splits:
        return "{train: 0.7, validation: 0.15, test: 0.15}"
    parts = {"train": "", "validation": "0.15"} | {split: as_spec(f"{name}/*") for split, name in plan.splits.items()}
    return f"{{{', '.join(f'{split}: {value}' for split, value in parts.items())}, by: files}}"


def _look(folder: Path, names: Sequence[str]) -> tuple[list[int], list[str]]:
    """The shorter sides and the modes of images; one that is damaged is left for `nnspec check` to name."""
    from PIL import Image

    sides, modes = [], []
    for name in names:
        try:
            header = inspect(folder / name)
            with Image.open(folder / name) as picture:
                modes.append(picture.mode)
        except (ImageError, OSError):
            continue
        sides.append(min(header.width, header.height))
    if not sides:
        raise _refuse(folder, f"none of the images of `{folder.name}` can be read")
    return sides, modes


def _refuse(folder: Path, message: str, *fixes: str) -> SpecError:
    place = Span(Source(str(folder), ""))
    return SpecError([Diagnostic("NN599", message, place, path="", fixes=tuple(map(Fix, fixes)))])


def write_image_spec(name: str, shown: str, plan: ImagePlan) -> str:
    """The commented spec; arguments as of `table.write_table_spec`."""
    most = ", ".join(f"{label} {count}" for label, count in plan.labels.most_common(6))
    more = "" if len(plan.labels) <= 6 else f", and {len(plan.labels) - 6} more"
    within = f" within those of the splits, {enumerated(list(plan.splits.values()))}" if plan.splits else ""
    sides = f"{plan.sizes[0]}" if plan.sizes[0] == plan.sizes[1] else f"{plan.sizes[0]} to {plan.sizes[1]}"
    lines = Lines()
    lines.comment(
        f"{shown}: {plan.count} images in {len(plan.labels)} folders{within}, which are their labels: {most}{more}.",
        "This spec was proposed from the data: change whatever you know better.",
        "",
        f"nnspec check {name}.yaml                      errors, before anything is trained",
        f"nnspec build {name}.yaml                      train, evaluate beside a baseline, export, verify",
        f"nnspec predict out/{name}/model.onnx IMAGE   one image, or a folder of them",
    )
    lines.add(
        "nnspec: 1", f"name: {name}", f"description: {as_spec(f'Which of {len(plan.labels)} labels an image has.')}"
    )
    lines.add("", "data:", f"  split: {_split(plan)}")
    lines.add("  augment:", why="small random changes of training images, others in each epoch")
    lines.add(*_AUGMENT)
    lines.remark(4, "only where a mirrored image has the same label, as of flowers, but not of digits and letters:")
    lines.remark(4, "- RandomFlip: horizontal")
    lines.add("  inputs:")
    lines.add(f"    image: {{images: {as_spec(shown)}}}", why=f"the shorter side has {sides} pixels")
    lines.add("  outputs:", "    label: {folder_of: image}", "", "inputs:")
    channels = 1 if plan.is_grey else 3
    lines.add(f"  image: {{axes: {{height: {plan.size}, width: {plan.size}, channel: {channels}}}}}")
    lines.add("", "model:", "  - Rescaling: {scale: 0.00392156862745098}", why="0…255 becomes 0…1")
    side = plan.size
    for filters in _FILTERS:
        lines.add(f"  - Conv2D: {{filters: {filters}, kernel_size: 3, padding: same, activation: relu}}")
        if side < _SMALLEST_POOLED:
            break
        lines.add("  - MaxPooling2D: {pool_size: 2}")
        side //= 2
    lines.add("  - GlobalAveragePooling2D", "  - Dropout: 0.2", f"  - Dense: {_head(plan)}", "", "outputs:")
    lines.add(f"  label: {{task: {'binary' if len(plan.labels) == 2 else 'classification'}}}", "")
    lines.add(*training("classification", plan.count))
    return lines.text()


def _head(plan: ImagePlan) -> str:
    if len(plan.labels) == 2:
        return "{units: 1, activation: sigmoid, as: target}"
    return f"{{units: {len(plan.labels)}, activation: softmax, as: class}}"
