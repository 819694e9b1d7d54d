"""Text files as a source: folders of labels, columns of paths; what check lets pass loads, and is read alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import load
from nnspec.data.section.plan import Slot
from nnspec.diagnostics import Diagnostic, SpecError
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs, read_samples
from tests.unit.data.section.test_plan import plan_of, slot

KIND = slot("kind", ("class", 2), task="classification", class_axis="class")
TEXT = slot("text", ("text", 1), dtype="string")
FOLDER = """
split: {train: 0.5, test: 0.5, by: order}
inputs: {text: {text: reviews}}
outputs: {kind: {folder_of: text}}
"""
TEXTS = {
    "bad/1.txt": "Stale, sorry.",
    "bad/2.txt": "Nie wieder – schlecht!",
    "good/1.txt": "Fine\r\nand fresh",
    "good/2.txt": "ok",
}


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        file = tmp_path / "reviews" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return tmp_path


def told(text: str, root: Path, model: Slot = TEXT) -> list[Diagnostic]:
    """What check says; where it says nothing, the data load."""
    try:
        plan = plan_of(text, root)
    except SpecError as error:
        return error.diagnostics
    found = [d for d in probe(plan, {"text": model}, {"kind": KIND}) if d.is_error]
    if not found:
        load(plan, {"text": model}, {"kind": KIND})
    return found


def raw_of(text: str, root: Path) -> np.ndarray:
    data = load(plan_of(text, root), {"text": TEXT}, {"kind": KIND})
    return np.concatenate([data.splits[name].raw["text"] for name in ("train", "test")])


def metadata_of(text: str, root: Path) -> dict[str, Any]:
    source = plan_of(text, root).inputs["text"].source
    axes = [["batch", None], ["text", 1]]
    return {"inputs": {"text": {"axes": axes, "dtype": "string", **source.source.describe_reading(source)}}}


def test_a_folder_of_labels_is_read_alike(reviews: Path) -> None:
    raw = raw_of(FOLDER, reviews)
    assert raw.ravel().tolist() == [text.replace("\r\n", "\n") for text in TEXTS.values()]
    metadata = metadata_of(FOLDER, reviews)
    assert read_samples(reviews / "reviews", metadata).inputs["text"].tolist() == raw.tolist()
    assert read_samples(reviews / "reviews/bad/2.txt", metadata).inputs["text"].tolist() == [["Nie wieder – schlecht!"]]


def test_a_column_of_paths(reviews: Path) -> None:
    (reviews / "all.csv").write_text(
        "file,kind\n" + "".join(f"reviews/{n},{k}\n" for n, k in zip(TEXTS, "abab", strict=True))
    )
    text = "source: {csv: all.csv}" + FOLDER.replace("{text: reviews}", "{text: file}")
    text = text.replace("{folder_of: text}", "{columns: [kind]}")
    raw = raw_of(text, reviews)
    assert raw[0, 0] == "Stale, sorry."
    assert read_samples(reviews / "all.csv", metadata_of(text, reviews)).inputs["text"].tolist() == raw.tolist()


def test_another_encoding(reviews: Path) -> None:
    (reviews / "reviews/bad/2.txt").write_bytes("Käse".encode("latin-1"))
    (fault,) = told(FOLDER, reviews)
    assert fault.code == "NN555"
    assert "`reviews/bad/2.txt`: it is not UTF-8 text: byte 2 is 0xe4" in fault.message
    assert "`encoding: latin-1` beside `text:`" in fault.fixes[0].message
    (reviews / "reviews/good/2.txt").write_bytes("größer".encode())
    assert "convert these files to UTF-8" in told(FOLDER, reviews)[0].fixes[0].message, (
        "latin-1 would misread the others"
    )
    text = FOLDER.replace("reviews}", "reviews, encoding: latin-1}")
    for name in ("bad/1.txt", "good/1.txt", "good/2.txt"):
        (reviews / "reviews" / name).write_bytes("größer".encode("latin-1"))
    assert raw_of(text, reviews).ravel().tolist() == ["größer", "Käse", "größer", "größer"]
    found = read_samples(reviews / "reviews", metadata_of(text, reviews))
    assert found.inputs["text"].ravel().tolist() == ["größer", "Käse", "größer", "größer"]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("bad/3.txt", b" \n", "it is empty"), ("bad/3.pdf", b"%PDF", "not supported"), ("3.txt", b"x", "has no label")],
)
def test_files_that_cannot_be_used(reviews: Path, name: str, content: bytes, words: str) -> None:
    (reviews / "reviews" / name).write_bytes(content)
    (fault,) = told(FOLDER, reviews)
    assert words in fault.message


def test_an_input_of_several_texts_takes_no_files(reviews: Path) -> None:
    (fault,) = told(FOLDER, reviews, slot("text", ("word", 3), dtype="string"))
    assert (fault.code, "has axes (word 3)" in fault.message) == ("NN562", True)
    (fault,) = told(FOLDER, reviews, slot("text", ("feature", 1)))
    assert fault.code == "NN506"


def test_a_deployed_model_names_the_file(reviews: Path) -> None:
    (reviews / "new.txt").write_bytes(b"\xff")
    with pytest.raises(InputError, match="not UTF-8"):
        read_inputs(reviews / "new.txt", metadata_of(FOLDER, reviews))
