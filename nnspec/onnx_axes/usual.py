"""Axes that are mixed, or meet, on purpose, told by what stands before and behind them."""

from __future__ import annotations

from collections.abc import Sequence

from nnspec.onnx_axes.faults import Confusion, Meeting, Mixing
from nnspec.onnx_axes.follow import Finding, Followed
from nnspec.onnx_axes.reading import OnnxCall, OnnxFile
from nnspec.onnx_axes.tensors import is_nameless

# What follows one of these reads a row of numbers, whichever order it has.
_STATISTICS = frozenset(("InstanceNormalization", "MeanVarianceNormalization", "LpNormalization"))


def is_usual(file: OnnxFile, followed: Followed, finding: Finding) -> bool:
    """Whether channels are grouped for statistics, relative positions aligned, or a matrix made symmetric."""
    if not isinstance(finding.fault, Mixing):
        return _is_made_symmetric(file, finding.call, finding.fault)
    readers = _readers(file, finding.call)
    return (
        _takes_statistics(readers)
        or _is_skew(file, followed, finding.call)
        or _skews_back(file, followed, finding.call)
    )


def _is_made_symmetric(file: OnnxFile, call: OnnxCall, fault: Confusion) -> bool:
    """Whether a matrix of nameless axes is combined with its own transpose, as links of a graph are."""
    if fault.how is not Meeting.ELEMENTWISE or not (is_nameless(fault.first) and is_nameless(fault.second)):
        return False
    makers = {name: maker for maker in file.calls for name in maker.outputs}
    transposed = {makers[name].inputs[0] for name in call.inputs if name in makers and makers[name].op == "Transpose"}
    return bool(transposed & set(call.inputs))


def _takes_statistics(readers: Sequence[OnnxCall]) -> bool:
    """Whether a reshape is read by normalizations alone, as exporters write group normalization."""
    return bool(readers) and all(call.op in _STATISTICS for call in readers)


def _is_skew(file: OnnxFile, followed: Followed, call: OnnxCall) -> bool:
    """Whether n × m becomes m × n and loses its first row, so that each row is moved by one more.

    What takes the place of a transpose has the same sizes, and keeps all rows.
    """
    place, readers = _find_swapped(followed, call), _readers(file, call)
    return place is not None and bool(readers) and all(_drops_first(followed, reader, place) for reader in readers)


def _skews_back(file: OnnxFile, followed: Followed, call: OnnxCall) -> bool:
    """Whether the rows that a skew has left are given the order of sizes that they had before it."""
    cut = _maker(file, call)
    skew = None if cut is None else _maker(file, cut)
    if skew is None or not _is_skew(file, followed, skew):
        return False
    return _find_swapped(followed, call) == _find_swapped(followed, skew)


def _find_swapped(followed: Followed, call: OnnxCall) -> int | None:
    """The first of two neighbouring axes whose sizes a reshape exchanges; None where it does something else."""
    if call.op != "Reshape":
        return None
    before, after = followed.tensors[call.inputs[0]].sizes, followed.tensors[call.outputs[0]].sizes
    moved = [i for i, (old, new) in enumerate(zip(before, after, strict=False)) if old != new]
    if len(before) != len(after) or len(moved) != 2 or moved[1] != moved[0] + 1:
        return None
    first, second = moved
    return first if (before[first], before[second]) == (after[second], after[first]) else None


def _drops_first(followed: Followed, call: OnnxCall, place: int) -> bool:
    """Whether a slice begins with the second position of one axis."""
    if call.op != "Slice" or len(call.inputs) < 4:  # before opset 10 the numbers are attributes
        return False
    starts, axes = (followed.tensors[name].numbers for name in (call.inputs[1], call.inputs[3]))
    rank = followed.tensors[call.inputs[0]].rank
    if starts is None or axes is None or rank is None or len(starts) != len(axes):
        return False
    begins = {axis % rank: start for axis, start in zip(axes, starts, strict=True) if isinstance(axis, int)}
    return begins.get(place) == 1


def _readers(file: OnnxFile, call: OnnxCall) -> list[OnnxCall]:
    return [reader for reader in file.calls if call.outputs[0] in reader.inputs]


def _maker(file: OnnxFile, call: OnnxCall) -> OnnxCall | None:
    return next((maker for maker in file.calls if call.inputs[0] in maker.outputs), None)
