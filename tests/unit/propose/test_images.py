"""The spec that is proposed for a folder of pictures checks clean, with the size and channels of the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from nnspec.diagnostics import SpecError
from nnspec.pipeline import diagnose
from nnspec.propose.propose import propose_images


def fill(folder: Path, labels: list[str], side: int, mode: str, count: int = 8) -> Path:
    rng = np.random.default_rng(0)
    for label in labels:
        (folder / label).mkdir(parents=True)
        for number in range(count):
            shape = (side, side + 5, *((3,) if mode == "RGB" else ()))
            picture = Image.fromarray(rng.integers(0, 256, shape, np.uint8), mode)
            picture.save(folder / label / f"{number}.png")
    return folder


@pytest.mark.parametrize(
    ("side", "mode", "size", "channels", "pools"), [(5, "L", 8, 1, 1), (20, "RGB", 20, 3, 2), (300, "RGB", 96, 3, 4)]
)
def test_a_folder(tmp_path: Path, side: int, mode: str, size: int, channels: int, pools: int) -> None:
    fill(tmp_path / "pets", ["cat", "dog", "owl"], side, mode)
    spec = tmp_path / "pets.yaml"
    spec.write_text(propose_images("pets", tmp_path / "pets", "pets"), encoding="utf-8")
    assert diagnose(spec) == []
    read = yaml.safe_load(spec.read_text(encoding="utf-8"))
    assert read["inputs"]["image"]["axes"] == {"height": size, "width": size, "channel": channels}
    assert len([item for item in read["model"] if "MaxPooling2D" in item]) == pools
    assert read["outputs"] == {"label": {"task": "classification"}}
    assert read["model"][-1]["Dense"]["units"] == 3


def test_two_labels_are_binary(tmp_path: Path) -> None:
    fill(tmp_path / "pets", ["cat", "dog"], 16, "L")
    spec = tmp_path / "pets.yaml"
    spec.write_text(propose_images("pets", tmp_path / "pets", "pets"), encoding="utf-8")
    assert diagnose(spec) == []
    assert yaml.safe_load(spec.read_text(encoding="utf-8"))["outputs"] == {"label": {"task": "binary"}}


@pytest.mark.parametrize(
    ("labels", "said"), [([], "has no images"), (["cat"], "has 8 images, but not in two subfolders or more")]
)
def test_no_labels(tmp_path: Path, labels: list[str], said: str) -> None:
    (tmp_path / "pets").mkdir()
    fill(tmp_path / "pets", labels, 16, "L")
    with pytest.raises(SpecError) as caught:
        propose_images("pets", tmp_path / "pets", "pets")
    (fault,) = caught.value.diagnostics
    assert fault.code == "NN599"
    assert said in fault.message


@pytest.mark.parametrize(
    ("folders", "split"),
    [
        (["train", "Val", "test"], {"train": "train/*", "validation": "Val/*", "test": "test/*", "by": "files"}),
        (["training", "testing"], {"train": "training/*", "validation": 0.15, "test": "testing/*", "by": "files"}),
        (["train", "valid"], {"train": "train/*", "validation": "valid/*", "by": "files"}),
    ],
)
def test_folders_of_splits_are_kept(tmp_path: Path, folders: list[str], split: dict[str, object]) -> None:
    for folder in folders:
        fill(tmp_path / "pets" / folder, ["cat", "dog"], 16, "L")
    spec = tmp_path / "pets.yaml"
    spec.write_text(propose_images("pets", tmp_path / "pets", "pets"), encoding="utf-8")
    assert diagnose(spec) == []
    assert yaml.safe_load(spec.read_text(encoding="utf-8"))["data"]["split"] == split


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "pets", ["cat", "dog"], 16, "L")
    (tmp_path / "pets" / "cat" / "0.png").rename(tmp_path / "pets" / "stray.png")
    with pytest.raises(SpecError, match=r"images beside its subfolders, so `stray\.png` has no label"):
        propose_images("pets", tmp_path / "pets", "pets")
    for path in list((tmp_path / "pets").rglob("*.png")):
        path.rename(path.with_suffix(".gif"))
    with pytest.raises(SpecError, match=r"no images that can be read \(png, .*but `cat/1\.gif`, `cat/2\.gif`"):
        propose_images("pets", tmp_path / "pets", "pets")


def test_training_images_are_changed_as_no_label_minds(tmp_path: Path) -> None:
    """Shifted and turned a little; a flip, which makes another letter of one, is a comment that may be used."""
    fill(tmp_path / "pets", ["cat", "dog"], 16, "L")
    spec = tmp_path / "pets.yaml"
    text = propose_images("pets", tmp_path / "pets", "pets")
    changes = yaml.safe_load(text)["data"]["augment"]
    assert [next(iter(change)) for change in changes] == ["RandomRotation", "RandomTranslation"]
    assert changes[0]["RandomRotation"]["factor"] * 360 <= 15  # degrees
    assert max(changes[1]["RandomTranslation"][f"{side}_factor"] for side in ("height", "width")) <= 0.1
    assert text.count("    # - RandomFlip: horizontal\n") == 1
    flipped = text.replace("    # - RandomFlip", "    - RandomFlip")
    spec.write_text(flipped, encoding="utf-8")
    assert diagnose(spec) == []
    assert "RandomFlip" in yaml.safe_load(flipped)["data"]["augment"][2]
