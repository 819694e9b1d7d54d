"""Checks that a loss fits its output: task, class axis, sizes."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.catalogue.losses import DEFAULT_LOSS, FRACTIONS, LOSSES, SHARES, loss_of
from nnspec.checks.context import Context
from nnspec.checks.training.loss_or_metric import Reading, check_axes
from nnspec.diagnostics import Diagnostic, Edit, Fix, Related
from nnspec.document.types import Plain
from nnspec.ir.graph import Output

# What the targets of a regression are to these.
_READS = {
    "Poisson": "counts",
    "MeanSquaredLogarithmicError": "values above -1",
    "MeanAbsolutePercentageError": "values for which percentage errors make sense",
    **dict.fromkeys((*FRACTIONS, "Dice", "Tversky"), "values between 0 and 1"),
}
RANGED = frozenset(_READS)  # losses that NN215 holds against how targets are scaled
_OF_NO_TASK = {
    "CTC": "it aligns a shorter label sequence with the steps of an output, but every task has one target per step "
    "or sample; if every step has a label, classify the steps",
    "Circle": "it compares embeddings of samples by class, but no task outputs embeddings; train a classification, "
    "and read the layer before its head with `from`",
}


def check_losses(context: Context) -> Iterator[Diagnostic]:
    """NN509: a loss of another task, or arguments that do not fit the output's axes."""
    for output in context.graph.outputs.values():
        if output.loss is None or not output.is_trained:
            continue
        name, arguments = loss_of(output)
        reading = Reading(
            context=context,
            output=output,
            code="NN509",
            path=("outputs", output.name, "loss"),
            kind=name,
            arguments=arguments,
        )
        if name in LOSSES[output.task]:
            yield from check_axes(reading)
            yield from _check_sizes(reading)
            yield from _check_scale(reading)
        else:
            yield _wrong_task(context, output, name)


def _wrong_task(context: Context, output: Output, name: str) -> Diagnostic:
    span = context.span("outputs", output.name, "loss")
    fitting = [task for task, losses in LOSSES.items() if name in losses]
    notes = [f"`{name}` is a loss for {' or '.join(fitting)}"] if fitting else []
    if name in _OF_NO_TASK:
        notes = [_OF_NO_TASK[name]]
    default = DEFAULT_LOSS[output.task]
    fix = Fix(f"use `{default}`, the default for {output.task}", (Edit(span, default),))
    if output.task == "quantiles":
        fix = Fix("remove `loss`: quantiles are learned by the pinball loss of their levels")
    return Diagnostic(
        "NN509",
        f"loss `{name}` does not apply to output `{output.name}`, whose task is {output.task}",
        span,
        path=f"outputs.{output.name}.loss",
        notes=tuple(notes),
        fixes=(fix,),
    )


def _check_scale(reading: Reading) -> Iterator[Diagnostic]:
    """NN215: scaled targets, or differences, are not what the loss reads."""
    context, output = reading.context, reading.output
    target = context.plan.outputs.get(output.name) if context.plan is not None else None
    if output.task != "regression" or target is None:
        return
    reads = "fractions that sum to 1" if reading.kind in SHARES else _READS.get(reading.kind)
    method = target.scale.method if target.scale is not None else "none"
    is_bounded = method == "minmax" and reading.kind not in SHARES and not target.is_relative
    if reads is None or is_bounded or (method == "none" and not target.is_relative):
        return
    key = "scale" if method != "none" else "relative_to"
    made = {"standard": "values around 0", "minmax": "values between 0 and 1"}.get(
        method, ("differences, which may be negative")
    )
    yield Diagnostic(
        "NN215",
        f"loss `{reading.kind}` of output `{output.name}` expects {reads}, but its targets in `data` are {made}",
        target.span_of(key),
        path=target.where(key),
        related=(Related(context.span("outputs", output.name, "loss"), "the loss"),),
        fixes=(
            Fix(f"remove `{key}` from the output"),
            Fix(
                "use a loss without a range restriction, such as `Huber`",
                (Edit(context.span("outputs", output.name, "loss"), "Huber"),),
            ),
        ),
    )


def _check_sizes(reading: Reading) -> Iterator[Diagnostic]:
    alpha: Plain = reading.arguments.get("alpha")
    size = reading.class_size
    if isinstance(alpha, list) and size is not None and len(alpha) != size:
        yield reading.fault(
            "alpha",
            f"has {len(alpha)} weights, but output `{reading.output.name}` has {size} classes",
            Fix("use one weight per class, or one number for all classes"),
        )
