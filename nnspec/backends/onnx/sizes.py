"""Sizes known only at run time: the tensor and dimension from which they can be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

import numpy as np

from nnspec.backends.onnx.view import Factor, Group, View
from nnspec.backends.onnx.writing import NodeWriter
from nnspec.ir.axes import divide, divides


@dataclass
class SizeReader(NodeWriter):
    """Knows, for each factor of unknown size, a tensor and a dimension of it that is as long.

    Attributes:
        origins: that tensor and dimension.
    """

    origins: dict[Factor, tuple[str, int]] = field(default_factory=dict, kw_only=True)

    def register(self, view: View) -> View:
        """Remembers where sizes that only the running graph knows can be read."""
        for i, dim in enumerate(view.dims):
            if len(dim) == 1 and dim[0].size is None:
                self.origins.setdefault(dim[0], (view.tensor, i))
        return view

    def twin(self, factor: Factor) -> Factor:
        """A factor of the same indices that counts as another one."""
        made = Factor(factor.label, factor.size, factor.extent)
        if factor in self.origins:
            self.origins[made] = self.origins[factor]
        return made

    def run_time_size(self, group: Group) -> str:
        """The size of a dimension that only the running graph knows, as a tensor of one number."""
        result: str | None = None
        known = 1
        for factor in group:
            if factor.size is not None:
                known *= factor.size
                continue
            tensor, dim, over = self._origin(factor)
            size = self.once(f"size {dim}", tensor, partial(self.node, "Shape", tensor, start=dim, end=dim + 1))
            if over != 1:
                size = self.node("Div", size, self.constant(np.asarray([over], np.int64), "parts"))
            result = size if result is None else self.node("Mul", result, size)
        assert result is not None
        if known != 1:
            result = self.node("Mul", result, self.constant(np.asarray([known], np.int64), "size"))
        return result

    def _origin(self, factor: Factor) -> tuple[str, int, int]:
        """Where a size can be read: a tensor, its dimension, and how many times too long that is."""
        if factor in self.origins:
            return (*self.origins[factor], 1)
        for known, (tensor, dim) in self.origins.items():  # a part of an axis that was cut
            if known.extent is None or factor.extent is None:
                continue
            over = divide(known.extent, factor.extent) if divides(factor.extent, known.extent) else None
            if isinstance(over, int):
                return tensor, dim, over
        raise KeyError(factor)
