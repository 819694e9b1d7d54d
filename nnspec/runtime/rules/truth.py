"""Words of yes and no: one rule for checks, training, the deployed graph and serving.

    1  true  t  yes  y  on        are 1, whatever their case
    0  false  f  no  n  off       are 0

A spec may name two other words instead; these are read as they are. Standard library only, since `nnspec check` reads
it as well.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

NO = ("0", "false", "f", "no", "n", "off")
YES = ("1", "true", "t", "yes", "y", "on")
Truths = tuple[str, str]  # the words of 0 and of 1

# Labels, in languages that people label in. A word as short as `no` or `ne` says no beside one that says yes alone.
_NOES = {
    *NO,
    "nein", "non", "não", "nao", "nie", "nej", "nei", "ei", "ne", "nē", "nem", "nu", "όχι", "нет", "ні",
    "hayır", "tidak", "否", "いいえ", "아니요",
}  # fmt: skip
_YESES = {
    *YES,
    "ja", "j", "jah", "oui", "o", "si", "sí", "sì", "s", "sim", "tak", "da", "да", "так", "igen", "evet",
    "kyllä", "ano", "ya", "是", "はい", "예",
}  # fmt: skip
_NEGATIVES = {"negative", "absent", "inactive", "without"}
_NOT = re.compile(r"(no|not|non|never|without|nicht|kein|keine|ohne|pas|sans|sin)[\W_]+\w")


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


def order_truths(labels: Sequence[str | int]) -> list[str | int]:
    """Two labels with the one that says no first, as `nein` and `ja`, or `not paid` and `paid`; others as they are."""
    found = list(labels)
    words = [str(label).strip().casefold() for label in found]
    if len(found) == 2 and _says_no(words[1], words[0]) and not _says_no(words[0], words[1]):
        found.reverse()
    return found


def _says_no(word: str, other: str) -> bool:
    is_word = word in _NOES and (other in _YESES or len(word) > 2)
    return is_word or word in _NEGATIVES or _NOT.match(word) is not None
