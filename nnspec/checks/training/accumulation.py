"""Checks that gradients of several batches can be accumulated, and that there is something to train."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.catalogue.losses import loss_of
from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Severity, quoted
from nnspec.document import to_plain
from nnspec.ir.graph import Node
from nnspec.training.plan import DEFAULTS, optimizer_arguments

_MEANS = ("sum_over_batch_size", "mean")
_OVER_A_BATCH = ("Dice", "Tversky")  # no means over samples, but ratios of sums over a batch


def check_effort(context: Context) -> Iterator[Diagnostic]:
    """NN531 where nothing is trained, NN534 where accumulated gradients would not be those of the larger batch."""
    yield from _check_frozen(context)
    if int(_setting(context, "accumulate")) > 1:  # type: ignore[call-overload]
        yield from _check_optimizer(context)
        yield from _check_losses(context)
        yield from _check_statistics(context)


def _setting(context: Context, key: str) -> object:
    node = context.node("training", key)
    return DEFAULTS[key] if node is None else to_plain(node)


def _check_frozen(context: Context) -> Iterator[Diagnostic]:
    graph = context.graph
    frozen = [node for node in graph.nodes if node.args.get("trainable") is False and node.parameters]
    if context.node("data") is None or not frozen or graph.trainable_parameters:
        return
    count = f"all {len(frozen)} layers with weights are" if len(frozen) > 1 else f"`{frozen[0].name}` is"
    message = f"there is nothing to train: {count} frozen by `trainable: false`"
    fix = Fix("train at least the last one: remove its `trainable: false`")
    yield Diagnostic("NN531", message, frozen[-1].span, fixes=(fix,))


def _check_optimizer(context: Context) -> Iterator[Diagnostic]:
    arguments = optimizer_arguments(_setting(context, "optimizer"))
    span = context.span("training", "optimizer")
    if arguments.get("gradient_accumulation_steps") is not None:
        message = "gradients are accumulated twice: by `accumulate`, and by `gradient_accumulation_steps`"
        fix = Fix("remove `gradient_accumulation_steps`: `accumulate` weights incomplete batches correctly")
        yield Diagnostic("NN534", message, span, path="training.optimizer", fixes=(fix,))
    if arguments.get("ema_overwrite_frequency") is not None:
        message = "`ema_overwrite_frequency` would overwrite weights in the middle of an accumulated batch"
        fix = Fix("remove it: with `use_ema` alone, the averages are what is deployed")
        yield Diagnostic("NN534", message, span, path="training.optimizer", fixes=(fix,))


def _check_losses(context: Context) -> Iterator[Diagnostic]:
    for name, output in context.graph.outputs.items():
        kind, arguments = loss_of(output)
        reduction = arguments.get("reduction") or _MEANS[0]
        if reduction in _MEANS and kind not in _OVER_A_BATCH:
            continue
        what = f"`reduction: {reduction}`" if reduction not in _MEANS else f"`{kind}`, a ratio of sums over a batch"
        message = (
            f"accumulated gradients differ from those of a larger batch, because the loss of `{name}` is not a mean: "
            f"{what}"
        )
        fixes = (
            Fix(f"choose a loss that is a mean over samples: {quoted(['sum_over_batch_size'])} is Keras' default"),
            Fix("or remove `accumulate`"),
        )
        yield Diagnostic("NN534", message, context.span("outputs", name, "loss"), path=f"outputs.{name}", fixes=fixes)


def _check_statistics(context: Context) -> Iterator[Diagnostic]:
    """Layers whose statistics are those of the small batches, whatever is accumulated."""
    mixing = [node for node in context.graph.nodes if _mixes_samples(node)]
    if not mixing:
        return
    batch, count = (int(_setting(context, key)) for key in ("batch_size", "accumulate"))  # type: ignore[call-overload]
    who = f"`{mixing[0].name}` normalizes" if len(mixing) == 1 else f"{len(mixing)} layers normalize"
    message = (
        f"accumulated gradients differ from those of a batch of {batch * count}: {who} by the statistics of each batch "
        f"of {batch}"
    )
    fixes = (
        Fix("normalize each sample alone: `LayerNormalization`, or `GroupNormalization` of images"),
        Fix("or freeze the layer, `trainable: false`: its moving statistics are used then"),
    )
    yield Diagnostic(
        "NN534", message, mixing[0].span, path="training.accumulate", fixes=fixes, severity=Severity.WARNING
    )


def _mixes_samples(node: Node) -> bool:
    """Whether a node, or one that it wraps, takes statistics over a batch."""
    if node.args.get("trainable") is False:
        return False
    return node.layer.mixes_samples or any(map(_mixes_samples, node.inside))
