"""Checks that `export.batch` is the batch size of a stateful network."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix
from nnspec.document import Scalar
from nnspec.training.plan import DEFAULTS


def check_fixed_batch(context: Context) -> Iterator[Diagnostic]:
    """NN613: a stateful network carries one state for each sample of a batch, so its size is that of training."""
    given = context.node("export", "batch")
    if not isinstance(given, Scalar) or not any(node.is_stateful for node in context.graph.nodes):
        return
    trained = context.node("training", "batch_size")
    size = trained.value if isinstance(trained, Scalar) else DEFAULTS["batch_size"]
    size = next(iter(dict(context.graph.batches).values()), None) or size
    if given.value != size:
        message = f"the network is stateful and has batches of {size}, but `export.batch` is {given.value}"
        fixes = (Fix(f"set it to {size}, or remove `batch`", (Edit(given.span, str(size)),)),)
        yield Diagnostic("NN613", message, given.span, path="export.batch", fixes=fixes)
