"""An input whose columns are encoded each in its own way: raw columns to the one array that the network reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nnspec.data.prepare.encodings.base import Body, Encoding
from nnspec.data.prepare.encodings.category import CategoryEncoding
from nnspec.data.prepare.encodings.date import DateEncoding
from nnspec.data.prepare.encodings.multi_hot import MultiHotEncoding
from nnspec.data.prepare.encodings.number import NumberEncoding
from nnspec.data.prepare.encodings.truth import TruthEncoding
from nnspec.document.types import Plain

STEP, FEATURE, UNIT = "step", "feature", "unit"
Kind = type[NumberEncoding | CategoryEncoding | MultiHotEncoding | DateEncoding | TruthEncoding]
KINDS: dict[str, Kind] = {
    kind.kind: kind for kind in (NumberEncoding, CategoryEncoding, MultiHotEncoding, DateEncoding, TruthEncoding)
}


@dataclass(frozen=True, eq=False)
class EncodedInput:
    """From raw columns, which are inputs of the deployed model, to an input of the network.

    Attributes:
        ports: the deployed model's inputs, in the order of the columns, each with its encoding.
        axes: what runs along each of the network input's axes, batch left out: `step`, `feature`, or `unit` for those
            of size 1.
        dtype: of the network's input.
    """

    ports: Mapping[str, Encoding]
    axes: tuple[str, ...]
    dtype: str = "float32"

    @property
    def has_steps(self) -> bool:
        """Whether raw columns have axes `batch step` rather than `batch`."""
        return STEP in self.axes

    @property
    def features(self) -> tuple[str, ...]:
        """What messages call the features, in the order of the feature axis."""
        return tuple(name for encoding in self.ports.values() for name in encoding.features)

    def apply(self, raw: Mapping[str, np.ndarray]) -> np.ndarray:
        """The network's input, axes `batch *input`, from raw columns by port."""
        encoded = np.concatenate([encoding.apply(raw[port]) for port, encoding in self.ports.items()], axis=-1)
        return self.arranged(encoded)

    def arranged(self, encoded: np.ndarray) -> np.ndarray:
        """Features, axes `batch feature` or `batch step feature`, with the axes of the network's input."""
        order = [1 + self.has_steps if axis == FEATURE else 1 for axis in self.axes if axis != UNIT]
        if FEATURE not in self.axes:
            encoded = encoded[..., 0]
        moved = encoded.transpose(0, *order)
        sizes = iter(moved.shape[1:])
        shape = [1 if axis == UNIT else next(sizes) for axis in self.axes]
        return np.ascontiguousarray(moved.reshape(len(moved), *shape)).astype(self.dtype)

    def to_json(self) -> dict[str, Plain]:
        ports: list[Plain] = [{"port": port, **encoding.to_json()} for port, encoding in self.ports.items()]
        return {"ports": ports, "axes": list(self.axes), "dtype": self.dtype}

    @classmethod
    def from_json(cls, body: Body) -> EncodedInput:
        ports, axes = body["ports"], body["axes"]
        assert isinstance(ports, list)
        assert isinstance(axes, list)
        found: dict[str, Encoding] = {}
        for port in ports:
            assert isinstance(port, Mapping)
            found[str(port["port"])] = KINDS[str(port["kind"])].from_json(port)
        return cls(found, tuple(str(axis) for axis in axes), str(body["dtype"]))
