"""Checks `export.variants`: that there is something to store in fewer bits, and that what does it is installed."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.document import to_plain


def check_variants(context: Context) -> Iterator[Diagnostic]:
    node = context.node("export", "variants")
    wanted = to_plain(node) if node is not None else None
    if node is None or not isinstance(wanted, list) or not wanted:
        return
    if not any(layer.weights and not layer.layer.is_transform for layer in context.graph.nodes):
        message = "no layer of the model has trained weights, so it has no variants in fewer bits"
        fixes: tuple[Fix, ...] = (Fix("remove `variants`"),)
        yield Diagnostic("NN618", message, node.span, path="export.variants", fixes=fixes)
    if "int4" in wanted and not is_installed("int4"):
        message = "the variant `int4` needs the package onnx-ir, which is not installed"
        fixes = (Fix(install_command("int4")), Fix("or use `int8`"))
        yield Diagnostic("NN612", message, node.span, path="export.variants", fixes=fixes)
