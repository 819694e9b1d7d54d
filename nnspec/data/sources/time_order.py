"""Whether text sorts by time: ISO 8601 is read, other text must have the year first and one form throughout."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nnspec.runtime.time_rules import parse_times

_YEAR_FIRST = re.compile(r"\d{4}(\D|$)")
_LETTERS = re.compile(r"[^\W\d_]+")


def find_unsortable(cells: Sequence[str]) -> str | None:
    """The first text that does not sort by time, such as `31/12/2020`, `01:00 PM` or `2020-Jan`; None where all do."""
    if not cells or parse_times(cells) is not None:
        return None
    width, letters = len(cells[0]), _LETTERS.findall(cells[0])
    for cell in cells:
        if not _YEAR_FIRST.match(cell) or len(cell) != width:
            return cell
        if _LETTERS.findall(cell) != letters:  # names of months sort by the alphabet
            return cell
    return None
