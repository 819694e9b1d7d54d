"""Checks that the task fits its head: softmax, sigmoid or linear, and the class axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from nnspec.catalogue.losses import FRACTIONS, SHARES, loss_of
from nnspec.checks.context import Context
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Related, Severity, Span
from nnspec.document import Mapping, Scalar, locate
from nnspec.inference.heads import head_function
from nnspec.ir.axes import describe, fuse, names_places
from nnspec.ir.graph import Node, Output
from nnspec.ir.probabilities import FORMULA
from nnspec.layers.kit.edits import add_key


def check_tasks(context: Context) -> Iterator[Diagnostic]:
    for output in context.graph.outputs.values():
        if output.is_trained:
            function, head = head_function(context.graph.nodes, output)
            yield from _check_head(context, output, function, head)
        yield from _check_classes(context, output)
        yield from _check_mask(context, output)


def _check_mask(context: Context, output: Output) -> Iterator[Diagnostic]:
    """Keras' losses leave masked steps out where one axis stands behind that of the steps; on more axes they cannot."""
    value = output.value
    plan = context.plan
    has_targets = plan is not None and output.name in {*plan.outputs, *plan.copies}  # then NN540 speaks of it
    if value.mask is not None and len(value.axes) > 2 and not has_targets and output.is_trained:
        yield Diagnostic(
            "NN319",
            f"the loss of output `{output.name}` ignores its mask along `{value.mask}`, so padding counts as data",
            context.span("outputs", output.name),
            path=f"outputs.{output.name}",
            notes=(
                (f"Keras' losses apply a mask only to outputs with two axes, but this one has {describe(value.axes)}"),
            ),
            severity=Severity.WARNING,
        )


def _check_head(context: Context, output: Output, function: str, head: Node | None) -> Iterator[Diagnostic]:
    name, task = output.name, output.task
    span = context.span("outputs", name, "task")
    related = (Related(activation_span(context, head), f"{function} here"),) if head is not None else ()
    loss, arguments = loss_of(output)
    last = context.graph.nodes[-1] if context.graph.nodes else None
    path = f"outputs.{name}.task"

    def say(message: str, notes: list[str], *fixes: Fix) -> Diagnostic:
        return Diagnostic("NN507", message, span, path=path, notes=tuple(notes), related=related, fixes=fixes)

    if function == FORMULA:
        return  # the author's own probabilities or fractions, as far as ranges tell
    if arguments.get("from_logits") and function in ("softmax", "sigmoid"):
        notes = [f"`{loss}` with `from_logits` applies a {_link(task)} itself, so it would be applied twice"]
        fixes = [Fix("remove `from_logits`"), activation_fix(context, head, "linear", "make the head linear")]
        yield say(f"output `{name}` ends in a {function}, but its loss expects logits", notes, *fixes)
    elif output.gives_values:
        yield from _check_regression(context, output, function, head, say)
    elif task == "classification" and function != "softmax" and not output.gives_scores:
        if function == "sigmoid":
            notes = [
                ("sigmoids score each class independently, but the classes of a classification are mutually exclusive")
            ]
            fixes = [
                activation_fix(context, head, "softmax", "use `softmax`"),
                Fix("if several labels can apply at once, use `task: multilabel`", (Edit(span, "multilabel"),)),
                *_one_of_two(output, head),
            ]
        else:
            values = _values(output)
            notes = [
                f"a {function} head gives {values}; real-valued targets are a regression: one output per value, no "
                "softmax and no classes",
                "a classification has one label per sample, and a softmax that gives each class a probability",
            ]
            fixes = [*_certain_activation(context, output, head, function, "softmax")]
            fixes.append(Fix("if the targets are real values, use `task: regression`", (Edit(span, "regression"),)))
            if last is not None and output.class_axis:
                fixes.append(Fix(f"end the model with `- Softmax: {{axis: {output.class_axis}}}`"))
        yield say(f"output `{name}` is a classification, but its head is {_article(function)}", notes, *fixes)
    elif task in ("binary", "multilabel") and function != "sigmoid" and not output.gives_scores:
        certain = _certain_activation(context, output, head, function, "sigmoid")
        takes_one = head is not None and "activation" in (head.inner or head).layer.args
        advice = "use `activation: sigmoid`" if takes_one else "end with `- Dense: {units: 1, activation: sigmoid}`"
        if not takes_one and task == "multilabel":
            advice = "end with a `Dense` that has a unit for each label and `activation: sigmoid`"
        fix = certain[0] if certain else activation_fix(context, head, "sigmoid", advice)
        notes = ["each value must be an independent probability, which is what a sigmoid gives"]
        if function == "softmax" and output.value.axes and output.value.axes[-1].size == 1:
            notes = ["a softmax over one value is always 1"]
        yield say(f"output `{name}` is {task}, but its head is {_article(function)}", notes, fix)
    elif task == "classification" and function == "softmax" and head is not None:
        yield from _check_softmax_axis(context, output, head)


def _one_of_two(output: Output, head: Node | None) -> list[Fix]:
    """Two classes need one probability alone."""
    size = next((axis.size for axis in output.value.axes if axis.name == output.class_axis), None)
    source = None if head is None else head.inner or head
    number = next((name for name in ("units", "filters") if source is not None and name in source.args), None)
    if size != 2 or number is None:
        return []
    return [Fix(f"or, as one of two classes needs one probability: `{number}: 1` and `task: binary`")]


def _check_regression(
    context: Context, output: Output, function: str, head: Node | None, say: Callable[..., Diagnostic]
) -> Iterator[Diagnostic]:
    """A regression is linear, but for targets that are shares of one whole, or lie between 0 and 1.

    Of a sigmoid it is a warning where no data say what the targets are, and where an image is made: without data, it is
    one of values from 0 to 1.
    """
    name, span = output.name, context.span("outputs", output.name, "task")
    loss, arguments = loss_of(output)
    wanted = "softmax" if loss in SHARES else "sigmoid" if loss in FRACTIONS else None
    if wanted is not None:
        if function != wanted and not arguments.get("from_logits"):
            targets = "fractions that sum to 1" if wanted == "softmax" else "values between 0 and 1"
            yield say(
                f"loss `{loss}` of regression output `{name}` expects {targets}, but its head is {_article(function)}",
                [f"a {wanted} gives {targets}"],
                activation_fix(context, head, wanted, f"use `{wanted}`"),
                Fix("for unbounded targets remove `loss`, or use one such as `Huber`"),
            )
        return
    why = {
        "softmax": "a softmax gives positive values that sum to 1, which unbounded targets do not",
        "log_softmax": "a log-softmax gives log probabilities, not unbounded values",
        "sigmoid": "a sigmoid limits every value to 0 … 1, a range that real-valued targets seldom stay within",
    }.get(function)
    scale = _target_scale(context, name)
    if why is None or (function == "sigmoid" and (scale == "minmax" or (output.loss is not None and scale is None))):
        return  # an explicit loss with a sigmoid means that the targets are in its range: boxes, images
    if function == "sigmoid" and scale is None and is_measured(context, name):
        return  # NN326 compares it with the targets themselves
    loss_of_such = {"softmax": "KLDivergence", "sigmoid": "BinaryCrossentropy"}.get(function)
    targets = "fractions that sum to 1" if function == "softmax" else "between 0 and 1"
    is_image = sum(names_places(axis.name) for axis in output.value.axes) > 1
    if function == "sigmoid" and scale is None and is_image and context.plan is None:
        return  # an image of 0 to 1, as a generator or decoder makes it
    is_open = function == "sigmoid" and scale is None and (context.plan is None or is_image)
    last = output.value.axes[-1].size if output.value.axes else 1
    labels = "classification" if function != "sigmoid" else "binary" if last == 1 else "multilabel"
    alarm = say(
        f"output `{name}` is {_name_task(output)}, but its head is a {function}",
        [why, "to predict n values, use n outputs and a linear head; there are no classes"],
        activation_fix(context, head, "linear", "make the head linear"),
        Fix(f"if the values are {_LABELS[labels]}, use `task: {labels}`", (Edit(span, labels),)),
        *(
            (Fix(f"if the targets are {targets}, choose a loss for them, such as `{loss_of_such}`"),)
            if loss_of_such
            else ()
        ),
    )
    yield replace(alarm, severity=Severity.WARNING) if is_open else alarm


_LABELS = {"classification": "classes", "binary": "probabilities", "multilabel": "a probability of each label"}


def _name_task(output: Output) -> str:
    if not output.is_trained:
        return "without targets"
    return "a regression" if output.task == "regression" else f"of {output.task}"


def _link(task: str) -> str:
    return "softmax" if task == "classification" else "sigmoid"


def _article(function: str) -> str:
    return "linear" if function == "linear" else f"a {function}"


def _target_scale(context: Context, name: str) -> str | None:
    """How the data section scales an output's targets; None where it does not."""
    target = context.plan.outputs.get(name) if context.plan is not None else None
    return None if target is None or target.scale is None or target.scale.method == "none" else target.scale.method


def is_measured(context: Context, name: str) -> bool:
    """Whether `check` knows between which numbers an output's targets lie."""
    plan = context.plan
    if plan is None:
        return False
    target = plan.outputs.get(name) or plan.inputs.get(plan.copies[name].input if name in plan.copies else "")
    if target is None or target.is_relative or target.function is not None or target.encodings:
        return False
    return bool(target.columns or target.array) or target.source.source.is_raster


def _values(output: Output) -> str:
    """`13 real values along `mfcc``."""
    axis = next((a for a in output.value.axes if a.name == output.class_axis), None)
    return "real values" if axis is None else f"{axis.size} real values along `{axis.name}`"


def _activation_node(context: Context, node: Node | None) -> Scalar | None:
    """Where a head says its activation in one word."""
    if node is None:
        return None
    path = (*node.path, node.kind, "activation")
    found = locate(context.root, path)
    is_there = locate(context.root, path[:-1]) is not found
    return found if is_there and isinstance(found, Scalar) and isinstance(found.value, str) else None


def activation_span(context: Context, node: Node) -> Span:
    """Where a head says its activation; the whole layer where it is one."""
    found = _activation_node(context, node)
    return found.span if found is not None else node.span


# An axis that is called so holds a score of each class or label, rather than measured values.
_SCORES = frozenset(("unit", "filter", "class", "label", "logit", "score", "category", "token", "word"))


def _certain_activation(
    context: Context, output: Output, head: Node | None, function: str, wanted: str
) -> tuple[Fix, ...]:
    """The activation that makes probabilities of the scores of a linear head, where nothing else can be meant."""
    target = context.plan.outputs.get(output.name) if context.plan is not None else None
    measured = target is not None and len(target.columns) > 1 and output.task == "classification"
    axes = output.value.axes
    if function != "linear" or head is None or head.inner is not None or measured or not axes or head.span.trail:
        return ()
    if not head.outputs[0].axes:
        return ()
    made = head.outputs[0].axes[-1]
    is_scores = made.name.removesuffix("s") in _SCORES or made.name.removesuffix("es") in _SCORES or made.size == 1
    is_class_axis = axes[-1].name == made.name and (output.class_axis in (None, made.name) or wanted == "sigmoid")
    body = locate(context.root, (*head.path, head.kind))
    if "activation" not in head.layer.args or not is_scores or not is_class_axis or not isinstance(body, Mapping):
        return ()
    edits = add_key(body, "activation", wanted)
    return (Fix(f"add one: `activation: {wanted}`", edits, Applicability.MACHINE),) if edits else ()


def activation_fix(context: Context, head: Node | None, activation: str, message: str) -> Fix:
    """Another activation in place of a head's, where one word of the spec says it."""
    found = _activation_node(context, head)
    edits = (Edit(found.span, activation),) if found is not None and "$" not in str(found.value) else ()
    return Fix(message, edits)


def _check_softmax_axis(context: Context, output: Output, head: Node) -> Iterator[Diagnostic]:
    """The softmax runs along the class axis."""
    axes = head.outputs[0].axes
    axis = head.args.get("axis", -1) if head.layer.own_activation == "softmax" else -1
    if not isinstance(axis, int):
        return
    place = axis - 1 if axis > 0 else len(axes) + axis
    softmaxed = axes[place]
    target = next((a for a in output.value.axes if a.name == output.class_axis), None)
    if (
        target is None
        or softmaxed.name == target.name
        or (softmaxed.atoms and fuse(softmaxed.atoms) == fuse(target.atoms))
    ):
        return
    yield Diagnostic(
        "NN507",
        f"the softmax runs over `{softmaxed.name}`, "
        f"but the classes of output `{output.name}` are along `{target.name}`",
        context.span("outputs", output.name, "task"),
        path=f"outputs.{output.name}",
        notes=(f"probabilities would sum to 1 over all {softmaxed.size} positions of `{softmaxed.name}`",),
        related=(Related(head.span, "softmax here"),),
        fixes=(Fix(f"remove the activation and end with `- Softmax: {{axis: {target.name}}}`"),),
    )


def _check_classes(context: Context, output: Output) -> Iterator[Diagnostic]:
    if output.classes is not None and (output.gives_values or not output.is_trained):
        yield Diagnostic(
            "NN507",
            f"output `{output.name}` is {_name_task(output)}, but it lists {len(output.classes)} classes",
            context.span("outputs", output.name, "classes"),
            path=f"outputs.{output.name}.classes",
            notes=("the outputs of a regression are values, one per unit of the last layer; there are no classes",),
            fixes=(Fix("remove `classes`"),),
        )
    if output.class_axis is None or output.classes is None:
        return
    axis = next(a for a in output.value.axes if a.name == output.class_axis)
    if isinstance(axis.size, int) and axis.size != len(output.classes):
        yield Diagnostic(
            "NN508",
            f"output `{output.name}` has {len(output.classes)} classes, "
            f"but its class axis `{axis.name}` has {axis.size} positions",
            context.span("outputs", output.name, "classes"),
            path=f"outputs.{output.name}.classes",
            related=_made_by(context, output, f"`{axis.name}` is {axis.size} long here"),
            fixes=(Fix(f"make the layer that outputs `{axis.name}` {len(output.classes)} wide"),),
        )


def _made_by(context: Context, output: Output, label: str) -> tuple[Related, ...]:
    """The layer that an output comes from."""
    node = next((node for node in context.graph.nodes if node.name == output.value.node), None)
    return (Related(node.span, label),) if node is not None else ()
