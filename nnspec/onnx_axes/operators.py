"""Operators of an ONNX file that ONNX does not have: an exporter left them, and no runtime loads the file."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.model import NodeRef, Severity
from nnspec.onnx_axes.reading import OnnxCall, OnnxFile, known_operators


def find_foreign_operators(file: OnnxFile) -> Iterator[Diagnostic]:
    """Warns once of each operator without a domain that no version of ONNX has (NN632).

    Nothing is claimed of a file that is newer than the installed `onnx`: its operators may be new.
    """
    known = known_operators()
    if file.opset is None or file.opset > known.opset:
        return
    found: dict[str, list[OnnxCall]] = {}
    for call in file.calls:
        if "." not in call.op and call.op not in known.names:
            found.setdefault(call.op, []).append(call)
    for op, calls in found.items():
        nodes = f"{len(calls)} node{'' if len(calls) == 1 else 's'}"
        yield Diagnostic(
            "NN632",
            f"`{op}` ({nodes}) is not an operator of ONNX, so no runtime loads the file",
            file.span(calls[0]),
            label="an operator of the framework that the exporter left in the file",
            path=calls[0].name,
            notes=("the axes of its results are unknown, so fewer faults are found after it",),
            fixes=(Fix("export the model in another way, or replace the layer that the operator comes from"),),
            severity=Severity.WARNING,
            about=tuple(NodeRef(call.name) for call in calls),
        )
