"""What every fitted encoding of a column can do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from nnspec.document.types import Plain

Float = NDArray[np.float32]
Body = Mapping[str, Plain]


class Encoding(Protocol):
    """A column's encoding, fitted on the training rows.

    Attributes:
        kind: what its JSON calls it.
        dtype: of the raw values: float32, where NaN is a gap, or string, where the empty text is one.
        features: what messages call the features, in their order.
    """

    kind: ClassVar[str]
    dtype: ClassVar[str]

    @property
    def features(self) -> tuple[str, ...]: ...

    @property
    def takes_gaps(self) -> bool:
        """Whether raw values may be missing."""

    def apply(self, raw: np.ndarray) -> Float:
        """Raw values, any axes, to features along a further last axis."""

    def draw(self, shape: tuple[int, ...], scale: float, rng: np.random.Generator) -> np.ndarray:
        """Random raw values of the kind that training had, gaps and unknown words among them."""

    def hostile(self, raw: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
        """A row's raw values made difficult, as `HOSTILE` lists."""

    def to_json(self) -> dict[str, Plain]: ...


HOSTILE = ("gaps", "unknown", "huge", "tiny", "zeros", "some gaps")
"""What verification does to the columns of a row."""
