"""Receptive fields: which positions of an input axis an output position depends on.

Forwards over the graph: a window of `k` positions on a value whose neighbours are `j` input positions apart adds
`(k - 1)·j` to the field and, moving `s` positions a step, makes the stride `s·j` (Araujo, Norris, Sim: Computing
Receptive Fields of Convolutional Neural Networks, Distill 2019). Where a layer makes more positions than it reads, `s`
is a fraction. What cannot be followed exactly counts as read whole, so that a field is never too small.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor, lcm

from nnspec.ir.axes import Axes, Axis, Size, multiply
from nnspec.ir.graph import Field, Steps, Value, Window

WHOLE = Window(None, ahead=None)
MAX_PHASES = 4096  # a network that makes so many positions of one is followed no further


def initial_fields(axes: Axes) -> dict[str, Field]:
    return {axis.name: Field() for axis in axes}


def origins(axis: Axis) -> dict[str, Size]:
    """The input axes that this axis runs through, each with the number of its positions here."""
    result: dict[str, Size] = {}
    for atom in axis.atoms:
        if atom.origin is not None:
            known = result.get(atom.origin)
            result[atom.origin] = atom.size if known is None else multiply((known, atom.size))
    if not result and axis.origin is not None:
        result[axis.origin] = axis.size
    return result


def followed(axes: Sequence[Axis]) -> dict[str, Size]:
    """The input axes that a tensor's axes run through, each with the number of its positions there."""
    return _join_origins([origins(axis) for axis in axes])


def _join_origins(found: Sequence[Mapping[str, Size]]) -> dict[str, Size]:
    """The origins of several axes as those of one."""
    result: dict[str, Size] = {}
    for own in found:
        for origin, count in own.items():
            known = result.get(origin)
            result[origin] = count if known is None else multiply((known, count))
    return result


def propagate(inputs: Sequence[Value], outputs: Sequence[Axes], windows: Mapping[int, Window]) -> dict[str, Field]:
    """The fields of a node's outputs.

    Args:
        inputs: what it reads, each with the fields that it has.
        outputs: the axes of what it makes; the first is the one that fields are about.
        windows: how it sees axes of its first input, by position.
    """
    merged = dict(inputs[0].fields) if len(inputs) == 1 else merge_fields(inputs)
    for place, window in windows.items():
        axis = inputs[0].axes[place]
        for origin in origins(axis):
            if origin in merged:
                merged[origin] = slide(merged[origin], window, axis, origin)
    for axis, origin in _lost(inputs, outputs[0] if outputs else (), windows):
        if origin in merged:
            merged[origin] = slide(merged[origin], WHOLE, axis, origin)
    return merged


def _lost(inputs: Sequence[Value], output: Axes, windows: Mapping[int, Window]) -> Iterator[tuple[Axis, str]]:
    """Axes whose positions the output does not follow one by one any more, with the input axis that they ran through.

    They were summed over, mixed with others, or put end to end.
    """
    after = followed(output)
    for index, value in enumerate(inputs):
        own = [origins(axis) for axis in value.axes]
        before = _join_origins(own)
        seen = windows if index == 0 else {}
        for place, axis in enumerate(value.axes):
            for origin in own[place]:
                slides = any(origin in own[at] for at in seen)
                is_kept = origin in after if slides else _is_same(after.get(origin), before[origin])
                is_whole = place in seen and seen[place].span is None
                if not is_kept and not is_whole and axis.size != 1:
                    yield axis, origin


def _is_same(after: Size | None, before: Size) -> bool:
    """Whether an axis has the size that it had, perhaps written in another way."""
    if after == before or after is None or isinstance(after, int) or isinstance(before, int):
        return after == before
    from nnspec.ir.symbols import equal_at_multiples  # few networks have axes of open size

    return equal_at_multiples(after, before) is not None


def slide(field: Field, window: Window, axis: Axis, origin: str) -> Field:
    """The field along an input axis after a window slides along `axis`, which runs through it."""
    steps = [(atom.size, atom.step) for atom in axis.atoms if atom.origin == origin]
    known = [(size, step) for size, step in steps if isinstance(size, int) and isinstance(step, int)]
    if window.span is None:
        stride = _whole(field.stride * window.stride)
        ahead = None if window.ahead is None or field.stride < 0 or field.phases else field.ahead
        if field.size is None or len(known) < len(steps):
            return Field(None, stride, ahead)
        reach = sum((size - 1) * step for size, step in known)
        reach = ceil(reach * _length(field.stride))
        is_whole = all(atom.is_whole for atom in axis.atoms if atom.origin == origin)
        if is_whole and field.size > reach + max(field.ahead or 0, 0):  # one position spans the axis already
            return Field(field.size, stride, ahead, field.slack)
        return Field(field.size + reach, stride, ahead, field.slack)
    step = max((step for _, step in known), default=1)
    apart = field.stride * step
    stride = _whole(apart * window.stride)
    slack = field.slack + window.slack * _length(apart)
    period = _period(field, window)
    if field.size is None:
        return Field(None, stride)
    if field.ahead is None or window.ahead is None or period > MAX_PHASES or (step > 1 and field.phases):
        return Field(field.size + ceil((window.span - 1) * _length(apart)), stride, None, slack)
    phases = _phases(field)
    around = len(phases) * apart  # from one period of the pattern to the next
    made = []
    for i in range(period):
        first = ceil(window.stride * i + window.ahead - window.span + 1)
        last = floor(window.stride * i + window.ahead)
        made.append(
            (
                phases[first % len(phases)][0] + int(first // len(phases) * around),
                phases[last % len(phases)][1] + int(last // len(phases) * around),
            )
        )
    return _field(made, stride, slack)


def _phases(field: Field) -> tuple[tuple[int, int], ...]:
    assert field.size is not None
    assert field.ahead is not None
    return field.phases or ((int(field.ahead) - field.size + 1, int(field.ahead)),)


def _period(field: Field, window: Window) -> int:
    """After how many positions of the output the pattern of what they see repeats."""
    rounds = Fraction(window.stride) / (len(field.phases) or 1)
    return rounds.denominator


def _field(phases: Sequence[tuple[int, int]], stride: Steps, slack: Steps) -> Field:
    size = max(last - first + 1 for first, last in phases)
    ahead = _whole(max(Fraction(last - stride * i) for i, (_, last) in enumerate(phases)))
    return Field(size, stride, ahead, _whole(slack), tuple(phases) if len(phases) > 1 else ())


def _length(number: Steps) -> Fraction:
    return abs(Fraction(number))


def _whole(number: Steps) -> Steps:
    return int(number) if isinstance(number, Fraction) and number.denominator == 1 else number


def merge_fields(inputs: Sequence[Value]) -> dict[str, Field]:
    """At a join: along each axis, what any of the inputs sees."""
    result: dict[str, Field] = {}
    following: dict[str, bool] = {}
    for value in inputs:
        there = followed(value.axes)
        for name, field in value.fields.items():
            follows = there.get(name, 1) != 1
            if name not in result:
                result[name], following[name] = field, follows
                continue
            result[name] = _union(result[name], following[name], field, follows)
            following[name] = following[name] or follows
    return result


def _union(left: Field, left_follows: bool, right: Field, right_follows: bool) -> Field:
    """What either sees. One that follows the axis moves with the position, one that does not is at the same place for
    all, so that together they may be anywhere."""
    stride = left.stride if left_follows or not right_follows else right.stride
    if left_follows and right_follows:
        stride = left.stride if _length(left.stride) >= _length(right.stride) else right.stride
    is_aligned = left_follows == right_follows and (left.stride == right.stride or not left_follows)
    slack = max(left.slack, right.slack)
    if left.size is None or right.size is None:
        ahead = None if left.ahead is None or right.ahead is None or not is_aligned else max(left.ahead, right.ahead)
        return Field(None, stride, ahead)
    period = lcm(len(left.phases) or 1, len(right.phases) or 1)
    if not is_aligned or left.ahead is None or right.ahead is None or period > MAX_PHASES:
        return Field(max(left.size, right.size), stride, None, slack)
    pairs = list(zip(_repeat_windows(left, period), _repeat_windows(right, period), strict=True))
    return _field([(min(a[0], b[0]), max(a[1], b[1])) for a, b in pairs], stride, slack)


def _repeat_windows(field: Field, count: int) -> list[tuple[int, int]]:
    """What each of `count` neighbours sees."""
    phases = _phases(field)
    around = int(len(phases) * field.stride)
    return [
        (first + i // len(phases) * around, last + i // len(phases) * around)
        for i in range(count)
        for first, last in [phases[i % len(phases)]]
    ]
