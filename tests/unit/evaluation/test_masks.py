"""Targets that are files of their own, such as masks: in a folder beside that of the pictures, or named in a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nnspec.evaluation.targets import read_labelled
from nnspec.runtime.errors import InputError
from nnspec.runtime.files import Predict
from nnspec.runtime.samples import Samples

SIZE = {"size": [3, 2], "fit": "stretch"}
PHOTO = {"kind": "images", "folder": "photos", "axes": {"height": "height", "width": "width"}, "mode": "L", **SIZE}
MASK = {"kind": "images", "folder": "masks", "axes": {"height": "height", "width": "width"}, "mode": "", **SIZE}
BODY = {
    "columns": [],
    "array": "mask",
    "files": MASK,
    "reads": "words",
    "axes": ["height", "width"],
    "sizes": [3, 2],
    "behind": "class",
    "horizon": None,
    "counts": "all",
    "baseline": None,
}


def metadata(task: str, classes: list[object] | None) -> dict[str, dict[str, object]]:
    axes = [["batch", None], ["height", 3], ["width", 2]]
    return {
        "inputs": {"photo": {"axes": axes, "dtype": "float32", "files": PHOTO}},
        "outputs": {"mask": {"axes": [*axes, ["class", 3]], "task": task, "classes": classes}},
        "evaluation": {"mask": BODY},
    }


def predictions(pictures: list[np.ndarray], shape: tuple[int, ...]) -> Predict:
    """A model that knows nothing, and keeps the pictures that it is given."""

    def predict(samples: Samples) -> Iterator[tuple[dict[str, np.ndarray], Mapping[str, Sequence[str]]]]:
        for part in samples.slices():
            pictures.append(samples.take(part)["photo"])
            yield {"mask": np.zeros((len(pictures[-1]), *shape, 3), np.float32)}, samples.keys_of(part)

    return predict


def written(folder: Path, masks: list[np.ndarray]) -> Path:
    for name in ("photos", "masks"):
        (folder / name).mkdir()
    for i, mask in enumerate(masks):
        Image.fromarray(np.full((3, 2), 10 * i, np.uint8)).save(folder / "photos" / f"{i}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{i}.png")
    return folder


@pytest.mark.parametrize("form", ["folder", "table", "archive"])
def test_masks_of_classes(form: str, tmp_path: Path) -> None:
    masks = [np.array([[0, 1], [2, 2], [1, 0]], np.uint8), np.array([[2, 0], [0, 0], [1, 2]], np.uint8)]
    path = written(tmp_path, masks)
    if form == "archive":
        path = tmp_path / "t.npz"
        np.savez(path, photo=["photos/0.png", "photos/1.png"], mask=["masks/0.png", "masks/1.png"])
    if form == "table":
        path = tmp_path / "t.csv"
        path.write_text("photo,mask\nphotos/0.png,masks/0.png\nphotos/1.png,masks/1.png\n", encoding="utf-8")
    said = metadata("classification", [0, 1, 2])
    pictures: list[np.ndarray] = []
    found = read_labelled(path, said, predictions(pictures, (3, 2)))
    codes, known = found.truth["mask"]
    assert np.array_equal(codes, np.stack(masks))
    assert known.all()
    assert np.concatenate(pictures)[:, 0, 0].tolist() == [0, 10]


def test_white_is_yes_in_a_mask_of_two_classes(tmp_path: Path) -> None:
    said = metadata("binary", None)
    mask = np.array([[0, 255], [255, 0], [1, 0]], np.uint8)
    codes, _ = read_labelled(written(tmp_path, [mask]), said, predictions([], (3, 2))).truth["mask"]
    assert codes[0].tolist() == [[0, 1], [1, 0], [1, 0]]


def test_a_picture_without_a_mask(tmp_path: Path) -> None:
    folder = written(tmp_path, [np.zeros((3, 2), np.uint8)] * 2)
    (folder / "masks" / "1.png").unlink()
    with pytest.raises(InputError, match=r"masks` has no file for `1\.png`"):
        read_labelled(folder, metadata("binary", None), predictions([], (3, 2)))


def test_a_folder_of_pictures_alone_says_what_is_needed(tmp_path: Path) -> None:
    folder = written(tmp_path, [np.zeros((3, 2), np.uint8)])
    with pytest.raises(InputError, match="a folder with the subfolders `photos` and `masks`"):
        read_labelled(folder / "photos", metadata("binary", None), predictions([], (3, 2)))


def test_a_class_that_training_did_not_have_is_told_with_its_sample(tmp_path: Path) -> None:
    said = metadata("classification", [0, 1, 2])
    folder = written(tmp_path, [np.zeros((3, 2), np.uint8), np.full((3, 2), 3, np.uint8)])
    with pytest.raises(InputError, match=r"no class `3`, the label of one of 2 samples \(the first is sample 2\)"):
        read_labelled(folder, said, predictions([], (3, 2)))


def test_the_folder_that_a_file_is_in_is_its_label(tmp_path: Path) -> None:
    """As in training, also within the folders of splits, whichever way the file system writes accents."""
    for name in ("train/cafe\u0301/1.png", "train/cat/1.png", "test/cat/1.png"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((3, 2), np.uint8)).save(tmp_path / "photos" / name)
    said = metadata("classification", ["café", "cat"])
    said["outputs"]["mask"]["axes"] = [["batch", None], ["class", 2]]
    said["evaluation"] = {"mask": {**BODY, "files": None, "folder": "photos", "axes": [], "sizes": [1]}}
    codes, known = read_labelled(tmp_path / "photos", said, predictions([], ())).truth["mask"]
    assert codes.ravel().tolist() == [1, 0, 1]
    assert known.all()
