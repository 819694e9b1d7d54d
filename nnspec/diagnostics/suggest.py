"""Suggests known words close to an unknown one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

MIN_LIKENESS = 0.6
MIN_LIKENESS_OF_OTHERS = 0.65  # of words that begin otherwise: below, `images` looks like `axes`
MAX_WORD = 64  # a longer text is no slip of a word


def nearest(word: str, candidates: Iterable[str], limit: int = 1) -> list[str]:
    """The candidates that `word` was probably meant to be, best first; case alone never counts as a difference.

    A candidate that is written in the same case comes before one that is not, and one that begins as the word does, as
    `return_seq` begins `return_sequences`, or has the same letters, before one that only looks alike.
    """
    if len(word) > MAX_WORD:
        return []
    from difflib import get_close_matches  # a clean spec needs none

    folded: dict[str, list[str]] = {}
    for candidate in candidates:
        folded.setdefault(candidate.lower(), []).append(candidate)
    small = word.strip().lower()
    exact = [small] if small in folded else []
    begun = sorted((known for known in folded if len(small) > 2 and known.startswith(small)), key=len)
    others = [known for known in folded if known[:1] != small[:1]]
    far = {*others} - {*get_close_matches(small, others, n=len(others) or 1, cutoff=MIN_LIKENESS_OF_OTHERS)}
    near = [known for known in folded if known not in far]
    close = get_close_matches(small, near, n=limit, cutoff=MIN_LIKENESS)
    letters = sorted(small)  # `adma`: two of them have changed places
    turned = [known for known in folded if len(known) == len(small) and sorted(known) == letters]
    whole = begun[:1] if len(begun) == 1 or (begun and begun[0] in close) else []
    found = list(dict.fromkeys([*exact, *turned[:1], *whole, *close]))
    return [min(folded[known], key=lambda one: _differences(word.strip(), one)) for known in found][:limit]


def _differences(word: str, candidate: str) -> int:
    return sum(a != b for a, b in zip(word, candidate, strict=False)) + abs(len(word) - len(candidate))


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean `x`?`, or nothing."""
    return suggestion(nearest(word, candidates))


def suggestion(close: Sequence[str]) -> str:
    """The same for what `nearest` found."""
    return f"; did you mean `{close[0]}`?" if close else ""


def is_same_word(word: str, meant: str, candidates: Iterable[str]) -> bool:
    """Whether only case, blanks, `_` and `-` tell a word from what was meant, and from no other candidate."""
    same = [candidate for candidate in candidates if _bare(candidate) == _bare(word)]
    return same == [meant]


def _bare(word: str) -> str:
    return "".join(c for c in word.lower() if c not in "_- ")
