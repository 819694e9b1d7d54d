"""Texts that a random draw does not have: empty ones, unknown words, capitals, and words put together in many ways."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nnspec.ir.graph import Graph
from nnspec.verify.hostile_inputs import refuses_unknown
from nnspec.verify.samples import examples_of
from nnspec.verify.variant import Inputs, Variant, repeat_rows

UNKNOWN_TEXTS = ("", " ", "?!", "zzyzx qwertz", "ÆØÅ ﬀ 漢字", "aa,b.  C")
LONG = 40  # times over, of a text that is long
MOST_WORDS = 6  # of a text that is put together
TIMES = 4  # rows of each way to put texts together
MOST_PIECES = 200  # of each kind that texts are put together from


@dataclass(frozen=True)
class Pieces:
    """What texts are put together from.

    Attributes:
        words: known ones that are nothing but letters and digits.
        groups: the words of what is known and is several.
        letters: all that occur.
    """

    words: Sequence[str]
    groups: Sequence[Sequence[str]]
    letters: Sequence[str]

    @classmethod
    def of(cls, known: Sequence[str]) -> Pieces:
        letters = list(dict.fromkeys(letter for text in known for letter in text)) or ["a"]
        words = [text for text in known if text.isalnum()] or letters
        groups = [text.split() for text in known if 1 < len(text.split()) <= MOST_WORDS] or [words]
        return cls(words[:MOST_PIECES], groups[:MOST_PIECES], letters[:MOST_PIECES])


Compose = Callable[[Pieces, int, np.random.Generator], Sequence[str]]  # a text for each of so many positions


def unknown_texts(graph: Graph, name: str, array: np.ndarray) -> np.ndarray:
    """Rows of one unknown, empty or long text each, all its positions alike, behind the first row, which stays.

    Args:
        array: axes `row *axes of the input`, of ten rows or more.
    """
    array = array.astype(object)
    if refuses_unknown(graph, name):
        return array
    for place, text in enumerate(UNKNOWN_TEXTS, start=1):
        array[place] = text
    words = [str(example) for example in examples_of(graph, name)]
    for position in np.ndindex(array.shape[1:]):  # of words that are known
        known = [*words, str(array[(0, *position)])]
        texts = (f"{known[-1]} " * LONG, " ".join(known[:LONG][::-1]), " ".join(known[:LONG]).upper())
        for place, text in enumerate(texts, start=len(UNKNOWN_TEXTS) + 1):
            array[(place, *position)] = text
    return array


def composed_texts(
    graph: Graph, drawn: Inputs, rng: np.random.Generator, columns: Collection[str] = ()
) -> Variant | None:
    """Rows of texts made of known words, their parts and their letters, each position another; None without texts."""
    texts = [
        name
        for name, value in graph.inputs.items()
        if value.dtype == "string" and name in drawn and name not in columns and not refuses_unknown(graph, name)
    ]
    if not texts:
        return None
    rows = tuple(way for way in WAYS for _ in range(TIMES))
    inputs = {name: repeat_rows(array, len(rows)) for name, array in drawn.items()}
    for name in texts:
        known = [str(example) for example in examples_of(graph, name)] or [str(text) for text in drawn[name].flat]
        pieces, made = Pieces.of(known), inputs[name].astype(object)
        for place, way in enumerate(rows):
            row = made[place : place + 1]
            row[...] = np.asarray(WAYS[way](pieces, row.size, rng), object).reshape(row.shape)
        inputs[name] = made
    return Variant("composed texts", inputs, rows)


def _some(pieces: Sequence[str], rng: np.random.Generator, most: int = MOST_WORDS) -> list[str]:
    """At least one of them, in any order, some more than once."""
    return [pieces[place] for place in rng.integers(len(pieces), size=int(rng.integers(1, most + 1)))]


def _one(pieces: Sequence[str], rng: np.random.Generator) -> str:
    return pieces[int(rng.integers(len(pieces)))]


def _spread(pieces: Pieces, count: int, rng: np.random.Generator) -> Sequence[str]:
    """The words of groups one after the other, each at a position of its own."""
    found: list[str] = [_one(pieces.words, rng)] * int(rng.integers(2))
    while len(found) < count:
        found += pieces.groups[int(rng.integers(len(pieces.groups)))]
    return found[:count]


def _run_together(pieces: Pieces, rng: np.random.Generator) -> str:
    """The words of groups without what is between them."""
    groups = [pieces.groups[place] for place in rng.integers(len(pieces.groups), size=2)]
    return "".join(_some(pieces.letters, rng, 3)).join("".join(group) for group in groups)


def _with_marks(pieces: Pieces, rng: np.random.Generator) -> str:
    marked = [word + _one(["", "", ",", "!", "qx"], rng) for word in _some(pieces.words, rng)]
    return _one([" ", "  ", "\t"], rng).join(marked)


def _at_each(make: Callable[[Pieces, np.random.Generator], str]) -> Compose:
    return lambda pieces, count, rng: [make(pieces, rng) for _ in range(count)]


WAYS: Mapping[str, Compose] = {
    "known words": _at_each(lambda pieces, rng: _one(pieces.words, rng)),
    "capitals": _at_each(lambda pieces, rng: _one(pieces.words, rng).upper()),
    "known words, some left out": _at_each(lambda pieces, rng: _one([*_some(pieces.words, rng, 1), ""], rng)),
    "sentences": _at_each(lambda pieces, rng: " ".join(_some(pieces.words, rng))),
    "letters": _at_each(lambda pieces, rng: "".join(_some(pieces.letters, rng, 3 * MOST_WORDS))),
    "known groups of words, each at another position": _spread,
    "known groups of words without spaces": _at_each(_run_together),
    "marks and unknown words": _at_each(_with_marks),
}
