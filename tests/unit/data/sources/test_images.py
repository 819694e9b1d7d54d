"""Pictures as a source: folders of labels, columns of paths, masks; what check lets pass loads, and is read alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset, load
from nnspec.data.section.plan import Slot
from nnspec.data.sources.folders import FolderSource
from nnspec.diagnostics import Diagnostic, SpecError
from tests.unit.data.section.test_plan import plan_of, slot

RNG = np.random.default_rng(1)
PHOTO = slot("photo", ("height", 4), ("width", 6), ("channel", 3))
KIND = slot("kind", ("class", 2), task="classification", class_axis="class")
FOLDER = """
split: {train: 0.5, test: 0.5}
inputs: {photo: {images: photos}}
outputs: {kind: {folder_of: photo}}
"""
TABLE = """
source: {csv: data/animals.csv}
split: {train: 0.5, test: 0.5, by: order}
inputs: {photo: {images: file}, facts: {columns: [age]}}
outputs: {kind: {columns: [kind]}}
"""
FACTS = slot("facts", ("feature", 1))


def draw(path: Path, size: tuple[int, int] = (9, 5), mode: str = "RGB") -> Path:
    """A random picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    values = RNG.integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(values).convert(mode).save(path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Two labels, three pictures each, of three kinds and sizes."""
    for label in ("cat", "dog"):
        for number, suffix in enumerate((".png", ".jpg", ".webp")):
            draw(tmp_path / "photos" / label / f"{number}{suffix}", (5 + number, 9))
    return tmp_path


def told(text: str, root: Path, *inputs: Slot, output: Slot = KIND, **options: Any) -> list[Diagnostic]:
    """What check says; where it says nothing, the data load."""
    try:
        plan = plan_of(text, root, **options)
    except SpecError as error:
        return error.diagnostics
    given = {model.name: model for model in inputs or (PHOTO,)}
    found = [d for d in probe(plan, given, {output.name: output}) if d.is_error]
    if not found:
        load(plan, given, {output.name: output})
    return found


def loaded(text: str, root: Path, *inputs: Slot, output: Slot = KIND) -> Dataset:
    return load(plan_of(text, root), {m.name: m for m in inputs or (PHOTO,)}, {output.name: output})


def resized(path: Path, size: tuple[int, int] = (6, 4)) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened.convert("RGB").resize(size, Image.Resampling.BILINEAR))


def test_subfolders_are_labels(photos: Path) -> None:
    data = loaded(FOLDER, photos)
    files = sorted((photos / "photos").rglob("*.*"))
    for split in data.splits.values():
        assert split.raw["photo"].dtype == np.float32
        for row, values, label in zip(split.rows, split.raw["photo"], split.target["kind"], strict=True):
            np.testing.assert_array_equal(values, resized(files[row]))
            assert label == files[row].parent.name
    assert sum(split.size for split in data.splits.values()) == 6


def test_uint8_stays_uint8(photos: Path) -> None:
    data = loaded(FOLDER, photos, slot("photo", ("height", 4), ("width", 6), ("channel", 3), dtype="uint8"))
    assert data.splits["train"].x["photo"].dtype == np.uint8


def test_what_is_no_picture_is_left_out(photos: Path) -> None:
    for name in (".DS_Store", "cat/.hidden.png", "cat/Thumbs.db", "readme.txt", "__MACOSX/cat/1.png", "dog/notes.md"):
        path = photos / "photos" / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"no picture")
    assert not told(FOLDER, photos)
    assert sum(split.size for split in loaded(FOLDER, photos).splits.values()) == 6


def test_names_outside_ascii(photos: Path) -> None:
    draw(photos / "photos" / "cafe\u0301" / "日本 语.png")  # as macOS writes é
    draw(photos / "photos" / "cafe\u0301" / "b.png")
    model = slot("kind", ("class", 3), task="classification", class_axis="class")
    assert not told(FOLDER, photos, output=model)
    assert loaded(FOLDER, photos, output=model).outputs["kind"].classes == ["café", "cat", "dog"]


def test_a_name_that_is_not_utf8(photos: Path) -> None:
    os.rename(photos / "photos" / "cat" / "0.png", os.fsencode(photos / "photos" / "cat") + b"/\xff.png")
    (found,) = told(FOLDER, photos)
    assert found.code == "NN555"
    assert "UTF-8" in found.message


@pytest.mark.parametrize(
    ("name", "code", "part"),
    [
        ("photos/1.png", "NN557", "beside its subfolders"),
        ("photos/cat/old/1.png", "NN557", "have subfolders"),
        ("photos/Cat/1.png", "NN557", "differ only in case"),
        ("photos/cat/1.gif", "NN555", "not supported"),
        ("photos/cat/1.TIFF", "NN555", "not supported"),
    ],
)
def test_one_file_too_many(name: str, code: str, part: str, photos: Path) -> None:
    path = photos / name
    draw(path.with_suffix(".png"))
    path.with_suffix(".png").rename(path)
    (found,) = told(FOLDER, photos)
    assert (found.code, found.path) == (code, "data.inputs.photo.images")
    assert part in found.message


def test_a_broken_picture_is_named(photos: Path) -> None:
    path = photos / "photos" / "dog" / "1.jpg"
    path.write_bytes(path.read_bytes()[:-30])
    (found,) = told(FOLDER, photos)
    assert found.code == "NN555"
    assert "photos/dog/1.jpg" in found.message


def test_what_only_decoding_shows_is_named_in_loading(photos: Path) -> None:
    path = photos / "photos" / "dog" / "1.jpg"
    whole = bytearray(path.read_bytes())
    table = whole.index(b"\xff\xc4") + 4  # of the Huffman codes
    whole[table : table + 17] = b"\xff" * 17
    path.write_bytes(whole)
    plan = plan_of(FOLDER, photos)
    with pytest.raises(SpecError) as caught:
        load(plan, {"photo": PHOTO}, {"kind": KIND})
    (found,) = caught.value.diagnostics
    assert found.code == "NN555"
    assert "photos/dog/1.jpg" in found.message


def test_links(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = draw(tmp_path_factory.mktemp("elsewhere") / "1.png")
    inside = draw(photos / "more" / "1.png")
    link = photos / "photos" / "cat" / "link.png"
    link.symlink_to(inside)
    assert not told(FOLDER, photos)
    link.unlink()
    for target in (elsewhere, elsewhere.parent):
        link.symlink_to(target)
        (found,) = told(FOLDER, photos)
        assert found.code == "NN510"
        link.unlink()
    link.symlink_to(elsewhere)
    assert not told(FOLDER, photos, allow_outside=True)


def test_links_in_a_circle_end(photos: Path) -> None:
    (photos / "photos" / "cat" / "again").symlink_to(photos / "photos" / "cat")
    (found,) = told(FOLDER, photos)
    assert found.code == "NN557"


# ---------------------------------------------------------------------------------------------- columns of paths


def animals(root: Path, *rows: str) -> None:
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / "animals.csv").write_text("\n".join(["file,age,kind", *rows, ""]), encoding="utf-8")


def test_a_column_of_paths(photos: Path) -> None:
    (photos / "photos").rename(photos / "pictures")
    names = ["cat/0.png", "dog/1.jpg", "dog/0.png", "cat/2.webp"]
    animals(photos, *(f"../pictures/{name},{i},{name[:3]}" for i, name in enumerate(names)))
    assert not told(TABLE, photos, PHOTO, FACTS)
    data = loaded(TABLE, photos, PHOTO, FACTS)
    found = np.concatenate([split.raw["photo"] for split in data.splits.values()])
    np.testing.assert_array_equal(found, [resized(photos / "pictures" / name) for name in names])
    by_folder = TABLE.replace("{columns: [kind]}", "{folder_of: photo}")
    assert loaded(by_folder, photos, PHOTO, FACTS).splits["train"].target["kind"].tolist() == ["cat", "dog"]


@pytest.mark.parametrize(
    ("path", "code", "part"),
    [
        ("../photos/cat/9.png", "NN555", "row 2"),
        ("", "NN555", "row 2"),
        ("/etc/passwd", "NN510", "absolute"),
        ("../../x.png", "NN510", "row 2"),
        ("../photos/../../x.png", "NN510", "row 2"),
        ("../photos", "NN555", "no file"),
    ],
)
def test_paths_that_lead_nowhere(path: str, code: str, part: str, photos: Path) -> None:
    animals(
        photos, "../photos/cat/0.png,1,cat", f"{path},2,dog", "../photos/dog/1.jpg,2,dog", "../photos/dog/0.png,1,cat"
    )
    found = told(TABLE, photos, PHOTO, FACTS)
    assert [d.code for d in found] == [code]
    assert part in found[0].message


def test_without_its_table_nothing_more_is_said(photos: Path) -> None:
    assert [d.code for d in told(TABLE, photos, PHOTO, FACTS)] == ["NN501"]


# ----------------------------------------------------------------------------------------------------------- masks

MASKS = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {photo: {images: photos}}
outputs: {mask: {images: masks}}
"""
CLASSES = slot("mask", ("height", 4), ("width", 6), ("class", 3), task="classification", class_axis="class")
YES_OR_NO = slot("mask", ("height", 4), ("width", 6), ("channel", 1), task="binary")


def masks(root: Path, values: np.ndarray) -> None:
    """A picture and a mask for each of `values`; the order of the folders differs."""
    (root / "masks").mkdir()
    for number, value in enumerate(values):
        draw(root / "photos" / f"{number}.jpg", (12, 8))
        Image.fromarray(value).save(root / "masks" / f"{number}.png")


def test_masks_go_with_pictures_of_their_name(tmp_path: Path) -> None:
    values = RNG.integers(0, 3, (12, 4, 6), np.uint8)
    masks(tmp_path, values)
    assert not told(MASKS, tmp_path, output=CLASSES)
    data = loaded(MASKS, tmp_path, output=CLASSES)
    order = sorted(range(12), key=str)
    found = np.concatenate([split.y["mask"] for split in data.splits.values()])
    np.testing.assert_array_equal(found, values[order])


def test_binary_masks_of_255(tmp_path: Path) -> None:
    values = RNG.integers(0, 2, (4, 4, 6), np.uint8)
    masks(tmp_path, values * np.uint8(255))
    data = loaded(MASKS, tmp_path, output=YES_OR_NO)
    found = np.concatenate([split.y["mask"] for split in data.splits.values()])
    np.testing.assert_array_equal(found[..., 0], values)


def test_border_pixels_that_do_not_count(tmp_path: Path) -> None:
    values = RNG.integers(0, 3, (4, 4, 6), np.uint8)
    values[:, 0] = 255
    masks(tmp_path, values)
    data = loaded(MASKS.replace("masks}", "masks, ignore: 255}"), tmp_path, output=CLASSES)
    counted = data.splits["train"].counts("mask")
    assert counted is not None
    assert not counted[:, 0].any()
    assert counted[:, 1:].all()


def test_a_value_that_is_no_class(tmp_path: Path) -> None:
    values = np.full((4, 4, 6), 3, np.uint8)
    masks(tmp_path, values)
    with pytest.raises(SpecError) as caught:
        loaded(MASKS, tmp_path, output=CLASSES)
    assert [d.code for d in caught.value.diagnostics] == ["NN513"]


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda root: (root / "masks" / "2.png").unlink(), "no file for `photos/2.jpg`"),
        (lambda root: (root / "photos" / "2.jpg").unlink(), "no file for `masks/2.png`"),
        (lambda root: draw(root / "masks" / "2.webp"), "same name"),
    ],
)
def test_masks_without_pictures(change: Any, part: str, tmp_path: Path) -> None:
    masks(tmp_path, RNG.integers(0, 3, (4, 4, 6), np.uint8))
    change(tmp_path)
    (found,) = told(MASKS, tmp_path, output=CLASSES)
    assert (found.code, found.path) == ("NN558", "data.outputs.mask.images")
    assert part in found.message


def test_pictures_as_numbers_to_predict(tmp_path: Path) -> None:
    """Of a regression the targets are pictures, not masks."""
    draw(tmp_path / "photos" / "1.png", (6, 4))
    draw(tmp_path / "photos" / "2.png", (6, 4))
    text = MASKS.replace("images: masks", "images: photos, scale: {method: minmax, along: []}")
    output = slot("mask", ("height", 4), ("width", 6), ("channel", 3), task="regression")
    data = loaded(text, tmp_path, output=output)
    train = data.splits["train"]
    np.testing.assert_array_equal(train.target["mask"], train.raw["photo"])
    assert (train.y["mask"].min(), train.y["mask"].max()) == (0, 1)


def test_windows_of_pictures(photos: Path) -> None:
    animals(photos, *(f"../photos/cat/0.png,{i},{kind}" for i, kind in enumerate(["cat", "dog"] * 8)))
    text = TABLE + "window: {lookback: 2, horizon: 0}\n"
    wide = slot("facts", ("time", 2), ("feature", 1))
    (found,) = told(text, photos, PHOTO, wide)
    assert found.code == "NN556"
    assert not told(text.replace("images: file", "images: file, window: false"), photos, PHOTO, wide)


@pytest.mark.parametrize("dtype", ["int8", "bool"])
def test_dtypes_that_pictures_do_not_fit(dtype: str, photos: Path) -> None:
    found = told(FOLDER, photos, slot("photo", ("height", 4), ("width", 6), ("channel", 3), dtype=dtype))
    assert [d.code for d in found] == ["NN556"]


def test_two_inputs_of_one_folder(photos: Path) -> None:
    text = FOLDER.replace("photos}}", "photos}, small: {images: photos, fit: crop}}")
    small = slot("small", ("height", 2), ("width", 2), ("channel", 1))
    assert not told(text, photos, PHOTO, small)
    assert loaded(text, photos, PHOTO, small).splits["train"].raw["small"].shape[1:] == (2, 2, 1)


def test_every_split_has_its_share_of_every_label(tmp_path: Path) -> None:
    for label, count in (("cat", 20), ("dog", 10), ("eel", 3)):
        for number in range(count):
            draw(tmp_path / "photos" / label / f"{number}.png")
    model = slot("kind", ("class", 3), task="classification", class_axis="class")
    drawn = set()
    for seed in range(8):
        split = f"{{train: 0.6, validation: 0.2, test: 0.2, seed: {seed}}}"
        data = loaded(FOLDER.replace("{train: 0.5, test: 0.5}", split), tmp_path, output=model)
        for name, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
            count = np.bincount(data.splits[name].y["kind"], minlength=3)
            assert (np.abs(count - share * np.array([20, 10, 3])) <= 1).all(), (seed, name, count)
        drawn.add(tuple(data.splits["train"].rows))
    assert len(drawn) == 8


def test_the_rows_of_a_query(photos: Path) -> None:
    """Paths are relative to the table that the query reads."""
    names = ["cat/1.jpg", "dog/1.jpg", "cat/0.png", "dog/0.png", "cat/2.webp"]
    animals(photos, *(f"../photos/{name},{i},{name[:3]}" for i, name in enumerate(names)))
    text = TABLE + 'query: "SELECT * FROM source WHERE age > 0 ORDER BY age DESC"\n'
    assert not told(text, photos, PHOTO, FACTS)
    data = loaded(text, photos, PHOTO, FACTS)
    found = np.concatenate([split.raw["photo"] for split in data.splits.values()])
    np.testing.assert_array_equal(found, [resized(photos / "photos" / name) for name in names[:0:-1]])


def test_equal_files_have_equal_keys(photos: Path) -> None:
    copy = photos / "photos" / "dog" / "copy.png"
    copy.write_bytes((photos / "photos" / "cat" / "0.png").read_bytes())
    source = plan_of(FOLDER, photos).inputs["photo"].source
    assert isinstance(source.source, FolderSource)
    keys = dict(zip(source.files(), source.source.digests(source), strict=True))
    assert len(keys) == 7
    assert len(set(keys.values())) == 6
    assert keys[copy] == keys[photos / "photos" / "cat" / "0.png"]


@pytest.mark.parametrize(
    ("classes", "codes"),
    [
        (("dog", "cat"), []),
        (("dog", "Cat"), ["NN557"]),
        (("dog", "cat", "eel"), ["NN508"]),
    ],
)
def test_classes_that_the_output_lists(classes: tuple[str, ...], codes: list[str], photos: Path) -> None:
    model = slot("kind", ("class", 2), task="classification", class_axis="class", classes=classes)
    assert [d.code for d in told(FOLDER, photos, output=model)] == codes
    if not codes:
        assert loaded(FOLDER, photos, output=model).outputs["kind"].classes == ["dog", "cat"]
    text = FOLDER.replace("folder_of: photo", f"folder_of: photo, classes: [{', '.join(classes)}]")
    assert [d.code for d in told(text, photos)] == codes


def test_numbered_folders_of_named_classes(tmp_path: Path) -> None:
    for number in range(8):
        draw(tmp_path / "photos" / str(number % 2) / f"{number}.png")
    model = slot("kind", ("class", 2), task="classification", class_axis="class", classes=("cat", "dog"))
    assert not told(FOLDER, tmp_path, output=model)
    assert set(loaded(FOLDER, tmp_path, output=model).splits["train"].target["kind"]) == {"cat", "dog"}


def test_a_folder_that_does_not_count(photos: Path) -> None:
    draw(photos / "photos" / "unsure" / "1.png")
    draw(photos / "photos" / "unsure" / "2.png")
    text = FOLDER.replace("folder_of: photo", "folder_of: photo, ignore: unsure")
    assert not told(text, photos)
    assert loaded(text, photos).outputs["kind"].classes == ["cat", "dog"]


@pytest.fixture
def parted(tmp_path: Path) -> Path:
    """Two labels within the folders of three splits: 8, 2 and 4 pictures."""
    for split, count in (("training", 4), ("val", 1), ("Test", 2)):
        for label in ("cat", "dog"):
            for number in range(count):
                draw(tmp_path / "photos" / split / label / f"{number}.png")
    return tmp_path


PARTED = FOLDER.replace("{train: 0.5, test: 0.5}", "{train: training/*, validation: val/*, test: Test/*, by: files}")


def test_folders_of_splits(parted: Path) -> None:
    assert not told(PARTED, parted)
    data = loaded(PARTED, parted)
    files = sorted((parted / "photos").rglob("*.png"))
    assert {name: split.size for name, split in data.splits.items()} == {"train": 8, "validation": 2, "test": 4}
    for name, folder in (("train", "training"), ("validation", "val"), ("test", "Test")):
        split = data.splits[name]
        assert {files[row].parent.parent.name for row in split.rows} == {folder}
        assert [files[row].parent.name for row in split.rows] == split.target["kind"].ravel().tolist()


def test_validation_is_a_share_of_the_folder_of_training(parted: Path) -> None:
    text = PARTED.replace("validation: val/*", "validation: 0.25")
    assert not told(text, parted)
    data = loaded(text, parted)
    files = sorted((parted / "photos").rglob("*.png"))
    assert {name: split.size for name, split in data.splits.items()} == {"train": 6, "validation": 2, "test": 4}
    assert {files[row].parent.parent.name for row in data.splits["validation"].rows} == {"training"}
    assert sorted(data.splits["validation"].target["kind"].ravel().tolist()) == ["cat", "dog"]  # each has its share


@pytest.mark.parametrize(
    ("split", "code", "part"),
    [
        ("{train: 0.5, test: 0.5}", "NN557", "have subfolders"),
        ("{train: 0.5, test: 0.5, by: files}", "NN557", "have subfolders"),
        ("{train: train/*, test: Test/*, by: files}", "NN514", "is empty"),
        ("{train: training/*, test: 0.2, by: files}", "NN514", "keep to one of them"),
    ],
)
def test_folders_of_splits_that_are_none(split: str, code: str, part: str, parted: Path) -> None:
    found = told(FOLDER.replace("{train: 0.5, test: 0.5}", split), parted)
    assert [(d.code, part in d.message) for d in found] == [(code, True)]


@pytest.mark.parametrize(
    ("split", "part"),
    [
        ("{train: 0.5, test: 0.5, by: files}", "images are a sample each"),
        ("{train: '*/[01]*', test: '*/[12]*', by: files}", "`1.jpg` matches the patterns of `train` and `test`"),
    ],
)
def test_patterns_of_files_in_folders_of_labels(split: str, part: str, photos: Path) -> None:
    (found,) = told(FOLDER.replace("{train: 0.5, test: 0.5}", split), photos)
    assert (found.code, part in found.message) == ("NN514", True)
    named = loaded(FOLDER.replace("{train: 0.5, test: 0.5}", "{train: '*/[01]*', test: '*/2*', by: files}"), photos)
    assert {name: split.size for name, split in named.splits.items()} == {"train": 4, "test": 2}


def test_folders_of_splits_are_proposed(parted: Path) -> None:
    (found,) = told(FOLDER, parted)
    wanted = "`split: {train: training/*, validation: val/*, test: Test/*, by: files}`"
    assert wanted in found.fixes[0].message
    draw(parted / "photos" / "training" / "1.png")
    (found,) = told(PARTED, parted)
    assert (found.code, "`photos/training/1.png` is in no subfolder" in found.message) == ("NN557", True)
