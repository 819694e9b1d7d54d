"""Cells of several words: a feature for each word, 1 where the cell has it, and one for words that are not known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.prepare.encodings.category import GAP, STRANGE
from nnspec.data.prepare.encodings.place_names import place_names
from nnspec.document.types import Plain


@dataclass(frozen=True, kw_only=True)
class MultiHotEncoding:
    """The places of a cell's words, as a vector that is 1 at each of them.

    The places: the words, then `unused` ones, then one for unknown words, then one for gaps if they have their own. A
    word counts with a blank before or after it; `nnspec.runtime` takes all blanks away.

    Attributes:
        words: in one spelling (`label_key`), distinct.
        unused: words that other rows have and no training row, see `CategoryEncoding`.
        fill: the words that a gap is taken for; None where no value may be missing.
        has_gap_place: whether gaps are a category of their own.
        markers: cells that stand for a missing value.
    """

    name: str
    separator: str
    words: tuple[str, ...]
    unused: int = 0
    fill: tuple[str, ...] | None = None
    has_gap_place: bool = False
    markers: tuple[str, ...] = ()

    kind: ClassVar[str] = "multi_hot"
    dtype: ClassVar[str] = "string"

    @property
    def takes_gaps(self) -> bool:
        return self.has_gap_place or self.fill is not None

    @property
    def unknown(self) -> int:
        """The place of unknown words."""
        return len(self.words) + self.unused

    @property
    def size(self) -> int:
        """How many places there are."""
        return self.unknown + 1 + self.has_gap_place

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

    def apply(self, raw: np.ndarray) -> Float:
        distinct, inverse = np.unique(np.asarray(raw).astype(str), return_inverse=True)
        rows = np.zeros((len(distinct), self.size + 1), np.float32)
        for row, cell in zip(rows, distinct.tolist(), strict=True):
            if cell in self.gaps:
                row[:-1] = self.gap_row
            elif cell:
                row[[self.table.get(word, self.unknown) for word in cell.split(self.separator)]] = 1
        return np.asarray(rows[inverse.ravel(), :-1].reshape(*np.shape(raw), self.size))

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
        if kind in ("gaps", "some gaps") and self.takes_gaps:
            gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
            return np.where(gaps, GAP, values)
        return values

    def to_json(self) -> dict[str, Plain]:
        body: dict[str, Plain] = {"kind": self.kind, "name": self.name, "separator": self.separator}
        fill: list[Plain] | None = None if self.fill is None else list(self.fill)
        return {
            **body,
            "words": list(self.words),
            "unused": self.unused,
            "fill": fill,
            "has_gap_place": self.has_gap_place,
            **({"markers": list(self.markers)} if self.markers else {}),
        }

    @classmethod
    def from_json(cls, body: Body) -> MultiHotEncoding:
        words, fill, markers = body["words"], body.get("fill"), body.get("markers")
        assert isinstance(words, list)
        return cls(
            name=str(body["name"]),
            separator=str(body["separator"]),
            words=tuple(str(word) for word in words),
            unused=int(str(body.get("unused", 0))),
            fill=tuple(str(word) for word in fill) if isinstance(fill, list) else None,
            has_gap_place=bool(body.get("has_gap_place")),
            markers=tuple(map(str, markers)) if isinstance(markers, list) else (),
        )
