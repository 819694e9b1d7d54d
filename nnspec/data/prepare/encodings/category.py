"""Categories: a feature for each value, or its number; always with a place for values that are not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.prepare.encodings.place_names import place_names
from nnspec.document.types import Plain
from nnspec.runtime.label_keys import label_key

GAP = ""  # the raw text of a missing value
STRANGE = ("?", " ", "zzyzx qwertz", "Æ漢字", "a" * 80)


@dataclass(frozen=True, kw_only=True)
class CategoryEncoding:
    """The place of a word among the known ones: as a vector that is 1 there (`one_hot`), or as a number (`index`).

    The places of `one_hot`: the words, then `unused` ones, then one for unknown words, then one for gaps if they have
    one of their own. Those of `index` are 0 for unknown words, then the words from 1, the unused, and gaps.

    Attributes:
        words: in one spelling (`label_key`), distinct.
        unused: values that other rows have and no training row: they are unknown, but the features were counted for
            them, since `nnspec check` counts the values of the whole column.
        fill: the word that a gap is taken for; None where no value may be missing.
        has_gap_place: whether gaps are a category of their own.
        markers: words that stand for a missing value.
    """

    name: str
    form: str
    words: tuple[str, ...]
    unused: int = 0
    fill: str | None = None
    has_gap_place: bool = False
    markers: tuple[str, ...] = ()

    kind: ClassVar[str] = "category"
    dtype: ClassVar[str] = "string"

    @property
    def takes_gaps(self) -> bool:
        return self.has_gap_place or self.fill is not None

    @property
    def size(self) -> int:
        """How many places there are."""
        return len(self.words) + self.unused + 1 + self.has_gap_place

    @property
    def places(self) -> tuple[str, ...]:
        """What the places are called."""
        is_index = self.form != "one_hot"
        return place_names(self.name, self.words, self.unused, has_gap_place=self.has_gap_place, unknown_first=is_index)

    @property
    def features(self) -> tuple[str, ...]:
        return self.places if self.form == "one_hot" else (self.name,)

    @property
    def unknown(self) -> int:
        """The place of unknown words."""
        return len(self.words) + self.unused if self.form == "one_hot" else 0

    @cached_property
    def table(self) -> dict[str, int]:
        """The place of each known word, and of a gap where one may be missing."""
        first = 0 if self.form == "one_hot" else 1
        found = {word: place for place, word in enumerate(self.words, first)}
        if self.has_gap_place:
            found[GAP] = self.size - 1
        elif self.fill is not None:
            found[GAP] = found.get(self.fill, self.unknown)
        return found | dict.fromkeys(self.markers if GAP in found else (), found.get(GAP, 0))

    def codes(self, raw: np.ndarray) -> NDArray[np.int64]:
        """The place of each raw value, axes as theirs."""
        distinct, inverse = np.unique(np.asarray(raw).astype(str), return_inverse=True)
        places = np.array([self.table.get(str(word), self.unknown) for word in distinct], np.int64)
        return np.asarray(places[inverse].reshape(np.shape(raw)))

    def apply(self, raw: np.ndarray) -> Float:
        codes = self.codes(raw)
        if self.form == "index":
            return codes.astype(np.float32)[..., None]
        return np.asarray(codes[..., None] == np.arange(self.size), np.float32)

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        choices = [*self.words[:200], *STRANGE[:2], *([GAP] if self.takes_gaps else [])]
        return np.asarray(rng.choice(np.asarray(choices, object), size=shape))

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, object)
        if kind == "unknown":
            return np.asarray(rng.choice(np.asarray(STRANGE, object), size=values.shape))
        if kind in ("gaps", "some gaps"):
            gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
            return np.where(gaps, GAP, values)
        return values

    def to_json(self) -> dict[str, Plain]:
        body: dict[str, Plain] = {"kind": self.kind, "name": self.name, "form": self.form, "words": list(self.words)}
        more: dict[str, Plain] = {"markers": list(self.markers)} if self.markers else {}
        return {**body, "unused": self.unused, "fill": self.fill, "has_gap_place": self.has_gap_place, **more}

    @classmethod
    def from_json(cls, body: Body) -> CategoryEncoding:
        words, fill, markers = body["words"], body.get("fill"), body.get("markers")
        assert isinstance(words, list)
        return cls(
            name=str(body["name"]),
            form=str(body["form"]),
            words=tuple(str(word) for word in words),
            unused=int(str(body.get("unused", 0))),
            fill=None if fill is None else str(fill),
            has_gap_place=bool(body.get("has_gap_place")),
            markers=tuple(map(str, markers)) if isinstance(markers, list) else (),
        )


def most_frequent(words: Mapping[str, int]) -> str:
    """The word that occurs most often; of several, the first in order.

    Args:
        words: each with how often it occurs.
    """
    return label_key(min(words, key=lambda word: (-words[word], word)))
