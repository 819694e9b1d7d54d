"""Operators that move axes, and those that regroup values without moving them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from nnspec.ir.axes import (
    Atom,
    Axes,
    Axis,
    Size,
    Symbolic,
    divide,
    divides,
    known_multiples,
    multiply,
    substitute,
)
from nnspec.ir.provenance import Kind
from nnspec.ir.reshape import SizeMismatch, rebracket, solve_unknown
from nnspec.onnx_axes.call import Call, Rule, is_unknown, position_of, positions_of
from nnspec.onnx_axes.faults import Confusion, Meeting, Mixing
from nnspec.onnx_axes.rules.intent import is_meant, is_reordered
from nnspec.onnx_axes.tensors import UNKNOWN, Number, Tensor, join, numbers_of, root_of


def transpose(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        axes = call.opened(len(call.integers("perm")))
        if not axes:
            return [UNKNOWN]
    order = call.integers("perm", tuple(reversed(range(len(axes)))))
    if sorted(order) != list(range(len(axes))):
        return [UNKNOWN]
    return [call.tensor([axes[i] for i in order])]


def reshape(call: Call) -> Sequence[Tensor]:
    axes, target = call[0].axes, call.ints(1, "shape")
    if target is None:
        return [UNKNOWN]
    if axes is None:
        return [call.tensor(_nameless(call, target))]
    if not call.integer("allowzero", 0):
        target = tuple(axes[i].size if size == 0 and i < len(axes) else size for i, size in enumerate(target))
    # below -1: what tf2onnx computes of a batch that it takes for -1, such as -3 for three channels of each sample
    return [regroup(call, axes, tuple(-1 if isinstance(size, int) and size < 0 else size for size in target))]


def flatten(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    axis = call.integer("axis", 1)
    cut = axis + len(axes) if axis < 0 else axis
    return [regroup(call, axes, (multiply(a.size for a in axes[:cut]), multiply(a.size for a in axes[cut:])))]


def regroup(call: Call, axes: Axes, target: Sequence[Number]) -> Tensor:
    """The axes after a reshape, and a report where it mixes some."""
    numbers = call[0].numbers
    open_sizes = sum(size is None or size == -1 for size in target)
    if any(axis.size == 0 for axis in axes) or 0 in target:
        return call.tensor(_nameless(call, target), numbers)
    if open_sizes > 1:
        return call.tensor(_with_kept_ends(axes, _nameless(call, target)), numbers)
    try:
        sizes, _ = solve_unknown(axes, [None if size == -1 else size for size in target])
    except SizeMismatch:
        return call.tensor(_nameless(call, target), numbers)
    result = rebracket(*_with_fixed_sizes(axes, sizes))
    is_open = any(is_unknown(axis.size) for axis in axes)  # some length would fit, and may be the right one
    is_mixed = result.is_scrambled and not is_open and not is_meant(axes, target, sizes, result)
    if not call.is_constant and (is_mixed or is_reordered(axes, sizes, result)):
        call.report(Mixing(axes=axes, sizes=tuple(sizes), result=result))
    found: list[Axis] = []
    for position, (provenance, size) in enumerate(zip(result.outputs, sizes, strict=True)):
        if provenance.kind is Kind.IDENTITY and provenance.axis is not None:
            found.append(provenance.axis)
            continue
        whole = call.new(size, position)
        if provenance.kind is Kind.NEW or provenance.atoms is None:
            found.append(whole)
            continue
        loose = all(atom.is_loose for atom in provenance.atoms)
        name = "·".join(provenance.names) or whole.name
        found.append(replace(whole, name=name, atoms=provenance.atoms, is_learned=loose))
    return call.tensor(found, numbers)


def _with_kept_ends(axes: Axes, found: list[Axis]) -> list[Axis]:
    """What is known where several sizes are open: in row-major order, first and last axes that keep their size stay."""

    def count(places: Iterable[int]) -> int:
        return sum(1 for _ in takewhile(lambda i: axes[i].size == found[i].size, places))

    length = min(len(axes), len(found))
    first = count(range(length))
    last = count(range(-1, first - length - 1, -1))
    return [*axes[:first], *found[first : len(found) - last], *axes[len(axes) - last :]]


def _with_fixed_sizes(axes: Axes, sizes: Sequence[Size]) -> tuple[Axes, Sequence[Size]]:
    """The same with an open size as the number that the result gives it.

    A size such as `B·T/10` beside a 10 says that T is 10, though the file leaves it open.
    """
    fractions = [s for s in sizes if isinstance(s, Symbolic) and s.coefficient.denominator != 1]
    if not fractions or not rebracket(axes, sizes).is_scrambled:
        return axes, sizes
    for name in dict.fromkeys(name for size in fractions for name, _ in size.powers):
        for number in sizes:
            if isinstance(number, int) and number > 1:
                fixed = tuple(_fix_size(axis, name, number) for axis in axes)
                wanted = [substitute(size, name, number) for size in sizes]
                if not rebracket(fixed, wanted).is_scrambled:
                    return fixed, wanted
    return axes, sizes


def _fix_size(axis: Axis, name: str, number: int) -> Axis:
    def fixed(atom: Atom) -> Atom:
        size, whole, step = (substitute(value, name, number) for value in (atom.size, atom.original_size, atom.step))
        return replace(atom, size=size, original_size=whole, step=step)

    return replace(axis, size=substitute(axis.size, name, number), atoms=tuple(fixed(atom) for atom in axis.atoms))


def _nameless(call: Call, target: Sequence[Number]) -> list[Axis]:
    def size(position: int, given: Number) -> Size:
        return call.unknown_size(f"axis {position}") if given is None or given == -1 else given

    return [call.new(size(i, given), i) for i, given in enumerate(target)]


def squeeze(call: Call) -> Sequence[Tensor]:
    axes = call[0].axes
    if axes is None:
        return [UNKNOWN]
    given = call.ints(1, "axes")
    gone = [i for i, axis in enumerate(axes) if axis.size == 1] if given is None else positions_of(given, len(axes))
    if gone is None:
        return [UNKNOWN]
    return [call.tensor([axis for i, axis in enumerate(axes) if i not in gone], call[0].numbers)]


def unsqueeze(call: Call) -> Sequence[Tensor]:
    axes, given = call[0].axes, call.ints(1, "axes")
    if axes is None or given is None:
        return [UNKNOWN]
    rank = len(axes) + len(given)
    new = positions_of(given, rank)
    if new is None:
        return [UNKNOWN]
    rest = iter(axes)
    found = [call.new(1, i) if i in new else next(rest) for i in range(rank)]
    return [call.tensor(found, call[0].numbers if len(axes) == 0 else None)]


def space_to_depth(call: Call) -> Sequence[Tensor]:
    """Both directions: blocks of rows and columns become channels, or channels blocks."""
    axes = call[0].axes
    if axes is None or len(axes) != 4:
        return [UNKNOWN]
    block = call.integer("blocksize", 1)
    batch, channel, height, width = axes
    is_down = call.node.op == "SpaceToDepth"
    return [
        call.tensor(
            [
                batch,
                call.units(_scale_size(call, channel.size, block * block, up=is_down), "channel"),
                *(call.resized(axis, _scale_size(call, axis.size, block, up=not is_down)) for axis in (height, width)),
            ]
        )
    ]


def _scale_size(call: Call, size: Size, by: int, *, up: bool) -> Size:
    if up:
        return multiply((size, by))
    if isinstance(size, int):
        return size // by
    found = divide(size, by) if divides(by, size, known_multiples([size])) else None
    return call.unknown_size("size") if found is None else found


def concat(call: Call) -> Sequence[Tensor]:
    known = [operand for operand in call.operands if operand.axes is not None]
    rank = len(known[0].axes or ()) if known else 0
    position = position_of(call.integer("axis", 0), rank)
    if position is None or any(operand.rank != rank for operand in known):
        return [UNKNOWN]
    operands = [o if o.axes is not None else replace(o, axes=call.opened(rank)) for o in call.operands]
    axes: list[Axis] = []
    for i in range(rank):
        meeting = [((operand.axes or ())[i], operand.is_constant) for operand in operands]
        chosen, different = join(meeting)
        if i != position:
            if different is not None:
                call.report(Confusion(how=Meeting.ELEMENTWISE, first=different[0], second=different[1]))
            axes.append(chosen)
            continue
        axes.append(_end_to_end(call, [axis for axis, _ in meeting], chosen, i))
    lists = [numbers_of(operand) for operand in operands]
    is_said = any(operand.numbers is not None for operand in operands)
    if rank == 1 and is_said and all(numbers is not None for numbers in lists):
        return [call.tensor(axes, tuple(number for numbers in lists for number in numbers or ()))]
    return [call.tensor(axes)]


def _end_to_end(call: Call, parts: Sequence[Axis], chosen: Axis, position: int) -> Axis:
    if len(parts) == 1:
        return parts[0]
    total: Number = 0
    for part in parts:
        total = total + part.size if isinstance(part.size, int) and isinstance(total, int) else None
    size = call.unknown_size("length") if total is None else total
    if any(part.is_learned for part in parts):
        return call.units(size, "channel")
    roots = {root_of(part) for part in parts} - {None}
    if len(roots) > 1 and len({part.name for part in parts if root_of(part) is not None}) > 1:
        return call.new(size, position)  # rows of one axis and of another: a piece of it is either
    return call.resized(chosen, size)


RULES: dict[str, Rule] = {
    "Concat": concat,
    "DepthToSpace": space_to_depth,
    "Flatten": flatten,
    "Reshape": reshape,
    "SpaceToDepth": space_to_depth,
    "Squeeze": squeeze,
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
