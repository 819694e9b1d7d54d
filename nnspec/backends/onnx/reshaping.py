"""Changes of dimensions without moving memory, with as few nodes as the known sizes allow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from nnspec.backends.onnx.sizes import SizeReader
from nnspec.backends.onnx.view import Group, View, group_size


@dataclass
class Reshaper(SizeReader):
    """Reshapes views; no value moves in memory."""

    _read: dict[str, tuple[Group, ...]] = field(default_factory=dict, kw_only=True)  # by tensor, what `moved` moved

    def reshaped(self, view: View, dims: tuple[Group, ...]) -> View:
        if view.dims == dims:
            return view
        return replace(view, tensor=self.reshape(view, dims), dims=dims)

    def reshape(self, view: View, dims: tuple[Group, ...]) -> str:
        source = self.before("Reshape", view)
        if source is not None and source.dims == dims:
            return source.tensor
        shape, unknown = _target(source or view, dims)
        if source is not None and len(unknown) > 1:
            source = None
            shape, unknown = _target(view, dims)
        if len(unknown) > 1:
            by_units = self._reshape_by_units(view, dims)
            return by_units if by_units is not None else self._reshape_at_run_time(view, dims, shape, unknown)
        read = source or view
        return self.moved("Reshape", read, self.constant(np.asarray(shape, np.int64), "shape"))

    def moved(self, op: str, view: View, *inputs: str, **attributes: object) -> str:
        """A Reshape or Transpose of a view, which `before` knows then."""
        (made,) = self.graph.add(op, [view.tensor, *inputs], stem=self.stem, attributes=attributes)
        self._read[made] = view.dims
        return made

    def before(self, op: str, view: View) -> View | None:
        """What such an op made the view's tensor of, so that a second one can read that; None where none did."""
        dims = self._read.get(view.tensor)
        if dims is None:
            return None
        node = self.graph.maker(view.tensor)
        return replace(view, tensor=node.inputs[0], dims=dims) if node is not None and node.op == op else None

    def _reshape_by_units(self, view: View, dims: tuple[Group, ...]) -> str | None:
        """Several unknown sizes where unit dimensions can be dropped, or added, so that each keeps its place."""
        tensor, current = view.tensor, view.dims
        if tuple(d for d in current if d) == tuple(d for d in dims if d):
            if len(current) == len(dims):  # unit dimensions only change places
                spare = iter([i for i, dim in enumerate(current) if not dim])
                perm = [current.index(dim) if dim else next(spare) for dim in dims]
                return self.node("Transpose", tensor, perm=perm)
            units = [i for i, dim in enumerate(current) if not dim]
            if units:
                tensor = self.node("Squeeze", tensor, self.constant(np.asarray(units, np.int64), "axes"))
            units = [i for i, dim in enumerate(dims) if not dim]
            if units:
                tensor = self.node("Unsqueeze", tensor, self.constant(np.asarray(units, np.int64), "axes"))
            return tensor
        padded: list[Group] = []
        for dim in filter(None, dims):  # unit dimensions in front of each unknown one until it stands where it stood
            place = next((i for i, old in enumerate(current) if old == dim), None) if group_size(dim) is None else None
            if place is not None and place >= len(padded):
                padded += [()] * (place - len(padded))
            padded.append(dim)
        still = [d for i, d in enumerate(padded) if group_size(d) is None and (i >= len(current) or current[i] != d)]
        if len(still) > 1 or tuple(padded) == dims:
            return None
        middle = replace(view, tensor=self.reshape(view, tuple(padded)), dims=tuple(padded))
        return self.reshape(middle, dims)

    def _reshape_at_run_time(self, view: View, dims: tuple[Group, ...], shape: list[int], unknown: list[int]) -> str:
        """Two or more sizes that only the running graph knows: all but the last are read where they are known."""
        parts: list[str] = []
        for i, size in enumerate(shape):
            if i in unknown[:-1]:
                parts.append(self.run_time_size(dims[i]))
            else:
                parts.append(self.constant(np.asarray([size], np.int64), "size"))
        return self.node("Reshape", view.tensor, self.node("Concat", *parts, axis=0))


def _target(view: View, dims: tuple[Group, ...]) -> tuple[list[int], list[int]]:
    """A Reshape's shape, 0 where a dimension keeps its place, and the places of -1, of which it may have one."""
    shape: list[int] = []
    unknown: list[int] = []
    for i, dim in enumerate(dims):
        size = group_size(dim)
        if size is not None:
            shape.append(size)
        elif i < len(view.dims) and view.dims[i] == dim:
            shape.append(0)
        else:
            unknown.append(i)
            shape.append(-1)
    return shape, unknown
