"""Checks that consecutive samples follow each other if state is carried from batch to batch."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix, Severity
from nnspec.document import Scalar
from nnspec.training.plan import DEFAULTS


def check_state(context: Context) -> Iterator[Diagnostic]:
    """NN520: windows of a stateful network overlap, skip rows, or are in the same batch; it is to be shuffled."""
    window = context.plan.window if context.plan is not None else None
    node = next((node for node in context.graph.nodes if node.is_stateful), None)
    if node is None:
        return
    shuffle = context.node("training", "shuffle")
    if isinstance(shuffle, Scalar) and shuffle.value is True:
        yield Diagnostic(
            "NN520",
            f"`{node.name}` is stateful, so samples are not shuffled: each continues from the one before",
            shuffle.span,
            path="training.shuffle",
            fixes=(
                Fix("write `shuffle: false`", (Edit(shuffle.span, "false"),)),
                Fix("to shuffle, each sample must start with a new state: remove `stateful`"),
            ),
            severity=Severity.WARNING,
        )
    backwards = next(
        (n for n in context.graph.nodes if n.backward is not None or (n.inner and not n.layer.repeats_inner)), None
    )
    if backwards is not None and backwards.is_stateful:
        yield Diagnostic(
            "NN520",
            f"`{backwards.name}` is stateful in both directions: its backward half starts at the end of each "
            "sample with the state from the start of the previous one",
            backwards.span,
            fixes=(Fix("only run forwards, or remove `stateful`"),),
            severity=Severity.WARNING,
        )
    if window is None:
        return
    written = context.node("training", "batch_size")
    size = written.value if isinstance(written, Scalar) else DEFAULTS["batch_size"]
    size = next(iter(context.graph.batches.values()), size)
    fixes = []
    what = []
    if window.stride != window.lookback:
        so = "overlap: rows are read again that its state has seen" if window.stride < window.lookback else "skip rows"
        what.append(f"windows of {window.lookback} rows, {window.stride} apart, {so}")
        fixes.append(Fix(f"use consecutive windows: `stride: {window.lookback}`"))
    if isinstance(size, int) and size > 1:
        what.append(f"with {size} windows in a batch, each continues from the one {size} windows before it")
        fixes.append(Fix("read one window at a time: `batch: 1` of the input and `batch_size: 1`"))
    if what:
        yield Diagnostic(
            "NN520",
            f"`{node.name}` is stateful, but {'; '.join(what)}",
            window.span,
            path="data.window",
            fixes=tuple(fixes),
            severity=Severity.WARNING,
        )
