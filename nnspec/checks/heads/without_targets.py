"""Checks outputs that no loss compares with targets."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.document import Mapping


def check_without_targets(context: Context) -> Iterator[Diagnostic]:
    """NN577: an output without targets says how it is trained, or there is nothing to train."""
    outputs = context.graph.outputs.values()
    for output in outputs:
        body = context.node("outputs", output.name)
        if output.is_trained or not isinstance(body, Mapping):
            continue
        for key in ("loss", "metrics", "weighted_metrics", "weight"):
            if key in body.entries:
                message = f"output `{output.name}` with `task: {output.task}` is not trained, but it has `{key}`"
                fixes = (Fix(f"remove `{key}`"), Fix("or set the task of its targets"))
                path = f"outputs.{output.name}.{key}"
                yield Diagnostic("NN577", message, body.key_span(key), path=path, fixes=fixes)
    if outputs and context.plan is not None and not any(output.is_trained for output in outputs):
        message = "no output has targets, so there is nothing to learn from the data"
        fix = Fix("give one a task with targets, such as `regression`")
        yield Diagnostic("NN577", message, context.span("outputs"), path="outputs", fixes=(fix,))
