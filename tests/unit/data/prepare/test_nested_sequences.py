"""Sequences of sequences, such as the words of the sentences of documents. Expected values by loops over each word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nnspec.data.checks.files import probe
from nnspec.data.dataset import Dataset
from nnspec.data.prepare.padding import pad
from nnspec.data.prepare.ragged import Ragged
from nnspec.runtime.errors import InputError
from nnspec.runtime.reading import read_inputs
from tests.support.data_files import Y, fault, run
from tests.unit.data.section.test_plan import plan_of, slot

SENTENCES = np.array([2, 1, 3, 1])  # of each document
WORDS = np.array([3, 1, 2, 1, 4, 1, 2])  # of each sentence
COUNT, WIDTH = int(WORDS.sum()), 2
NESTED = """
source: {npz: a.npz}
split: {train: 0.75, test: 0.25, by: order}
inputs: {x: {array: x, axes: AXES, lengths: [n_sentences, n_words], pad_value: -1, scale: standard}}
outputs: {y: {array: y}}
"""
IN_ORDER = NESTED.replace("AXES", "[sentence, word, feature]")
WITH_TAGS = IN_ORDER.replace("{array: y}", "{array: tags, KEYS}")
X = slot("x", ("sentence", None), ("word", None), ("feature", WIDTH))
FOLLOWS = {"follows": (("sentence", "sentence"), ("word", "word"))}


def by_hand(steps: np.ndarray, sizes: tuple[int, int], fill: float) -> np.ndarray:
    """Axes `word *rest` to `document sentence word *rest`, word by word."""
    made = np.full((len(SENTENCES), *sizes, *steps.shape[1:]), fill, np.float32)
    word = sentence = 0
    for document, count in enumerate(SENTENCES):
        for place in range(count):
            for position in range(WORDS[sentence]):
                made[document, place, position] = steps[word]
                word += 1
            sentence += 1
    return made


def steps_of(folder: Path, **more: np.ndarray) -> np.ndarray:
    steps = np.random.default_rng(2).normal(5, 3, (COUNT, WIDTH)).astype(np.float32)
    arrays = {"x": steps, "n_sentences": SENTENCES, "n_words": WORDS, "y": np.arange(4.0), **more}
    np.savez(folder / "a.npz", **arrays)
    return steps


def test_words_are_padded_in_sentences_and_sentences_in_documents(tmp_path: Path) -> None:
    steps = steps_of(tmp_path)
    data = run(IN_ORDER, tmp_path, [X], [Y])
    raw, x = (np.concatenate([getattr(part, name)["x"] for part in data.splits.values()]) for name in ("raw", "x"))
    np.testing.assert_array_equal(raw, by_hand(steps, (3, 4), -1))
    train = steps[: WORDS[:6].sum()]  # the words of the first three documents
    scaled = (steps - train.mean(0)) / train.std(0)
    np.testing.assert_allclose(x, by_hand(scaled, (3, 4), -1), rtol=1e-5, atol=1e-6)


def test_axes_lie_as_the_spec_names_them(tmp_path: Path) -> None:
    steps = steps_of(tmp_path)
    np.savez(tmp_path / "a.npz", x=steps.T, n_sentences=SENTENCES, n_words=WORDS, y=np.arange(4.0))
    fixed = slot("x", ("feature", WIDTH), ("sentence", 5), ("word", 6))
    data = run(NESTED.replace("AXES", "[feature, sentence, word]"), tmp_path, [fixed], [Y])
    raw = np.concatenate([part.raw["x"] for part in data.splits.values()])
    np.testing.assert_array_equal(raw, by_hand(steps, (5, 6), -1).transpose(0, 3, 1, 2))
    assert data.inputs["x"].outer == (2,)


def test_three_levels() -> None:
    books, pages, lines = np.array([2, 1]), np.array([1, 2, 1]), np.array([2, 1, 3, 1])
    made, is_padding = pad(np.arange(1, 8), [books, pages, lines], Ragged(0, (2, 2, 3)), 0)
    wanted = [[[[1, 2, 0], [0, 0, 0]], [[3, 0, 0], [4, 5, 6]]], [[[7, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]]
    assert made.tolist() == wanted
    np.testing.assert_array_equal(is_padding, made == 0)


def counted_in(data: Dataset) -> np.ndarray:
    found = [part.counted["y"] for part in data.splits.values()]
    return np.concatenate([np.asarray(flags).reshape(len(flags), 3, -1) for flags in found if flags is not None])


@pytest.mark.parametrize("key", ["padded_like: x", "lengths: [n_sentences, n_words]"])
def test_a_target_for_each_word(key: str, tmp_path: Path) -> None:
    tags = np.arange(4 * 3 * 4.0).reshape(4, 3, 4, 1)
    steps_of(tmp_path, tags=tags)
    head = slot("y", ("sentence", None), ("word", None), ("unit", 1), task="regression", **FOLLOWS)
    counted = counted_in(run(WITH_TAGS.replace("KEYS", key), tmp_path, [X], [head]))
    np.testing.assert_array_equal(counted, by_hand(np.ones(COUNT), (3, 4), 0) > 0)


@pytest.mark.parametrize("key", ["padded_like: x", "lengths: n_sentences"])
def test_a_target_for_each_sentence(key: str, tmp_path: Path) -> None:
    steps_of(tmp_path, tags=np.arange(4 * 3.0).reshape(4, 3, 1))
    head = slot("y", ("sentence", None), ("unit", 1), task="regression", follows=(("sentence", "sentence"),))
    counted = counted_in(run(WITH_TAGS.replace("KEYS", key), tmp_path, [X], [head]))
    np.testing.assert_array_equal(counted[..., 0], np.arange(3) < SENTENCES[:, None])


def test_targets_of_words_lie_end_to_end(tmp_path: Path) -> None:
    tags = np.random.default_rng(3).normal(size=COUNT).astype(np.float32)
    steps_of(tmp_path, tags=tags)
    head = slot("y", ("sentence", None), ("word", None), task="regression", **FOLLOWS)
    data = run(WITH_TAGS.replace("KEYS", "lengths: [n_sentences, n_words]"), tmp_path, [X], [head])
    counted = counted_in(data)
    target = np.concatenate([part.target["y"] for part in data.splits.values()])
    np.testing.assert_array_equal(counted, by_hand(np.ones(COUNT), (3, 4), 0) > 0)
    np.testing.assert_allclose(target[counted], tags)


def test_padding_that_is_already_there(tmp_path: Path) -> None:
    steps = steps_of(tmp_path)
    filled = by_hand(steps, (3, 4), 0)
    np.savez(tmp_path / "a.npz", x=filled, y=np.arange(4.0))
    text = IN_ORDER.replace("lengths: [n_sentences, n_words], pad_value: -1", "pad_value: 0")
    text = text.replace("[sentence", "[sample, sentence")
    data = run(text, tmp_path, [slot("x", ("sentence", 3), ("word", 4), ("feature", WIDTH))], [Y])
    train = steps[: WORDS[:6].sum()]
    wanted = by_hand((steps - train.mean(0)) / train.std(0), (3, 4), 0)
    x = np.concatenate([part.x["x"] for part in data.splits.values()])
    np.testing.assert_allclose(x, wanted, rtol=1e-5, atol=1e-6)


CHANGES = {
    "levels-disagree": ({"n_words": WORDS[:-1]}, "sum to 7, but `n_words` has 6 lengths"),
    "words-left-over": ({"n_words": WORDS + 1}, "the lengths sum to 21, but the data has axes"),
    "an-empty-sentence": ({"n_words": np.array([4, 0, 2, 1, 4, 1, 2])}, "number 2 in `n_words` has 0: leave it out"),
    "floats": ({"n_words": WORDS.astype(float)}, "must be a one-dimensional array of integers"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_faults_are_found_at_check(name: str, tmp_path: Path) -> None:
    changed, wanted = CHANGES[name]
    steps_of(tmp_path, **changed)
    plan = plan_of(IN_ORDER, tmp_path)
    messages = [found.message for found in probe(plan, {"x": X}, {"y": Y})]
    assert any(wanted in message for message in messages), messages


def test_a_sentence_that_is_too_long(tmp_path: Path) -> None:
    steps_of(tmp_path)
    short = slot("x", ("sentence", 3), ("word", 3), ("feature", WIDTH))
    assert "the longest sequence has length 4, but axis `word` has size 3" in fault(IN_ORDER, tmp_path, [short], [Y])[1]
    few = slot("x", ("sentence", 2), ("word", 4), ("feature", WIDTH))
    assert "length 3, but axis `sentence` has size 2" in fault(IN_ORDER, tmp_path, [few], [Y])[1]


# ------------------------------------------------------------------------------------------- a deployed model

METADATA = {
    "axes": [["batch", None], ["sentence", None], ["word", None], ["feature", WIDTH]],
    "dtype": "float32",
    "array": "x",
    "lengths": ["n_sentences", "n_words"],
    "padded": ["sentence", "word"],
    "fill": -1.0,
}


def deployed(path: Path, **changes: object) -> np.ndarray:
    return np.asarray(read_inputs(path, {"inputs": {"given": {**METADATA, **changes}}})["given"])


def test_a_deployed_model_pads_the_same_file_alike(tmp_path: Path) -> None:
    steps = steps_of(tmp_path)
    np.testing.assert_array_equal(deployed(tmp_path / "a.npz"), by_hand(steps, (3, 4), -1))
    sizes = [["batch", None], ["feature", WIDTH], ["sentence", 5], ["word", 6]]
    np.savez(tmp_path / "turned.npz", x=steps.T, n_sentences=SENTENCES, n_words=WORDS)
    turned = deployed(tmp_path / "turned.npz", axes=sizes)
    np.testing.assert_array_equal(turned, by_hand(steps, (5, 6), -1).transpose(0, 3, 1, 2))


def test_a_deployed_model_takes_padded_arrays(tmp_path: Path) -> None:
    filled = by_hand(steps_of(tmp_path), (3, 4), -1)
    np.savez(tmp_path / "b.npz", given=filled)
    np.testing.assert_array_equal(deployed(tmp_path / "b.npz"), filled)


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"n_words": WORDS[:-1]}, "`n_sentences` of `a.npz` must have the length of each sequence, at least 1 and 6"),
        ({"n_sentences": SENTENCES + 1}, "`n_sentences` of `a.npz` must have"),
        ({"n_words": WORDS.astype(float)}, "`n_words` of `a.npz` must have"),
    ],
)
def test_wrong_lengths_of_a_deployed_model(changed: dict[str, np.ndarray], wanted: str, tmp_path: Path) -> None:
    steps_of(tmp_path, **changed)
    with pytest.raises(InputError, match=wanted):
        deployed(tmp_path / "a.npz")


def test_missing_lengths_and_long_sentences_of_a_deployed_model(tmp_path: Path) -> None:
    np.savez(tmp_path / "b.npz", x=steps_of(tmp_path), n_words=WORDS)
    with pytest.raises(InputError, match="no `n_sentences`, the lengths of the sequences of input `given`"):
        deployed(tmp_path / "b.npz")
    sizes = [["batch", None], ["sentence", 3], ["word", 3], ["feature", WIDTH]]
    with pytest.raises(InputError, match="has length 4, but the model takes 3 along `word`"):
        deployed(tmp_path / "a.npz", axes=sizes)
