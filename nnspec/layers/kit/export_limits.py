"""What Keras can train but standard ONNX operators cannot compute: a warning at check, an error at export."""

from __future__ import annotations

from typing import NoReturn

from nnspec.diagnostics import Diagnostic, Fix, SpecError
from nnspec.ir.graph import Node
from nnspec.layers.kit.base import Call

HASHES = "it uses a hash of the text (FarmHash or SipHash), which no standard ONNX operator computes"


def warn_unexportable(call: Call, why: str, instead: str, arg: str | None = None) -> None:
    """NN349: the network can be trained and used in Keras, but not exported."""
    call.warn("NN349", f"`{call.kind}` cannot be exported: {why}", arg, fixes=[Fix(instead)])


def refuse_export(node: Node, why: str, instead: str) -> NoReturn:
    """Ends the export.

    Raises:
        SpecError: NN601, always.
    """
    message = f"`{node.kind}` cannot be exported: {why}"
    raise SpecError([Diagnostic("NN601", message, node.span, fixes=(Fix(instead),))])
