"""Cells of several words: a feature for each word, 1 where the cell has it, and one for words that are not known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.prepare.encodings.place_names import place_names
from nnspec.data.prepare.encodings.words import GAP, STRANGE, WordEncoding, read_shared_fields, with_gaps
from nnspec.document.types import Plain


@dataclass(frozen=True, kw_only=True)
class MultiHotEncoding(WordEncoding):
    """The places of a cell's words, as a vector that is 1 at each of them.

    The places: the words, then `unused` ones, then one for unknown words, then one for gaps if they have their own. A
    word counts with a blank before or after it; `nnspec.runtime` takes all blanks away.

    Attributes:
        fill: the words that a gap is taken for.
    """

    separator: str
    fill: tuple[str, ...] | None = None

    kind: ClassVar[str] = "multi_hot"

    @property
    def features(self) -> tuple[str, ...]:
        return place_names(self.name, self.words, self.unused, has_gap_place=self.has_gap_place)

    @cached_property
    def table(self) -> dict[str, int]:
        """The place of what stands between two separators; `size` for nothing, which has none."""
        found = {"": self.size, " ": self.size}
        for place, word in enumerate(self.words):
            found |= dict.fromkeys((word, f" {word}", f"{word} ", f" {word} "), place)
        return found

    @property
    def gaps(self) -> tuple[str, ...]:
        """The cells that are missing values; none where no value may be missing."""
        return (GAP, *self.markers) if self.takes_gaps else ()

    @cached_property
    def gap_row(self) -> Float:
        """What a gap becomes, axes `feature`; zeros where none may be missing."""
        row = np.zeros(self.size, np.float32)
        if self.has_gap_place:
            row[-1] = 1
        for word in self.fill or ():
            row[self.table.get(word, self.unknown)] = 1
        return row

    def places_of(self, cell: str) -> Sequence[int]:
        if cell in self.gaps:
            return np.flatnonzero(self.gap_row).tolist()
        found = {self.table.get(word, self.unknown) for word in cell.split(self.separator)} if cell else set()
        return sorted(found - {self.size})

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        choices = np.asarray([*self.words[:200], *STRANGE[:2]], object)
        cells = [self.separator.join(rng.choice(choices, size=rng.integers(1, 4))) for _ in range(int(np.prod(shape)))]
        made = np.asarray(cells, object).reshape(shape)
        return np.where(rng.random(shape) < 0.2, GAP, made) if self.takes_gaps else made

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, object)
        if kind == "unknown":
            words = np.asarray([*STRANGE, self.separator], object)
            return np.asarray(
                rng.choice(words, size=values.shape) + self.separator + rng.choice(words, size=values.shape)
            )
        return with_gaps(values, kind, rng) if self.takes_gaps else values

    def own_json(self) -> dict[str, Plain]:
        return {"separator": self.separator}

    @classmethod
    def from_json(cls, body: Body) -> MultiHotEncoding:
        fill = body.get("fill")
        return cls(
            separator=str(body["separator"]),
            fill=tuple(str(word) for word in fill) if isinstance(fill, list) else None,
            **read_shared_fields(body),
        )
