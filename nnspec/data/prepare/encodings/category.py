"""Categories: a feature for each value, or its number; always with a place for values that are not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnspec.data.prepare.encodings.base import Body
from nnspec.data.prepare.encodings.place_names import place_names
from nnspec.data.prepare.encodings.words import GAP, STRANGE, WordEncoding, read_shared_fields, with_gaps
from nnspec.document.types import Plain
from nnspec.runtime.rules.label_keys import label_key


@dataclass(frozen=True, kw_only=True)
class CategoryEncoding(WordEncoding):
    """The place of a word among the known ones: as a vector that is 1 there (`one_hot`), or as a number (`index`).

    The places of `one_hot`: the words, then `unused` ones, then one for unknown words, then one for gaps if they have
    one of their own. Those of `index` are 0 for unknown words, then the words from 1, the unused, and gaps.

    Attributes:
        fill: the word that a gap is taken for.
    """

    form: str
    fill: str | None = None

    kind: ClassVar[str] = "category"

    @property
    def is_number(self) -> bool:
        return self.form == "index"

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
        return super().unknown if self.form == "one_hot" else 0

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

    def places_of(self, cell: str) -> Sequence[int]:
        return (self.table.get(cell, self.unknown),)

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        choices = [*self.words[:200], *STRANGE[:2], *([GAP] if self.takes_gaps else [])]
        return np.asarray(rng.choice(np.asarray(choices, object), size=shape))

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, object)
        if kind == "unknown":
            return np.asarray(rng.choice(np.asarray(STRANGE, object), size=values.shape))
        return with_gaps(values, kind, rng)

    def own_json(self) -> dict[str, Plain]:
        return {"form": self.form}

    @classmethod
    def from_json(cls, body: Body) -> CategoryEncoding:
        fill = body.get("fill")
        return cls(form=str(body["form"]), fill=None if fill is None else str(fill), **read_shared_fields(body))


def most_frequent(words: Mapping[str, int]) -> str:
    """The word that occurs most often; of several, the first in order.

    Args:
        words: each with how often it occurs.
    """
    return label_key(min(words, key=lambda word: (-words[word], word)))
