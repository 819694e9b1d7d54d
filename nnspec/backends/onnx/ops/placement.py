"""The memory layout of a layer's axes: views in which given axes are separate dimensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Lowering
    from nnspec.backends.onnx.view import Factor, Group, Mask, View


def separate_dims(lowering: Lowering, view: View, axes: Sequence[int]) -> tuple[View, list[int]]:
    """The view with each of these axes as a dimension of its own, and which dimensions those are."""
    ready = view
    for axis in axes:
        if view.axes[axis]:
            ready, _ = lowering.with_axis_alone(ready, axis)
    missing = sum(not view.axes[axis] for axis in axes) - sum(not dim for dim in ready.dims)
    if missing > 0:
        ready = lowering.arrange(ready, (*ready.dims, *((),) * missing))
    spare = iter([i for i, dim in enumerate(ready.dims) if not dim])  # unit dimensions are all alike
    places = []
    for axis in axes:
        place = ready.dim_of(axis)
        places.append(next(spare) if place is None else place)
    return ready, places


def replace_dims(view: View, tensor: str, places: Sequence[int], axes: Sequence[int], groups: Sequence[Group]) -> View:
    """A new tensor in which the dimensions at `places`, which are these axes, hold `groups`."""
    dims, named = list(view.dims), list(view.axes)
    for place, axis, group in zip(places, axes, groups, strict=True):
        dims[place] = named[axis] = group
    return replace(view, tensor=tensor, dims=tuple(dims), axes=tuple(named), mask=None)


def move_together_last(lowering: Lowering, view: View, axes: Sequence[int]) -> tuple[View, Group]:
    """The view with these axes as its last dimension, in the order in which memory has them, and that dimension."""
    wanted = {factor for axis in axes for factor in view.axes[axis]}
    group = tuple(factor for factor in view.order if factor in wanted)
    if not group:
        ready = view if view.dims and not view.dims[-1] else lowering.arrange(view, (*view.dims, ()))
        return ready, ()
    if view.dims[-1] == group:
        return view, group
    return lowering.arrange(view, (*without_factors(view.dims, wanted), group)), group


def without_factors(dims: Sequence[Group], gone: Collection[Factor]) -> list[Group]:
    """The dimensions without these factors; one that held nothing else goes with them."""
    kept = [tuple(factor for factor in dim if factor not in gone) for dim in dims]
    return [dim for dim, old in zip(kept, dims, strict=True) if dim or not old]


def dims_over_axes(lowering: Lowering, view: View, axes: Sequence[int]) -> tuple[View, list[int]]:
    """The view with no dimension shared by these axes and others, and the dimensions that hold these axes."""
    ready = lowering.separable(view, axes)
    wanted = {factor for axis in axes for factor in view.axes[axis]}
    return ready, [i for i, dim in enumerate(ready.dims) if dim and dim[0] in wanted]


def broadcast_mask(lowering: Lowering, view: View, axis: int, mask: Mask) -> str:
    """The mask over one of the view's axes, shaped to broadcast against the view's dimensions.

    Neither batch nor the axis may share a dimension with another axis, nor may those before it for each of whose
    positions the mask is another.
    """
    flat = lowering.canonical(mask.view)
    own = (*view.axes[: len(flat.axes) - 1], view.axes[axis])
    wanted = {factor for group in own for factor in group}
    dims = [tuple(factor for factor in dim if factor in wanted) for dim in view.dims]
    return lowering.arrange(replace(flat, dims=own, axes=own), dims).tensor


def broadcast_views(lowering: Lowering, views: Sequence[View]) -> list[View]:
    """Views whose axes are equally long or of size 1, with dimensions that broadcast against each other.

    The first of the result stands for what they make together: its axes and dimensions are the longest ones.
    """
    views = _split_shared_factors(lowering, views)
    groups = _longest(views)
    if not all(_is_cut_alike(view, groups) for view in views):
        views = [lowering.collapsed(view) for view in views]
        groups = _longest(views)
    alike = [_relabel(view, groups) for view in views]
    short = {i for i, group in enumerate(groups) if group and not all(view.axes[i] for view in alike)}
    axis_of = {factor: i for i, group in enumerate(groups) for factor in group}
    whole = next((view for view in alike if all(view.axes[i] for i in short)), None)
    dims = groups if whole is None else _cut_between(whole.dims, short, axis_of)
    ready = [lowering.arrange(view, [tuple(f for f in dim if view.axes[axis_of[f]]) for dim in dims]) for view in alike]
    return [replace(ready[0], dims=dims, axes=groups), *ready[1:]]


def _split_shared_factors(lowering: Lowering, views: Sequence[View]) -> list[View]:
    """Views in which no factor stands in two places: a value may be joined with itself, its axes under other names."""
    places: dict[Factor, int] = {}
    result = []
    for view in views:
        elsewhere = [
            factor for i, group in enumerate(view.axes) for factor in group if places.setdefault(factor, i) != i
        ]
        result.append(view.substituted({factor: (lowering.twin(factor),) for factor in elsewhere}))
    return result


def one_dim_each(lowering: Lowering, views: Sequence[View]) -> list[View]:
    """The same with a dimension for each axis, in the axes' order, and of size 1 where a view's axis is that."""
    groups = _longest(views)
    ready = [lowering.arrange(view, view.axes) for view in views]
    return [replace(ready[0], dims=groups, axes=groups), *ready[1:]]


def _longest(views: Sequence[View]) -> tuple[Group, ...]:
    """For each axis the factors of the first view in which it is longer than 1."""
    return tuple(
        next((group for group in groups if group), ()) for groups in zip(*(v.axes for v in views), strict=True)
    )


def _is_cut_alike(view: View, groups: Sequence[Group]) -> bool:
    pairs = zip(view.axes, groups, strict=True)
    return all(not mine or [f.size for f in mine] == [f.size for f in theirs] for mine, theirs in pairs)


def _relabel(view: View, groups: Sequence[Group]) -> View:
    pairs = [pair for mine, theirs in zip(view.axes, groups, strict=True) for pair in zip(mine, theirs, strict=False)]
    return view.substituted({mine: (theirs,) for mine, theirs in pairs})


def _cut_between(dims: Sequence[Group], axes: set[int], axis_of: Mapping[Factor, int]) -> tuple[Group, ...]:
    """The dimensions, cut so that none of these axes shares one with another."""
    result: list[Group] = []
    for dim in dims:
        piece: list[Factor] = []
        for factor in dim:
            if piece and axis_of[piece[-1]] != axis_of[factor] and {axis_of[piece[-1]], axis_of[factor]} & axes:
                result.append(tuple(piece))
                piece = []
            piece.append(factor)
        result.append(tuple(piece))
    return tuple(result)
