"""Diagnostics of an ONNX file: reshapes that mix axes, and values of different axes that meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.model import AxisRef, NodeRef, Reason, Severity
from nnspec.ir.axes import Axes, Size, describe
from nnspec.ir.reshape import Kind, find_reordering
from nnspec.onnx_axes.faults import Confusion, Mixing
from nnspec.onnx_axes.follow import Finding, follow
from nnspec.onnx_axes.operators import find_foreign_operators
from nnspec.onnx_axes.reading import OnnxCall, OnnxFile, array_of, read_file
from nnspec.onnx_axes.rules.elementwise import ELEMENTWISE
from nnspec.onnx_axes.seeds import input_tensors
from nnspec.onnx_axes.usual import is_usual


def check_model(path: str | Path, axes: Mapping[str, Sequence[str]] | None = None) -> list[Diagnostic]:
    """What is wrong with the axes of an ONNX model, and which of its nodes are none of ONNX's operators (NN632).

    Args:
        axes: the names of an input's axes, the batch among them, where the file does not say them.

    Raises:
        SpecError: NN373 where the file cannot be read, NN374 where the names do not fit the inputs.
    """
    file = read_file(Path(path))
    return [*find_foreign_operators(file), *check_file(file, axes or {})]


def check_file(file: OnnxFile, axes: Mapping[str, Sequence[str]]) -> list[Diagnostic]:
    """What is wrong with the axes of a graph that was read."""
    followed = follow(file, input_tensors(file, axes))
    return [_diagnostic(file, finding) for finding in followed.findings if not is_usual(file, followed, finding)]


def _diagnostic(file: OnnxFile, finding: Finding) -> Diagnostic:
    if isinstance(finding.fault, Mixing):
        return _of_mixing(file, finding.call, finding.fault)
    return _of_confusion(file, finding.call, finding.fault)


def _of_confusion(file: OnnxFile, call: OnnxCall, fault: Confusion) -> Diagnostic:
    first, second = fault.first, fault.second
    what = fault.how.value.format(first=f"`{first.name}`", second=f"`{second.name}`")
    return Diagnostic(
        "NN372",
        f"node `{call.name}` ({call.op}) {what}",
        file.span(call),
        label="two axes of one input meet here",
        path=call.name,
        notes=(f"both are {first.size} long, so nothing fails: a transpose may be missing before it",),
        severity=Severity.WARNING,
        about=(AxisRef(first.name), AxisRef(second.name), NodeRef(call.name)),
    )


def _of_mixing(file: OnnxFile, call: OnnxCall, fault: Mixing) -> Diagnostic:
    axes, sizes = fault.axes, fault.sizes
    shape = f"({', '.join(str(size) for size in sizes)})"
    wrong = (Kind.MIXED,) if fault.result.is_scrambled else (Kind.MERGE, Kind.PART)
    mixed = [
        f"axis {i} ({size}) contains {provenance}"
        for i, (provenance, size) in enumerate(zip(fault.result.outputs, sizes, strict=True))
        if provenance.kind in wrong
    ]
    is_harmless = _ends_in_flatten(file, call.outputs[0])
    notes = [f"of the result, {'; '.join(mixed)}"]
    if is_harmless:
        notes.append("only a layer that reads all values at once follows, which can learn any order")
    return Diagnostic(
        "NN371",
        f"node `{call.name}` ({call.op}) turns {describe(axes)} into {shape}, which mixes their values",
        file.span(call),
        label="regroups values, and moves none",
        path=call.name,
        notes=tuple(notes),
        fixes=tuple(_suggest_transpose(axes, sizes)),
        severity=Severity.WARNING if is_harmless else Severity.ERROR,
        about=(*(AxisRef(axis.name) for axis in axes), NodeRef(call.name)),
        reason=Reason.VALUES_MIX,
    )


def _suggest_transpose(axes: Axes, sizes: Sequence[Size]) -> Iterator[Fix]:
    """The transpose that was probably meant."""
    found = find_reordering(axes, sizes)
    if found is None:
        return
    order = f"Transpose(perm={list(found.order)})"
    moved = tuple(axes[i] for i in found.order)
    is_same = tuple(axis.size for axis in moved) == tuple(sizes)
    what = f"{order} instead" if is_same else f"{order} before it"
    yield Fix(f"{what} gives {describe(moved)} and keeps every axis apart")


def _ends_in_flatten(file: OnnxFile, name: str) -> bool:
    """Whether all that reads a value flattens it, a batch axis apart."""
    waiting, seen = [name], set[str]()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        readers = [call for call in file.calls if current in call.inputs]
        if current in file.outputs or not readers:
            return False
        for call in readers:
            if call.op in ELEMENTWISE and call.inputs[0] == current:
                waiting.extend(out for out in call.outputs if out)
            elif not _is_flat(file, call, current):
                return False
    return True


def _is_flat(file: OnnxFile, call: OnnxCall, name: str) -> bool:
    if call.op == "Flatten":
        return bool(call.attributes.get("axis", 1) == 1)
    if call.op != "Reshape" or call.inputs[0] != name or len(call.inputs) < 2:
        return False
    tensor = file.constants.get(call.inputs[1])
    array = None if tensor is None else array_of(tensor)
    return array is not None and len(array) == 2
