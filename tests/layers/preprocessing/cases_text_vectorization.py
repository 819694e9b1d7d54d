"""Cases of TextVectorization. The oracle is Python's own string methods."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.support.layer_cases import Case
from tests.support.strategies.form_parts import Form, always, few, sized

TEXT = {"text": 1}
WORDS = ["the", "cat", "sat", "mat", "dont", "é1"]
TEXTS = [
    "the cat sat",
    "The  CAT, sat on\tthe mat!",
    "  ",
    "",
    "don't -- sat.",
    "'é1' é1! É1 dont\nthe\r\nthe",
    "...",
    "c.a.t mat-sat",
]


def texts(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice(np.asarray(TEXTS, object), size=shape)


def plain(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice(np.asarray(["", " "], object), size=shape)


def single(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.choice(np.asarray(["the", "The", "cat", "sat", "", "mat?", "the cat", "...", "é1"], object), size=shape)


def vectorized(
    words: Sequence[str],
    how: str | None,
    length: int = 0,
    mode: str = "int",
    weights: Any = 1.0,
    split: str | None = "whitespace",
    groups: Sequence[int] = (1,),
) -> Callable[..., Any]:
    lower = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

    def standard(text: str) -> str:
        if how and "lower" in how:
            text = text.translate(lower)
        if how and "strip" in how:
            text = text.translate(str.maketrans("", "", string.punctuation))
        return text

    def tokens(texts: Sequence[str]) -> list[int]:
        cut = [standard(text) for text in texts]
        if split is not None:
            cut = list(cut[0]) if split == "character" else cut[0].split()
        cut = [" ".join(cut[i : i + n]) for n in groups for i in range(len(cut) - n + 1)]
        unknown = 1 if mode == "int" else 0
        nothing = 0 if mode == "int" else -1
        return [words.index(t) + unknown + 1 if t in words else unknown if t else nothing for t in cut]

    def oracle(_: Any, inputs: list[np.ndarray]) -> np.ndarray:
        rows = [tokens(row) for row in inputs[0]]
        if mode == "int":
            return np.asarray([(row + [0] * length)[:length] for row in rows], np.int64)
        counts = np.asarray([[row.count(i) for i in range(len(words) + 1)] for row in rows], np.float32)
        return np.minimum(counts, 1) if mode == "multi_hot" else counts * np.asarray(weights, np.float32)

    return oracle


def text(body: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str] | None, **more: Any) -> Case:
    made = {"dtype": "string", "make": texts, "opset": 20, **more}
    axes = {"text": 3} if body.get("split", "") is None else TEXT
    return Case("TextVectorization", {"vocabulary": WORDS, **body}, [axes], output, oracle, ops, **made)


CUT = ["StringSplit", *["StringSplit", "Reshape"] * 5]
LOWER = ["Reshape", "StringNormalizer", *CUT]
BIT = ["RegexFullMatch", "Cast", "Mul"]
PATTERNS = [*BIT, *BIT, "Add", *BIT, "Add", "RegexFullMatch", "Where", "Greater", "Add", "Where"]
PACK = ["Cast", "Cast", "CumSum", "Mul", "Unsqueeze", "Equal", "Unsqueeze", "Where", "ReduceSum"]
IDF = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]
GROUPS = ["the", "the cat", "cat sat", "sat", "the cat sat", "é1 é1"]
LETTERS = ["a", "é", "t", " ", "a t", "\n"]
RAW = ["Reshape", *CUT]
MOVE = [
    *["RegexFullMatch", "Cast", "CumSum", "Mul", "Max", "CumSum", "Unsqueeze", "Unsqueeze", "Equal", "Cast"],
    *["Unsqueeze", "Sub", "Mul", "ReduceSum", "ReduceSum", "GatherElements", "Cast"],
]
JOIN = ["Slice", "StringConcat", "Slice", "StringConcat"]
CASES = [
    text(
        {"output_sequence_length": 4},
        {"token": 4},
        vectorized(WORDS, "lower strip", 4),
        [*LOWER, *PATTERNS, *PACK],
    ),
    text(
        {"output_sequence_length": 9, "standardize": "lower", "as": "word"},
        {"word": 9},
        vectorized(WORDS, "lower", 9),
        [*LOWER, "LabelEncoder", *PACK],
        id="lower",
    ),
    text(
        {"output_sequence_length": 3, "standardize": None},
        {"token": 3},
        vectorized(WORDS, None, 3),
        ["Reshape", *CUT, "LabelEncoder", *PACK],
        id="as-it-is",
    ),
    text(
        {"output_sequence_length": 2, "standardize": "lower"},
        {"token": 2},
        vectorized(WORDS, "lower", 2),
        None,
        id="no-words-at-all",
        make=plain,
    ),
    text(
        {"output_mode": "multi_hot", "standardize": "strip_punctuation"},
        {"category": 7},
        vectorized(WORDS, "strip", mode="multi_hot"),
        ["Reshape", *CUT, *PATTERNS, "OneHot", "ReduceSum", "Min"],
        id="multi-hot",
    ),
    text(
        {"output_mode": "count", "standardize": "lower", "vocabulary": ["[UNK]", *WORDS]},
        {"category": 7},
        vectorized(WORDS, "lower", mode="count"),
        [*LOWER, "LabelEncoder", "OneHot", "ReduceSum"],
        id="count",
    ),
    text(
        {"output_mode": "tf_idf", "idf_weights": IDF},
        {"category": 7},
        vectorized(WORDS, "lower strip", mode="tf_idf", weights=[sum(IDF) / 6, *IDF]),
        [*LOWER, *PATTERNS, "OneHot", "ReduceSum", "Mul"],
        id="tf-idf",
    ),
    text(
        {"output_sequence_length": 5, "vocabulary": ["one"]},
        {"token": 5},
        vectorized(["one"], "lower strip", 5),
        None,
        id="one-word",
    ),
    text(
        {"output_sequence_length": 5},
        {"token": 5},
        None,
        [*LOWER, *PATTERNS, *PACK, "Gather", "Reshape", "Gemm"],
        id="embedding",
        after=[{"Embedding": {"input_dim": 8, "output_dim": 3}}, "Flatten", {"Dense": {"units": 2}}],
        moves=False,
    ),
    text(
        {"output_sequence_length": 6, "ngrams": 2, "vocabulary": GROUPS},
        {"token": 6},
        vectorized(GROUPS, "lower strip", 6, groups=(1, 2)),
        [*LOWER, *MOVE, *JOIN, "Slice", "Concat", "Concat", *PATTERNS, "Where", *PACK],
        id="pairs",
    ),
    text(
        {"output_mode": "count", "ngrams": [3, 2], "vocabulary": GROUPS, "standardize": "lower"},
        {"category": 7},
        vectorized(GROUPS, "lower", mode="count", groups=(3, 2)),
        None,
        id="threes-and-pairs",
    ),
    text(
        {"output_mode": "multi_hot", "ngrams": [2], "vocabulary": GROUPS, "standardize": None},
        {"category": 7},
        vectorized(GROUPS, None, mode="multi_hot", groups=(2,)),
        [*RAW, *MOVE, *JOIN, "Slice", "LabelEncoder", "Where", "OneHot", "ReduceSum", "Min"],
        id="pairs-alone",
    ),
    text(
        {"output_sequence_length": 3, "split": None, "standardize": "lower"},
        {"token": 3},
        vectorized(WORDS, "lower", 3, split=None),
        ["Reshape", "StringNormalizer", "Reshape", "LabelEncoder"],
        id="words-as-they-are",
        make=single,
    ),
    text(
        {"output_sequence_length": 2, "split": None, "standardize": "strip_punctuation"},
        {"token": 2},
        vectorized(WORDS, "strip", 2, split=None),
        [*PATTERNS, "Slice"],
        id="two-of-three-words",
        make=single,
    ),
    text(
        {"output_sequence_length": 7, "split": None, "standardize": None, "ngrams": 2, "vocabulary": GROUPS},
        {"token": 7},
        vectorized(GROUPS, None, 7, split=None, groups=(1, 2)),
        [*JOIN, "Concat", "LabelEncoder", "Pad"],
        id="pairs-of-words-as-they-are",
        make=single,
    ),
    text(
        {"output_mode": "tf_idf", "split": None, "standardize": None, "idf_weights": IDF},
        {"category": 7},
        vectorized(WORDS, None, mode="tf_idf", weights=[sum(IDF) / 6, *IDF], split=None),
        ["LabelEncoder", "OneHot", "ReduceSum", "Mul"],
        id="weighted-words",
        make=single,
    ),
    text(
        {"output_sequence_length": 5, "split": "character", "vocabulary": LETTERS},
        {"token": 5},
        vectorized(LETTERS, "lower strip", 5, split="character"),
        ["Reshape", "StringNormalizer", "Unsqueeze", "StringConcat", *PATTERNS, *PACK],
        id="characters",
    ),
    text(
        {
            "output_sequence_length": 20,
            "split": "character",
            "standardize": None,
            "vocabulary": [*LETTERS, "."],
            "ngrams": [2, 1],
        },
        {"token": 20},
        vectorized([*LETTERS, "."], None, 20, split="character", groups=(2, 1)),
        None,
        id="pairs-of-characters",
    ),
]
PHRASES = ["red", "green red", "a", "r", "é", "b b"]
FORMS = {
    "TextVectorization": Form(
        st.one_of(sized(text=st.just(1)), sized(word=few)),
        {
            "vocabulary": always(st.permutations(PHRASES)),
            "idf_weights": always(st.sampled_from([None, [0.5, 1.5, 4.0, 2.0, 3.0, 1.0]])),
            "max_tokens": always(st.sampled_from([None, 9, 12])),
            "ngrams": always(st.sampled_from([None, 1, 2, [2], [3, 1]])),
            "output_sequence_length": always(st.sampled_from([None, 2, 7])),
        },
        frozenset({"encoding"}),
        dtype="string",
    )
}
