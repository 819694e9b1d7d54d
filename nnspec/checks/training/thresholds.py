"""Checks that a threshold fits its output, and that there is a split to choose it on."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix
from nnspec.ir.graph import ANOMALY, Output


def check_thresholds(context: Context) -> Iterator[Diagnostic]:
    """NN585 a threshold that no probability is at, NN586 none to choose it on."""
    for output in context.graph.outputs.values():
        if output.cut is not None:
            yield from _check(context, output)


def _check(context: Context, output: Output) -> Iterator[Diagnostic]:
    cut, plan, path = output.cut, context.plan, f"outputs.{output.name}.threshold"
    assert cut is not None
    span = context.span("outputs", output.name, "threshold")
    is_share = output.task == "binary" and not output.gives_scores
    if is_share and cut.value is not None and not 0 <= cut.value <= 1:
        message = f"the values of output `{output.name}` are probabilities, but `threshold` is {cut.value:g}"
        fix = Fix("give it as a probability, between 0 and 1")
        yield Diagnostic("NN585", message, span, path=path, fixes=(fix,))
    if output.task == ANOMALY and cut.needs_labels and plan is not None and output.name not in plan.outputs:
        message = f"`{cut.rule}` compares the scores of output `{output.name}` with labels, but `data` names none"
        fixes = (Fix("use `{quantile: 0.95}`"), Fix(f"or name the labels: `data: {{outputs: {{{output.name}: …}}}}`"))
        yield Diagnostic("NN586", message, span, path=path, fixes=fixes)
    if cut.rule is not None and plan is not None and all(part.name != "validation" for part in plan.split.parts):
        message = f"the threshold of output `{output.name}` is chosen on the validation split, but `split` has none"
        fixes = (Fix("add one: `validation: 0.2`"), Fix("or give the threshold as a number"))
        yield Diagnostic("NN586", message, span, path=path, fixes=fixes)
