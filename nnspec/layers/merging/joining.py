"""Checks that joined inputs have the same axes; equal sizes are not enough."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from nnspec.diagnostics import Applicability, Edit, Fix, Reason
from nnspec.document import Scalar
from nnspec.document import Sequence as SequenceNode
from nnspec.ir import axes as ax
from nnspec.ir.axes import Axes, Axis, Size
from nnspec.layers.kit.base import Call, insert_items
from nnspec.layers.kit.edits import add_key
from nnspec.layers.merging.broadcasting import assume_written, is_symbol, may_be_equal

Given = tuple[Axes, ...] | None


def join_axes(call: Call, free: int | None = None, repeated: Sequence[str] = (), given: Given = None) -> Axes:
    """The axes of the first input, which all others have too; `free` may differ in size (it is left to the caller).

    Data axes match by name and size, learned axes by size; along `repeated` one position does for any number.

    Args:
        given: the axes of each input, where they are not simply those that it has.

    Raises:
        Fault: NN311, or NN322 where Keras would repeat an input in silence.
    """
    read = given or tuple(value.axes for value in call.inputs)
    axes = list(read[0])
    said = set(repeated)
    for i, others in enumerate(read[1:], 1):
        if _is_silent(axes, others, said) and free is None and given is None and not repeated:
            assumed = assume_written(call, i)
            if assumed is not None:
                axes, others = list(assumed[0]), assumed[1]
                said |= {axis.name for axis in (*axes, *others)}
        if len(others) != len(axes):
            _refuse(call, i, f"{len(axes)} axes and {len(others)}", "nnspec never broadcasts silently")
        for place, (mine, theirs) in enumerate(zip(axes, others, strict=True)):
            if place == free:
                continue
            if mine.size != theirs.size and 1 in (mine.size, theirs.size) and {mine.name, theirs.name} & said:
                axes[place] = mine if theirs.size == 1 else theirs
                continue
            if _names_differ(call, axes, others, place) and not _assume_renamed(call, i, place, others):
                _refuse(call, i, f"`{mine.name}` where the other has `{theirs.name}`")
            is_stretched = mine.size != theirs.size and 1 in (mine.size, theirs.size)  # also where T might be 1
            size = None if is_stretched else common_size(call, mine.size, theirs.size)
            if size is None:
                note = "nnspec never broadcasts silently" if 1 in (mine.size, theirs.size) else ""
                _refuse(call, i, f"`{mine.name}` of {mine.size} and `{theirs.name}` of {theirs.size}", note)
            axes[place] = _join_axis(call, mine, theirs, size)
    return tuple(axes)


def _is_silent(first: Sequence[Axis], others: Axes, said: set[str]) -> bool:
    """Whether Keras might repeat one of the two along an axis that nobody names."""
    if len(first) != len(others):
        return True
    return any(
        mine.size != theirs.size and 1 in (mine.size, theirs.size) and not {mine.name, theirs.name} & said
        for mine, theirs in zip(first, others, strict=True)
    )


def _names_differ(call: Call, first: Sequence[Axis], others: Axes, place: int) -> bool:
    """Whether two axes cannot be the same thing: both data with other names, or one that stands elsewhere."""
    mine, theirs = first[place], others[place]
    if mine.name == theirs.name or (mine.atoms and mine.atoms == theirs.atoms):
        return False
    if mine.size == theirs.size == 1:
        return False  # one position can be mistaken for no other
    if not mine.is_learned and not theirs.is_learned:
        return True
    return any(_stands_elsewhere(call, axis, there, place) for axis, there in ((mine, others), (theirs, first)))


def _stands_elsewhere(call: Call, axis: Axis, there: Sequence[Axis], place: int) -> bool:
    """Whether another value has an axis at another place: the same positions whatever it is called, or data by name."""
    if axis.atoms and any(other.atoms == axis.atoms for i, other in enumerate(there) if i != place):
        return True
    found = None if axis.is_learned else ax.index_of(there, axis.name)
    return found not in (None, place) and not _are_of_two_inputs(call, axis, there[found or 0])


def _are_of_two_inputs(call: Call, one: Axis, other: Axis) -> bool:
    """Whether two axes are those of two inputs that call unlike sequences alike, such as the words of two texts."""
    if one.size == other.size or len(one.atoms) != 1 or len(other.atoms) != 1:
        return False
    owners = {axis.atoms[0].key.rpartition(".")[0] for axis in (one, other)}
    return len(owners) > 1 and not any(owner in call.makers for owner in owners)


def common_size(call: Call, mine: Size, theirs: Size) -> Size | None:
    """The size of two axes that must be equal, None where they are not; a symbol gives a constraint.

    What was halved and doubled again has the size that it had at even ones, as in a network that takes images of any
    size: that one must be even is a constraint too.
    """
    if mine == theirs:
        return mine
    if isinstance(mine, int) and isinstance(theirs, int):
        return None
    if not all(isinstance(size, int) or is_symbol(size) for size in (mine, theirs)):
        from nnspec.ir.symbols import equal_at_multiples  # few networks have axes of open size

        agreeing = equal_at_multiples(mine, theirs)
        if agreeing is None:
            return None
        symbol, step = agreeing
        if step > 1:
            call.constraints.append(f"{symbol} % {step} == 0")
        return min(mine, theirs, key=lambda size: len(str(size)))
    known, other = (mine, theirs) if isinstance(mine, int) else (theirs, mine)
    call.constraints.append(f"{other} == {known}")
    return mine if isinstance(mine, int) else theirs


def _join_axis(call: Call, mine: Axis, theirs: Axis, size: Size) -> Axis:
    if mine.atoms == theirs.atoms or not (mine.is_learned or theirs.is_learned):
        mine = theirs if mine.origin is None and theirs.origin is not None and mine.name == theirs.name else mine
        return mine if mine.size == size else ax.resized(mine, size, call.name)
    if mine.name == theirs.name and mine.is_learned != theirs.is_learned:
        return theirs if mine.is_learned else mine  # a residual adds to the same positions of the data
    if not mine.is_learned and ax.names_places(mine.name) and not ax.has_own_name(theirs):
        return mine  # likewise: units without a name are added to the steps that have one
    laid_out = mine.is_laid_out or theirs.is_laid_out
    return ax.fresh(mine.name, size, call.name, is_learned=True, origin=mine.origin, is_laid_out=laid_out)


def _refuse(call: Call, which: int, difference: str, note: str = "") -> NoReturn:
    first, second = call.input, call.inputs[which]
    call.fail(
        "NN311",
        f"`{call.kind}` joins inputs that differ: {difference}; `{first.node}` has {ax.describe(first.axes)}, "
        f"`{second.node}` has {ax.describe(second.axes)}",
        "from",
        notes=[note] if note else [],
        fixes=_fixes(call, which),
        about=[first.node, *first.axes, second.node, *second.axes],
        reason=Reason.AXES_CALLED_DIFFERENTLY,
    )


def _fixes(call: Call, which: int) -> list[Fix]:
    """A permute of the other input where it has the same axes in another order, or a rename."""
    mine, theirs = ax.names(call.axes), ax.names(call.inputs[which].axes)
    if mine != theirs and sorted(mine) == sorted(theirs):
        order = ", ".join(mine)
        return [
            _insert_item(
                call, which, f"reorder it first: permute: [{order}]", f"permute: {{order: [{order}]", "permuted"
            )
        ]
    pairs = [(a, b) for a, b in zip(mine, theirs, strict=False) if a != b]
    moved = _put_in_place(call.axes, call.inputs[which].axes)
    if moved:
        said = ", ".join(ax.names(moved))
        reordering = _insert_item(
            call, which, f"reorder it first: permute: [{said}]", f"permute: {{order: [{said}]", "permuted"
        )
        return [reordering, _renaming(call, which, pairs)]
    if len(mine) == len(theirs) and ax.sizes(call.axes) == ax.sizes(call.inputs[which].axes):
        return [_renaming(call, which, pairs)]
    return _resizing(call, which)


def _put_in_place(mine: Axes, theirs: Axes) -> Axes:
    """The axes of the other input, those of the first at the places that they have there; empty where none moves."""
    if len(mine) != len(theirs):
        return ()
    known = [next((b for b in theirs if b.atoms and b.atoms == a.atoms), None) for a in mine]
    rest = iter([axis for axis in theirs if axis not in known])
    order = tuple(next(rest) if axis is None else axis for axis in known)
    return order if order != theirs and ax.sizes(order) == ax.sizes(mine) else ()


def _resizing(call: Call, which: int) -> list[Fix]:
    """How values of as many axes but other sizes are brought to one: a projection of features, margins of places."""
    mine, theirs = call.axes, call.inputs[which].axes
    if len(mine) != len(theirs):
        return []
    unlike = [(a, b) for a, b in zip(mine, theirs, strict=True) if a.size != b.size]
    if len(unlike) == 1 and mine[-1].size != theirs[-1].size and all(map(ax.is_unordered, unlike[0])):
        layer = "`Dense`" if len(mine) == 1 else "`Dense`, or a convolution of kernel size 1"
        return [Fix(f"project `{call.inputs[which].node}` to {mine[-1].size} of `{mine[-1].name}` with a {layer}")]
    if any(ax.is_unordered(axis) for pair in unlike for axis in pair):
        return []
    names = ", ".join(dict.fromkeys(f"`{a.name}`" for a, _ in unlike))
    return [
        Fix(f"keep the length of {names} with `padding: same` of the layers between, or cut the longer one"),
        Fix(f"after strides or pooling, give {names} a length that they divide: pad the input up to it"),
    ]


def _renaming(call: Call, which: int, pairs: Sequence[tuple[str, str]]) -> Fix:
    """A `rename` of an input's axes, given as what they are to be called and what they are called."""
    said = ", ".join(f"{theirs}: {mine}" for mine, theirs in pairs)
    return _insert_item(
        call, which, f"if they are the same axis, rename one: {{{said}}}", f"rename: {{{said}", "renamed"
    )


# Names that say no more than that there are steps: any sequence of that length may be meant.
_STEPS = frozenset(
    ("time", "step", "timestep", "time_step", "t", "position", "sequence", "seq", "seq_len", "lookback", "look_back")
)


def _assume_renamed(call: Call, which: int, place: int, others: Axes) -> bool:
    """Whether two axes of one length, called differently, can be nothing but the same (NN311, whose fix is certain).

    So it is where both are sequences and one has a name that says no more, and where one was made by repeating a vector
    and given no name, and the other is no axis of features: all its positions are the same.
    """
    mine, theirs = call.axes[place], others[place]
    if mine.size != theirs.size or len(call.axes) != len(others) or mine.is_learned or theirs.is_learned:
        return False
    if any(_names_differ(call, call.axes, others, i) for i in range(len(others)) if i != place):
        return False
    if ax.index_of(others, mine.name) is not None or ax.index_of(call.axes, theirs.name) is not None:
        return False
    if ax.is_unordered(mine) or ax.is_unordered(theirs):
        return False  # a vector is repeated along steps or places; turned round, it would fit features alike
    are_steps = ax.is_sequence(mine) and ax.is_sequence(theirs) and bool({mine.name, theirs.name} & _STEPS)
    named = _repeat_named(call, theirs, mine.name) or _repeat_named(call, mine, theirs.name)
    fix = named or (_renaming(call, which, [(mine.name, theirs.name)]) if are_steps else None)
    if fix is None or not fix.edits:
        return False
    first, second = call.input, call.inputs[which]
    call.assume(
        "NN311",
        f"`{call.kind}` joins inputs that differ: `{mine.name}` where the other has `{theirs.name}`; "
        f"`{first.node}` has {ax.describe(first.axes)}, `{second.node}` has {ax.describe(second.axes)}",
        "from",
        fixes=[replace(fix, applicability=Applicability.MACHINE)],
        about=[mine.name, theirs.name, first.node, *first.axes, second.node, *second.axes],
        reason=Reason.AXES_CALLED_DIFFERENTLY,
    )
    return True


def _repeat_named(call: Call, axis: Axis, name: str) -> Fix | None:
    """`as` for a layer that made an axis of repeats without a name, where nothing speaks of it by the one it has."""
    owner = axis.atoms[0].key.rpartition(".")[0] if len(axis.atoms) == 1 else ""
    maker = call.makers.get(owner)
    if maker is None or not maker.layer.makes_repeats or maker.kind_span.trail != call.kind_span.trail:
        return None
    is_spoken_of = re.search(rf"\b{re.escape(axis.name)}\b", maker.kind_span.source.text) is not None
    edits = () if is_spoken_of else add_key(maker.body, "as", name)
    return Fix(f"name the axis along which `{owner}` repeats: `as: {name}`", edits) if edits else None


def _insert_item(call: Call, which: int, message: str, item: str, suffix: str) -> Fix:
    """A fix that puts an item between an input and this join, where `from` lists names."""
    sources = call.node("from")
    source = sources.items[which] if isinstance(sources, SequenceNode) and which < len(sources.items) else None
    if not isinstance(source, Scalar) or not isinstance(source.value, str):
        return Fix(message)
    name = f"{source.value.replace('.', '_')}_{suffix}"
    inserted = insert_items(
        call.item_span, message, [f"{item}, from: {source.value}, name: {name}}}"], Applicability.MAYBE
    )
    if not inserted.edits:
        return inserted
    return Fix(message, (*inserted.edits, Edit(source.span, name)), Applicability.MAYBE)


def unit_axes(first: Axes, others: Axes) -> list[str]:
    """The axes along which one of the two would have to be repeated, where that makes them fit."""
    if len(first) != len(others):
        return []
    pairs = [(a, b) for a, b in zip(first, others, strict=True) if a.size != b.size]
    short = [a.name for a, b in pairs if 1 in (a.size, b.size)]
    fits = all(1 in (a.size, b.size) or may_be_equal(a.size, b.size) for a, b in pairs)
    return short if fits else []
