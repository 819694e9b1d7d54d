"""What encodings of words share: known words, spare places, a place for unknown ones, and one for gaps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, TypedDict

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.document.types import Plain

GAP = ""  # the raw text of a missing value
STRANGE = ("?", " ", "zzyzx qwertz", "Æ漢字", "a" * 80)


@dataclass(frozen=True, eq=False)
class Places:
    """The places of each of several cells: as much memory as the cells have words, however many places there are.

    Attributes:
        flat: the places of all cells, one cell's after another's.
        starts: where those of each cell begin, and where the last ones end: axes `cell + 1`.
        size: how many places there are; None where a cell's one place is its feature, as a number.
    """

    flat: NDArray[np.int64]
    starts: NDArray[np.int64]
    size: int | None

    def encode(self, cells: NDArray[np.int64]) -> Float:
        """Numbers of cells, any axes, to features along a further last axis."""
        own = cells.reshape(-1)
        if self.size is None:
            return self.flat[own].astype(np.float32).reshape(*cells.shape, 1)
        found = np.zeros((len(own), self.size), np.float32)
        first, counts = self.starts[own], self.starts[own + 1] - self.starts[own]
        rows = np.repeat(np.arange(len(own)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        found[rows, self.flat[np.repeat(first, counts) + within]] = 1
        return found.reshape(*cells.shape, self.size)


@dataclass(frozen=True, kw_only=True)
class WordEncoding(ABC):
    """The places of a cell's words among the known ones.

    Attributes:
        words: in one spelling (`label_key`), distinct.
        unused: words that other rows have and no training row: they are unknown, but the features were counted for
            them, since `nnspec check` counts the words of the whole column.
        fill: what a gap is taken for; None where no value may be missing.
        has_gap_place: whether gaps are a category of their own.
        markers: cells that stand for a missing value.
    """

    name: str
    words: tuple[str, ...]
    unused: int = 0
    fill: str | tuple[str, ...] | None = None
    has_gap_place: bool = False
    markers: tuple[str, ...] = ()

    kind: ClassVar[str]
    dtype: ClassVar[str] = "string"

    @property
    def takes_gaps(self) -> bool:
        return self.has_gap_place or self.fill is not None

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.words) + self.unused + 1 + self.has_gap_place

    @property
    def unknown(self) -> int:
        """The place of unknown words."""
        return len(self.words) + self.unused

    @property
    def is_number(self) -> bool:
        """Whether a cell's place is its feature, as a number."""
        return False

    @abstractmethod
    def places_of(self, cell: str) -> Sequence[int]:
        """The places of a cell's words."""

    def places_of_all(self, cells: Sequence[str]) -> Places:
        """The places of several cells."""
        each = [self.places_of(cell) for cell in cells]
        starts = np.concatenate([[0], np.cumsum([len(places) for places in each], dtype=np.int64)])
        flat = np.fromiter(chain.from_iterable(each), np.int64, int(starts[-1]))
        return Places(flat, starts, None if self.is_number else self.size)

    def apply(self, raw: np.ndarray) -> Float:
        distinct, inverse = np.unique(np.asarray(raw).astype(str), return_inverse=True)
        return self.places_of_all(distinct.tolist()).encode(inverse.reshape(np.shape(raw)))

    def to_json(self) -> dict[str, Plain]:
        fill: Plain = list(self.fill) if isinstance(self.fill, tuple) else self.fill
        return {
            "kind": self.kind,
            "name": self.name,
            **self.own_json(),
            "words": list(self.words),
            "unused": self.unused,
            "fill": fill,
            "has_gap_place": self.has_gap_place,
            **({"markers": list(self.markers)} if self.markers else {}),
        }

    @abstractmethod
    def own_json(self) -> dict[str, Plain]:
        """What the JSON of this kind of encoding has that others have not."""


class SharedFields(TypedDict):
    """The attributes that every encoding of words has, but for `fill`."""

    name: str
    words: tuple[str, ...]
    unused: int
    has_gap_place: bool
    markers: tuple[str, ...]


def read_shared_fields(body: Body) -> SharedFields:
    """The attributes that every encoding of words has, from its JSON."""
    words, markers = body["words"], body.get("markers")
    assert isinstance(words, list)
    return {
        "name": str(body["name"]),
        "words": tuple(str(word) for word in words),
        "unused": int(str(body.get("unused", 0))),
        "has_gap_place": bool(body.get("has_gap_place")),
        "markers": tuple(map(str, markers)) if isinstance(markers, list) else (),
    }


def with_gaps(values: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Raw values all or half of which are missing, where `kind` of `HOSTILE` says so."""
    if kind not in ("gaps", "some gaps"):
        return values
    gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
    return np.where(gaps, GAP, values)
