"""Words that one cell holds several of, such as `Comedy|Drama`: one rule for checks, training and a deployed model.

Blanks around words are no part of them, and what stands between two separators without a word is none. Standard
library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

from nnspec.runtime.rules.label_keys import label_key


def split_words(text: str, separator: str) -> list[str]:
    """The words of a cell, each in one spelling and once, in the order of the cell."""
    return list(dict.fromkeys(label_key(word) for word in map(str.strip, text.split(separator)) if word))


def spell_words(text: str, separator: str) -> str:
    """A cell in one spelling; a cell without words is its separator, since the empty text is a missing value."""
    return separator.join(split_words(text, separator)) or separator
