"""Whether text sorts by time: ISO 8601 is read, other text must have the year first and one form throughout."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nnspec.runtime.rules.times import parse_times

_YEAR_FIRST = re.compile(r"\d{4}(\D|$)")
_DIGIT = re.compile(r"\d")


def find_unsortable(cells: Sequence[str]) -> str | None:
    """The first text that does not sort by time, such as `31/12/2020`, `01:00 PM` or `2020-Jan`; None where all do."""
    if not cells or parse_times(cells) is not None:
        return None
    form = _DIGIT.sub("0", cells[0])
    for cell in cells:  # names of months sort by the alphabet, `2020/01/02` after `2020-12-31`
        if not _YEAR_FIRST.match(cell) or _DIGIT.sub("0", cell) != form:
            return cell
    return None
