"""The statistics of a column: of numbers their range and mean, of words and dates the most frequent ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from nnspec.data.arrays.gathered import is_gathered, weighted_chunks
from nnspec.data.arrays.mapped import LARGE
from nnspec.data.arrays.summary import Summary, summarize
from nnspec.data.overview.date_counts import count_dates
from nnspec.document.types import JsonObject
from nnspec.runtime.rules.dates import GAP
from nnspec.runtime.rules.delimited import split_words

Values = Mapping[str, np.ndarray]  # by split, axes `sample *axes`
_MOST = 5  # frequent words


def as_dates(seconds: np.ndarray) -> np.ndarray:
    """Raw dates as text, an empty one where one is missing."""
    words = np.char.replace(np.datetime_as_string(seconds.astype("datetime64[s]")), "T", " ")
    return np.where(seconds == GAP, "", np.char.replace(words, " 00:00:00", "")).astype(object)


def type_of(values: Values) -> str:
    dtype = next(iter(values.values())).dtype
    return "text" if dtype.kind in "OUS" else str(dtype)


def statistics_of(values: Values, separator: str = "") -> JsonObject:
    """The statistics of each split.

    Args:
        separator: of cells of several words, what stands between them: the words are counted.
    """
    if separator:
        return {"splits": {name: _summary_of_words(found, separator) for name, found in values.items()}}
    return {"splits": {name: _summary(found) for name, found in values.items()}}


def _summary_of_words(values: np.ndarray, separator: str) -> JsonObject:
    cells = _count_cells(values)
    words: Counter[str] = Counter()
    for cell, count in cells.items():
        words.update(dict.fromkeys(split_words(cell, separator), count))
    missing = cells[""]
    return {"values": cells.total() - missing, "missing": missing, "distinct": len(words), "most": _most(words)}


def _most(words: Counter[str]) -> list[list[str | int]]:
    """The most frequent words, each with its number."""
    return [list(pair) for pair in sorted(words.items(), key=lambda item: (-item[1], item[0]))[:_MOST]]


def _count_cells(values: np.ndarray) -> Counter[str]:
    """How often each text stands."""
    cells: Counter[str] = Counter()
    for chunk, weights in weighted_chunks(values):
        distinct, inverse = np.unique(chunk.astype(str), return_inverse=True)
        often = None if weights is None else np.repeat(weights, chunk.shape[1])
        counts = np.bincount(inverse.reshape(-1), weights=often)
        cells.update({str(word): int(count) for word, count in zip(distinct, counts, strict=True)})
    return cells


def _summary(values: np.ndarray) -> JsonObject:
    if is_gathered(values) or values.nbytes > LARGE:
        return _summary_in_chunks(values)
    flat = values.reshape(-1)
    if flat.dtype.kind in "OUS":
        words, counts = np.unique(flat.astype(str), return_counts=True)
        missing = int(counts[words == ""].sum())
        most = [[str(words[i]), int(counts[i])] for i in np.argsort(-counts, kind="stable")[:_MOST]]
        return {"values": int(flat.size) - missing, "missing": missing, "distinct": len(words), "most": most}
    numbers = flat.astype(np.float64)
    known = numbers[~np.isnan(numbers)]
    found: JsonObject = {"values": len(known), "missing": len(numbers) - len(known)}
    if len(known):
        found |= {"mean": to_plain_number(known.mean()), "std": to_plain_number(known.std())}
        found |= {"min": to_plain_number(known.min()), "max": to_plain_number(known.max())}
    return found


def _summary_in_chunks(values: np.ndarray) -> JsonObject:
    if values.dtype.kind in "OUS":
        words = _count_cells(values)
        size, missing = words.total(), words[""]
        return {"values": size - missing, "missing": missing, "distinct": len(words), "most": _most(words)}
    return describe_summary(summarize(values))


def summarize_dates(seconds: np.ndarray) -> JsonObject:
    """The same of dates that are gathered, of which no words are kept."""
    assert is_gathered(seconds)
    size, missing, distinct, first = count_dates(seconds, _MOST)
    words = as_dates(np.array([moment for moment, _ in first], np.int64)).tolist()
    most = [[word, count] for word, (_, count) in zip(words, first, strict=True)]
    return {"values": size - missing, "missing": missing, "distinct": distinct, "most": most}


def describe_summary(summary: Summary) -> JsonObject:
    found: JsonObject = {"values": summary.known, "missing": summary.missing}
    if summary.known:
        found |= {"mean": to_plain_number(summary.mean), "std": to_plain_number(summary.deviation)}
        found |= {"min": to_plain_number(summary.low), "max": to_plain_number(summary.high)}
    return found


def to_plain_number(number: float) -> float | None:
    return float(f"{number:.6g}") if math.isfinite(number) else None
