"""Notes on columns of numbers in which one that is far off seems to mark missing values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from nnspec.data.arrays.gathered import weighted_chunks
from nnspec.data.section.plan import SlotPlan
from nnspec.diagnostics.values import as_yaml
from nnspec.runtime.rules.likely_markers import LikelyMarker, is_marker_beside, is_written_as_marker
from nnspec.runtime.rules.markers import OPTION


def describe_markers(slot: SlotPlan, column: str, values: Mapping[str, np.ndarray], ends: tuple[float, ...]) -> str:
    """What is said of a column; empty where it has no such number.

    Args:
        values: by split.
        ends: the least and the largest of them.
    """
    for end in ends:
        if is_written_as_marker(end) and (found := _marker_at(end, values)) is not None:
            return advise(slot.source.source.options, column, found, "values")
    return ""


def advise(options: Mapping[str, object], column: str, marker: LikelyMarker, noun: str) -> str:
    """What to do about such a number.

    Args:
        options: of the source.
        noun: what its count is of.
    """
    shown = f"{marker.value:.7g}"
    told = f"{shown} in {marker.count} {noun} of `{column}` is far from the others ({marker.low:g} to {marker.high:g})"
    if OPTION in options:
        return f"{told}: if it marks missing ones, write `{OPTION}: {{{as_yaml(column)}: {shown}}}` beside the path"
    return f"{told}: if it marks missing ones, make it NULL in the data or a query"


def advise_words(options: Mapping[str, object], column: str, words: Mapping[str, int], noun: str, kind: str) -> str:
    """What to do about words that may mark missing values.

    Args:
        options: of the source.
        words: each with its count.
        noun: what their counts are of.
        kind: what each of them is as it stands: a category or a class.
    """
    listed = " and ".join(f"`{word}` in {count} {noun}" for word, count in words.items())
    told = f"{listed} of `{column}` may mark missing values or be a separate {kind}"
    if OPTION not in options:
        return f"{told}, as now: if missing ones are meant, make them NULL in the data or a query"
    written = as_yaml(next(iter(words)) if len(words) == 1 else list(words))
    rule = "`drop`" if kind == "class" else "`most_frequent`"
    return (
        f"{told}, as now: if missing ones are meant, write `{OPTION}: {{{as_yaml(column)}: {written}}}` beside the "
        f"path and a rule for them under `missing`, such as {rule}"
    )


def words_of(values: Mapping[str, np.ndarray], words: Iterable[str]) -> dict[str, int]:
    """How often each of some words stands among the values of all splits; none that does not."""
    found: Counter[str] = Counter()
    for given in values.values():
        for part, weights in weighted_chunks(given):
            for word in words:
                is_word = part == word
                found[word] += int(is_word.sum() if weights is None else weights @ is_word.sum(axis=1))
    return {word: found[word] for word in words if found[word]}


def _marker_at(end: float, values: Mapping[str, np.ndarray]) -> LikelyMarker | None:
    count, others, low, high = 0, 0, np.inf, -np.inf
    for part, weights in _parts(values):
        is_end = np.isclose(part, end, rtol=1e-6, atol=0)
        rest = part[~is_end & ~np.isnan(part)]
        count += int(is_end.sum() if weights is None else weights @ is_end.sum(axis=1))
        others += len(rest)
        low, high = min(low, rest.min(initial=np.inf)), max(high, rest.max(initial=-np.inf))
    found = LikelyMarker(end, count, float(low), float(high))
    return found if others and is_marker_beside(end, count, found.low, found.high, others) else None


def _parts(values: Mapping[str, np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    for given in values.values():
        for part, weights in weighted_chunks(given):
            yield part.astype(np.float64), weights
