"""Words of yes and no as 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from nnspec.data.prepare.encodings.base import Body, Float
from nnspec.data.prepare.encodings.number import NumberEncoding
from nnspec.document.types import Plain

GAP, UNKNOWN = -1.0, 0.5  # the numbers of a gap, which `number` fills, and of a word that is neither
_STRANGE = ("?", " ", "maybe", "Æ漢字")


@dataclass(frozen=True, kw_only=True)
class TruthEncoding:
    """A word's number: 0, 1, or 0.5 for a word that is neither, which `nnspec.runtime` refuses.

    Attributes:
        no, yes: the words of 0 and of 1, the usual one first.
        given: the words of 0 and 1 that the spec names; None for those of `rules.truth`.
        number: what becomes of it; it takes -1 for a gap where one may be missing.
        markers: words that stand for a missing value.
    """

    name: str
    no: tuple[str, ...]
    yes: tuple[str, ...]
    number: NumberEncoding
    given: tuple[str, str] | None = None
    markers: tuple[str, ...] = ()

    kind: ClassVar[str] = "boolean"
    dtype: ClassVar[str] = "string"

    @property
    def takes_gaps(self) -> bool:
        return self.number.takes_gaps

    @property
    def features(self) -> tuple[str, ...]:
        return self.number.features

    @cached_property
    def table(self) -> dict[str, float]:
        """The number of each known word, and of a gap where one may be missing."""
        found = dict.fromkeys(self.no, 0.0) | dict.fromkeys(self.yes, 1.0)
        gaps = ("", *self.markers) if self.takes_gaps else ()
        return found | dict.fromkeys(gaps, GAP)

    def apply(self, raw: np.ndarray) -> Float:
        distinct, inverse = np.unique(np.asarray(raw).astype(str), return_inverse=True)
        numbers = np.array([self.table.get(word, UNKNOWN) for word in distinct.tolist()], np.float32)
        return self.number.apply(numbers[inverse.ravel()].reshape(np.shape(raw)))

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        choices = [*self.no[:3], *self.yes[:3], *([""] if self.takes_gaps else [])]
        return np.asarray(rng.choice(np.asarray(choices, object), size=shape))

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        values = np.asarray(raw, object)
        if kind == "unknown":
            return np.asarray(rng.choice(np.asarray(_STRANGE, object), size=values.shape))
        if kind in ("gaps", "some gaps") and self.takes_gaps:
            gaps = np.ones(values.shape, bool) if kind == "gaps" else rng.random(values.shape) < 0.5
            return np.where(gaps, "", values)
        return values

    def to_json(self) -> dict[str, Plain]:
        body: dict[str, Plain] = {"kind": self.kind, "name": self.name, "no": list(self.no), "yes": list(self.yes)}
        more: dict[str, Plain] = {"given": list(self.given)} if self.given is not None else {}
        more |= {"markers": list(self.markers)} if self.markers else {}
        return {**body, "number": self.number.to_json(), **more}

    @classmethod
    def from_json(cls, body: Body) -> TruthEncoding:
        no, yes, number, given, markers = (body.get(key) for key in ("no", "yes", "number", "given", "markers"))
        assert isinstance(no, list)
        assert isinstance(yes, list)
        assert isinstance(number, dict)
        return cls(
            name=str(body["name"]),
            no=tuple(map(str, no)),
            yes=tuple(map(str, yes)),
            number=NumberEncoding.from_json(number),
            given=(str(given[0]), str(given[1])) if isinstance(given, list) else None,
            markers=tuple(map(str, markers)) if isinstance(markers, list) else (),
        )
