"""Checks arguments of optimizers and schedules that exclude each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

from nnspec.catalogue import keras_objects
from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, quoted
from nnspec.document import Mapping as MappingNode
from nnspec.document import format_path, locate, to_plain
from nnspec.document.types import Plain

Path = tuple[str | int, ...]
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")


def check_optimizers(context: Context) -> Iterator[Diagnostic]:
    """NN208."""
    section = context.node("training")
    if isinstance(section, MappingNode) and "optimizer" in section.entries:
        value = to_plain(section.entries["optimizer"])
        yield from _check_optimizer(context, value, ("training", "optimizer"), is_inner=False)


def _check_optimizer(context: Context, value: Plain, path: Path, *, is_inner: bool) -> Iterator[Diagnostic]:
    if not isinstance(value, dict):
        if is_inner and value == "LossScaleOptimizer":
            yield _twice(context, path)
        return
    kind, arguments = keras_objects.canonical("optimizers", value)
    here = (*path, kind)
    if is_inner and kind == "LossScaleOptimizer":
        yield _twice(context, path)
        return
    clips = [name for name in _CLIPS if arguments.get(name) is not None]
    if len(clips) > 1:
        message = f"`{kind}` allows one kind of clipping, but {quoted(clips)} are set"
        yield _fault(context, (*here, clips[1]), message, Fix(f"keep one of them, such as `{clips[0]}`"))
    if is_inner and arguments.get("loss_scale_factor") is not None:
        message = "`loss_scale_factor` has no effect inside `LossScaleOptimizer`, which scales the loss itself"
        yield _fault(context, (*here, "loss_scale_factor"), message, Fix("remove it"))
    for index, pattern in enumerate(arguments.get("exclude_layers") or ()):
        try:
            re.compile(pattern)
        except re.error as error:
            message = (
                f"`exclude_layers` of `{kind}` contains `{pattern}`, which is not a valid regular expression: {error}"
            )
            yield _fault(context, (*here, "exclude_layers", index), message)
    schedule = arguments.get("learning_rate")
    if isinstance(schedule, dict):
        yield from _check_schedule(context, schedule, (*here, "learning_rate"))
    if "inner_optimizer" in arguments:
        inner = arguments["inner_optimizer"]
        yield from _check_optimizer(context, inner, (*here, "inner_optimizer"), is_inner=True)


def _check_schedule(context: Context, value: Mapping[str, Plain], path: Path) -> Iterator[Diagnostic]:
    kind, arguments = keras_objects.canonical("schedules", value)
    steps, target = arguments.get("warmup_steps"), arguments.get("warmup_target")
    if steps and target is None:
        message = f"`{kind}` does not warm up over `warmup_steps`: there is no `warmup_target` to rise to"
        initial = arguments["initial_learning_rate"]
        fix = Fix(f"write `initial_learning_rate: 0.0` and `warmup_target: {initial}`, or remove `warmup_steps`")
        yield _fault(context, (*path, kind, "warmup_steps"), message, fix)
    if target is not None and not steps:
        message = f"`{kind}` takes no step to `warmup_target`, so that `initial_learning_rate` has no effect"
        fix = Fix("say in how many updates with `warmup_steps`, or remove `warmup_target`")
        yield _fault(context, (*path, kind, "warmup_target"), message, fix)
    if kind != "PiecewiseConstantDecay":
        return
    boundaries, values = arguments["boundaries"], arguments["values"]
    if len(values) != len(boundaries) + 1:
        message = (
            f"{len(boundaries)} `boundaries` separate {len(boundaries) + 1} values, but `values` has {len(values)}"
        )
        yield _fault(context, (*path, kind, "values"), message, Fix("list one more value than boundaries"))
    if any(after <= before for before, after in pairwise(boundaries)):
        message = "`boundaries` must be increasing: each is the step from which the next value applies"
        yield _fault(context, (*path, kind, "boundaries"), message)


def _twice(context: Context, path: Path) -> Diagnostic:
    return _fault(context, path, "`LossScaleOptimizer` is nested in another one, which already scales the loss")


def _fault(context: Context, path: Path, message: str, *fixes: Fix) -> Diagnostic:
    return Diagnostic("NN208", message, locate(context.root, path).span, path=format_path(path), fixes=fixes)
