"""Moments that are written in one form of ISO 8601, as most columns of times are, read in a fraction of the time.

A column in the form of its first cell is read here, and by `rules.times` as any other; both give the same moments.
Standard library only, since `nnspec check` reads it as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

DAY, SECOND = len("2024-12-31"), len("2024-12-31 13:00:00")
ZEROS = str.maketrans("123456789", "000000000")
_MICROSECONDS = 1_000_000  # in a second
_MOST_KEPT = 200_000  # days, and times of day: all of a day's seconds are 86,400
_EPOCH = date(1970, 1, 1)
_FORMS = frozenset(
    [
        "0000-00-00",
        *(
            f"0000-00-00{between}00:00{rest}{zone}"
            for between in " T"
            for rest in ("", ":00", ":00.000", ":00.000000")
            for zone in ("", "Z")
        ),
    ]
)


class IsoColumn:
    """Reads the cells of a column, some at a time.

    Attributes:
        form: of its first cell, with a 0 for each digit: `0000-00-00 00:00`; "" before there was one.
    """

    def __init__(self) -> None:
        self.form = ""

    @property
    def is_zoned(self) -> bool:
        """Whether the moments are in UTC."""
        return self.form.endswith("Z")

    def read(self, cells: Sequence[str]) -> list[int] | None:
        """The microseconds since 1970 of each cell; None where one is no moment in this form."""
        if not cells:
            return []
        self.form = self.form or cells[0].translate(ZEROS)
        joined = "\n".join(cells)
        if self.form not in _FORMS or joined.translate(ZEROS) != "\n".join([self.form] * len(cells)):
            return None
        end = len(self.form.removesuffix("Z"))
        try:
            if end == DAY:
                return list(map(_days.__getitem__, cells))
            found = [_days[cell[:DAY]] + _clock[cell[DAY + 1 : SECOND]] for cell in cells]
        except ValueError:
            return None
        if end <= SECOND:
            return found
        scale = 10 ** (SECOND + len(".000000") - end)
        return [seconds + scale * int(cell[SECOND + 1 : end]) for seconds, cell in zip(found, cells, strict=True)]


class _Days(dict[str, int]):
    """The microseconds of days since 1970."""

    def __missing__(self, text: str) -> int:
        found = (date.fromisoformat(text) - _EPOCH).days * 86_400 * _MICROSECONDS
        return _keep(self, text, found)


class _Clock(dict[str, int]):
    """The microseconds of times of day since midnight, in whole seconds."""

    def __missing__(self, text: str) -> int:
        read = time.fromisoformat(text.removesuffix("Z"))
        return _keep(self, text, ((read.hour * 60 + read.minute) * 60 + read.second) * _MICROSECONDS)


def _keep(known: dict[str, int], text: str, found: int) -> int:
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[text] = found
    return found


_days, _clock = _Days(), _Clock()
