"""Words of yes and no: one rule for checks, training, the deployed graph and serving.

    1  true  t  yes  y  on        are 1, whatever their case
    0  false  f  no  n  off       are 0

A spec may name two other words instead; these are read as they are. Standard library only, since `nnspec check` reads
it as well.
"""

from __future__ import annotations

from collections.abc import Collection

NO = ("0", "false", "f", "no", "n", "off")
YES = ("1", "true", "t", "yes", "y", "on")
Truths = tuple[str, str]  # the words of 0 and of 1


def truth_of(cell: str, given: Truths | None = None) -> int | None:
    """0 or 1; None for a word that is neither."""
    word = cell.strip()
    if given is not None:
        return given.index(word) if word in given else None
    lower = word.lower()
    return 0 if lower in NO else 1 if lower in YES else None


def spellings(given: Truths | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words of 0 and of 1 as a graph compares them, the usual one first."""
    if given is not None:
        return (given[0],), (given[1],)
    no, yes = (tuple(dict.fromkeys(form for w in words for form in (w, w.upper(), w.title()))) for words in (NO, YES))
    return no, yes


def are_numbers(words: Collection[str]) -> bool:
    """Whether words are those that a column of numbers may have: 0 and 1, or true and false."""
    return set(words) <= {"0", "1", "true", "false"}
