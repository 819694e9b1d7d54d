"""Memory layout for an op: writes a Transpose or Reshape only if the layout differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from nnspec.backends.onnx.reshaping import Reshaper
from nnspec.backends.onnx.view import Factor, Group, View, common_runs, cut_factors, group_size
from nnspec.ir.axes import Axes, Size


@dataclass
class Arranger(Reshaper):
    """Gives views the dimensions that are asked for."""

    def arrange(self, view: View, dims: Sequence[Group]) -> View:
        """The same tensor with these physical dimensions, by no, one or few nodes."""
        target = tuple(dims)
        if view.dims == target:
            return view
        wanted = tuple(factor for group in target for factor in group)
        assert len(wanted) == len(view.order), (view, dims)
        assert set(wanted) == set(view.order), (view, dims)
        if view.order == wanted:
            return self.reshaped(view, target)
        first = self.before("Transpose", view)
        if first is not None and all(target) and len(first.dims) == len(target) and set(first.dims) == set(target):
            return self.arrange(first, target)  # one Transpose for two
        pieces = _transposable(view, target, wanted)
        source = view
        stripped = tuple(dim for dim in view.dims if dim)
        if tuple(pieces) != stripped:
            source = self.reshaped(view, tuple(pieces))
        filled = [dim for dim in source.dims if dim]
        place = {factor: i for i, factor in enumerate(wanted)}
        order = sorted(range(len(filled)), key=lambda i: place[filled[i][0]])
        if len(filled) != len(source.dims):  # unit dimensions travel along, to where the target has them if they can
            return self._transposed_with_units(source, target, [filled[i] for i in order])
        tensor = self.moved("Transpose", source, perm=order)
        result = replace(source, tensor=tensor, dims=tuple(filled[i] for i in order))
        return self.reshaped(result, target)

    def _transposed_with_units(self, view: View, target: tuple[Group, ...], order: list[Group]) -> View:
        units = [i for i, dim in enumerate(view.dims) if not dim]
        place = {dim: i for i, dim in enumerate(view.dims) if dim}
        if tuple(dim for dim in target if dim) == tuple(order) and len(target) == len(view.dims):
            spare = iter(units)
            perm = [place[dim] if dim else next(spare) for dim in target]
            return replace(view, tensor=self.node("Transpose", view.tensor, perm=perm), dims=target)
        perm = [place[dim] for dim in order] + units
        dims = tuple(order) + ((),) * len(units)
        return self.reshaped(replace(view, tensor=self.node("Transpose", view.tensor, perm=perm), dims=dims), target)

    def canonical(self, view: View) -> View:
        """Memory in the order of the axes, a dimension an axis."""
        return self.arrange(view, view.axes)

    def collapsed(self, view: View) -> View:
        """As `canonical`, with each axis one factor."""
        flat = self.canonical(view)
        groups = []
        for i, axis in enumerate(flat.axes):
            if len(axis) <= 1:
                groups.append(axis)
                continue
            group = (Factor("+".join(f.label for f in axis), group_size(axis)),)
            if group[0].size is None:
                self.origins[group[0]] = (flat.tensor, i)
            groups.append(group)
        return replace(flat, dims=tuple(groups), axes=tuple(groups))

    def with_axis_alone(self, view: View, axis: int) -> tuple[View, int]:
        """The view with this axis as one dimension in the axis' own order, and which dimension that is."""
        group = view.axes[axis]
        if not group:
            extended = self.arrange(view, (*view.dims, ()))
            return extended, len(extended.dims) - 1
        place = view.dim_of(axis)
        if place is not None:
            return view, place
        inside = set(group)
        rest: list[Group] = []
        position: int | None = None
        for dim in view.dims:
            others = tuple(f for f in dim if f not in inside)
            if position is None and len(others) != len(dim):
                before = tuple(f for f in dim[: next(i for i, f in enumerate(dim) if f in inside)])
                after = tuple(f for f in others if f not in before)
                if before:
                    rest.append(before)
                position = len(rest)
                rest.append(group)
                if after:
                    rest.append(after)
            elif others or not dim:
                rest.append(others)
        assert position is not None
        return self.arrange(view, rest), position

    def separable(self, view: View, axes: Sequence[int]) -> View:
        """The view with no dimension in which these axes' factors and others meet."""
        wanted = {f for axis in axes for f in view.axes[axis]}
        dims: list[Group] = []
        for dim in view.dims:
            piece: list[Factor] = []
            for factor in dim:
                if piece and (piece[-1] in wanted) != (factor in wanted):
                    dims.append(tuple(piece))
                    piece = []
                piece.append(factor)
            dims.append(tuple(piece))
        return self.arrange(view, dims)

    def aligned(self, views: Sequence[View], *, free_axis: int | None = None) -> list[View]:
        """Views of equal axes in one layout, the first one's where possible. `free_axis` may differ in size."""
        model = views[0]
        if free_axis is not None:  # the first whose free axis is more than one index: that one has a dimension for it
            filled = next((view for view in views if view.axes[free_axis]), None)
            if filled is None:
                return self._aligned_canonical(views)
            model, _ = self.with_axis_alone(filled, free_axis)
        result = []
        for view in views:
            moved = self._as(view, model, free_axis)
            if moved is None:
                return self._aligned_canonical(views)
            result.append(moved)
        return result

    def _as(self, view: View, model: View, free_axis: int | None) -> View | None:
        parts: dict[Factor, Group] = {}
        dims = model.dims
        for i, (mine, theirs) in enumerate(zip(view.axes, model.axes, strict=True)):
            if i == free_axis:
                own = tuple(self.twin(factor) for factor in mine)  # it may be another axis of the model
                parts.update({f: (g,) for f, g in zip(mine, own, strict=True)})
                dims = tuple(own if dim == theirs else dim for dim in dims)
                continue
            if [f.size for f in mine] != [f.size for f in theirs]:
                return None
            parts.update({f: (g,) for f, g in zip(mine, theirs, strict=True)})
        return self.arrange(view.substituted(parts), dims)

    def _aligned_canonical(self, views: Sequence[View]) -> list[View]:
        return [self.collapsed(view) for view in views]

    def rebracketed(self, view: View, axes: Axes) -> View:
        """A row-major reshape of the spec's axes: mostly new brackets around the same memory, without a node."""
        factors = [factor for group in view.axes[1:] for factor in group]
        dealt = cut_factors(factors, [axis.size for axis in axes])
        if dealt is not None:
            groups, cuts = dealt
            return view.substituted(cuts).with_axes((view.axes[0], *groups))
        flat = self.canonical(view)
        made = tuple(self.factor(axis.name, axis.size) for axis in axes)
        dims = (view.axes[0], *made)
        return replace(flat, tensor=self.reshape(flat, dims), dims=dims, axes=dims, mask=None)

    def factor(self, label: str, size: Size | None) -> Group:
        """A new run of indices; none at all for size 1."""
        if size == 1:
            return ()
        return (Factor(label, size if isinstance(size, int) else None, size),)


def _transposable(view: View, target: tuple[Group, ...], wanted: Group) -> list[Group]:
    """The view's memory in pieces that only change places: its own dimensions or the target's where that will do."""
    coarse = common_runs(view.order, wanted)
    piece_of = {factor: i for i, piece in enumerate(coarse) for factor in piece}
    for dims in ([dim for dim in view.dims if dim], [dim for dim in target if dim]):
        if all(len({piece_of[factor] for factor in dim}) == 1 for dim in dims):
            place = {factor: i for i, factor in enumerate(view.order)}
            return sorted(dims, key=lambda dim: place[dim[0]])
    return coarse
