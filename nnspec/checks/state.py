"""State that is carried from batch to batch goes on where the sample before ended only if windows follow each other."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity
from nnspec.document import Scalar
from nnspec.training.plan import DEFAULTS


def check_state(context: Context) -> Iterator[Diagnostic]:
    """NN520: windows of a stateful network overlap, leave rows out, or stand side by side in a batch."""
    window = context.plan.window if context.plan is not None else None
    node = next((node for node in context.graph.nodes if node.is_stateful), None)
    if window is None or node is None:
        return
    written = context.node("training", "batch_size")
    size = written.value if isinstance(written, Scalar) else DEFAULTS["batch_size"]
    size = next(iter(context.graph.batches.values()), size)
    fixes = []
    what = []
    if window.stride != window.lookback:
        so = "overlap: it reads rows that its state has seen" if window.stride < window.lookback else "leave rows out"
        what.append(f"windows of {window.lookback} rows, {window.stride} apart, {so}")
        fixes.append(Fix(f"let windows follow each other: `stride: {window.lookback}`"))
    if isinstance(size, int) and size > 1:
        what.append(f"with {size} windows in a batch, each goes on from the one {size} windows before it")
        fixes.append(Fix("read one window at a time: `batch: 1` at the input and `batch_size: 1`"))
    if what:
        yield Diagnostic(
            "NN520",
            f"`{node.name}` is stateful, but {'; '.join(what)}",
            window.span,
            path="data.window",
            fixes=tuple(fixes),
            severity=Severity.WARNING,
        )
