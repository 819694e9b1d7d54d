"""Checks that the data fit the network: files, columns, sizes, windows, splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from nnspec.checks.context import Context, input_slots, output_slots
from nnspec.diagnostics import Diagnostic, Fix


def check_data(context: Context) -> Iterable[Diagnostic]:
    if context.plan is None:
        return []
    from nnspec.checks.data.measured import check_measured  # a spec without data needs none of it
    from nnspec.data.checks.files import probe

    slots = input_slots(context.graph), output_slots(context.graph)
    return [*_check_recursion(context), *probe(context.plan, *slots, partial(check_measured, context))]


def _check_recursion(context: Context) -> Iterator[Diagnostic]:
    """NN545: what of the network and its file keeps forecasts from feeding on themselves."""
    plan = context.plan
    if plan is None or plan.window is None or not plan.window.recursive:
        return
    for node in context.graph.nodes:
        if node.is_stateful:
            message = f"`{node.name}` carries a state from sample to sample, but forecasts are fed back within a sample"
            fix = Fix("remove `stateful`, or `recursive`")
            yield Diagnostic("NN545", message, node.span, path="data.window.recursive", fixes=(fix,))
            break
    scaling = context.node("export", "scaling")
    if scaling is not None and getattr(scaling, "value", True) is False:
        message = (
            "without scaling, the outputs of the file have other units than its inputs, so they cannot be fed back"
        )
        fix = Fix("remove `scaling: false`, or `recursive`")
        yield Diagnostic("NN545", message, scaling.span, path="export.scaling", fixes=(fix,))
