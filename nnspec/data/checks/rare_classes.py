"""What splits get of classes with few rows, where rows are drawn so that each has its share. Standard library only.

In the drawn order, the n rows of a class are at (k + 0.5) / n. So which splits get one follows from how many rows each
class has, but for classes that meet at one place: which of them comes first is drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property

from nnspec.data.section.split_plan import Part

_MOST = 1000  # rows of a class whose places are looked at


class DrawnSplits:
    """Stretches of the drawn order, one a split.

    Args:
        counts: the rows of each class.
        ranges: what each split takes.
    """

    noun = "split"

    def __init__(self, counts: Mapping[str, int], ranges: Mapping[str, range]) -> None:
        self.ranges, self.number = ranges, len(ranges)
        self.counts = counts
        self.alike = Counter(counts.values())  # how many classes have so many rows

    @cached_property
    def largest_rare(self) -> int:
        """Classes with more rows have several in every split."""
        least = min(map(len, self.ranges.values()), default=0)
        total = sum(count * classes for count, classes in self.alike.items())
        return min(_MOST, 3 * total // max(least, 1) + len(self.alike) + 3)

    def places(self, count: int) -> list[range]:
        """Where in the drawn order each row of a class of `count` rows may come to stand."""
        found = []
        for k in range(count):
            before = ties = 0
            for other, classes in self.alike.items():  # (2 i + 1) / other against (2 k + 1) / count
                ahead = (2 * k + 1) * other - count
                before += classes * min(max(-(-ahead // (2 * count)), 0), other)
                ties += classes * (ahead >= 0 and ahead % (2 * count) == 0 and ahead // (2 * count) < other)
            found.append(range(before, before + ties))
        return found

    def without(self, count: int) -> list[str]:
        """The splits that get no row of a class of so many, whatever is drawn."""
        if count > self.largest_rare:
            return []
        places = self.places(count)
        return [name for name, own in self.ranges.items() if not any(_overlap(own, place) for place in places)]

    def list_untrained(self) -> list[str]:
        """Classes of which at least one has no training row, whatever is drawn."""
        train = self.ranges["train"]
        for count, classes in sorted(self.alike.items()):
            if count > self.largest_rare:
                break
            met = [place for place in self.places(count) if _overlap(train, place)]
            beyond = len(met[0]) - _overlap(train, met[0]) if len(met) == 1 else 0  # of the rows at that place
            if not met or beyond > len(met[0]) - classes:
                return [name for name, rows in self.counts.items() if rows == count]
        return []


class DrawnFolds:
    """Folds of equal size, each tested on once."""

    noun = "fold"

    def __init__(self, counts: Mapping[str, int], folds: int) -> None:
        self.counts, self.number = counts, folds

    def without(self, count: int) -> list[str]:
        """Nothing that can be named: which folds they are is drawn."""
        return []

    def list_untrained(self) -> list[str]:
        """Classes whose only row is tested on by a model that has not learned it."""
        return [name for name, rows in self.counts.items() if rows == 1]


class DrawnShares:
    """Fractions of the training rows, of each class by itself."""

    noun = "split"

    def __init__(self, counts: Mapping[str, int], parts: Iterable[Part]) -> None:
        self.counts, self.parts = counts, {part.name: part.fraction or 0.0 for part in parts}
        self.number = len(self.parts) + 1

    def without(self, count: int) -> list[str]:
        """The splits whose share of so many rows is rounded to none."""
        return [name for name, share in self.parts.items() if not round(share * count)]

    def list_untrained(self) -> list[str]:
        """Classes that the shares use up."""
        share = max(self.parts.values())
        return [name for name, rows in self.counts.items() if round(share * rows) >= rows]


Drawn = DrawnSplits | DrawnFolds | DrawnShares


def _overlap(one: range, two: range) -> int:
    return max(min(one.stop, two.stop) - max(one.start, two.start), 0)
