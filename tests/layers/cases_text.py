"""Cases of TextVectorization. The oracle is Python's own string methods."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.layers.harness import Case

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


def vectorized(
    words: Sequence[str], how: str | None, length: int = 0, mode: str = "int", weights: Any = 1.0
) -> Callable[..., Any]:
    lower = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)

    def tokens(text: str) -> list[int]:
        if how and "lower" in how:
            text = text.translate(lower)
        if how and "strip" in how:
            text = text.translate(str.maketrans("", "", string.punctuation))
        unknown = 1 if mode == "int" else 0
        return [words.index(t) + unknown + 1 if t in words else unknown for t in text.split()]

    def oracle(_: Any, inputs: list[np.ndarray]) -> np.ndarray:
        rows = [tokens(text) for text in inputs[0][:, 0]]
        if mode == "int":
            return np.asarray([(row + [0] * length)[:length] for row in rows], np.int64)
        counts = np.asarray([[row.count(i) for i in range(len(words) + 1)] for row in rows], np.float32)
        return np.minimum(counts, 1) if mode == "multi_hot" else counts * np.asarray(weights, np.float32)

    return oracle


def text(body: dict[str, Any], output: dict[str, Any], oracle: Any, ops: list[str] | None, **more: Any) -> Case:
    made = {"dtype": "string", "make": texts, "opset": 20, **more}
    return Case("TextVectorization", {"vocabulary": WORDS, **body}, [TEXT], output, oracle, ops, **made)


CUT = ["StringSplit", *["StringSplit", "Reshape"] * 5]
LOWER = ["Reshape", "StringNormalizer", *CUT]
BIT = ["RegexFullMatch", "Cast", "Mul"]
PATTERNS = [*BIT, *BIT, "Add", *BIT, "Add", "RegexFullMatch", "Where", "Greater", "Add", "Where"]
PACK = ["Cast", "Cast", "CumSum", "Mul", "Unsqueeze", "Equal", "Unsqueeze", "Where", "ReduceSum"]
IDF = [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]
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
]
