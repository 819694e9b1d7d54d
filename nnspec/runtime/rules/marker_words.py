"""Words that stand for missing values where people fill tables in: `?`, `-`, `n/a`, `unknown`.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = frozenset(
    (
        *("none", "nil", "missing", "unknown", "unk", "undefined", "blank", "empty"),
        *("n.a.", "n.a", "na", "n/a", "#n/a", "n/d", "nd", "k.a.", "k. a.", "k.a", "keine angabe", "unbekannt"),
        *("tbd", "x", "\\n", "not available", "no data", "#value!", "#ref!", "#div/0!", "#name?"),
    )
)
_NAMES = frozenset(("x", "nd"))  # which may as well be those of a category
_SIGNS = frozenset("?-–—._*#/")
_FEWEST_OTHERS = 2


def looks_like_marker(text: str) -> bool:
    """Whether a text among numbers or dates stands for a missing one."""
    return text.lower() in _WORDS or not any(sign.isalnum() for sign in text)


def find_marker_words(counts: Mapping[str, int]) -> dict[str, int]:
    """Those among the words of a column that may stand for missing values, with how often they do.

    None where a column has further signs: beside `+`, a `-` is a value. None beside fewer than two other words.
    """
    words = [word for word in counts if word.strip()]
    others = [word for word in words if not _may_mark(word)]
    has_signs = any(not any(sign.isalnum() for sign in word) for word in others)
    if len(others) < _FEWEST_OTHERS or has_signs:
        return {}
    return {word: counts[word] for word in words if _may_mark(word)}


def _may_mark(word: str) -> bool:
    text = word.strip().lower()
    return set(text) <= _SIGNS or (text in _WORDS and text not in _NAMES)
