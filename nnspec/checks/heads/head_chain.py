"""Checks what stands behind the last weights of an output: a second function that limits it, or a dropout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nnspec.catalogue.losses import LOGARITHMS, SCORE_LOSSES, loss_of
from nnspec.checks.context import Context
from nnspec.checks.heads.task import activation_fix, activation_span
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity
from nnspec.document import format_path
from nnspec.inference.heads import head_function, head_of, is_signed
from nnspec.ir.graph import Node, Output

# Functions that limit what they give, and what a sigmoid makes of it.
_BOUNDED = {
    "sigmoid": "0.5 to 0.73",
    "softmax": "0.5 to 0.73",
    "hard_sigmoid": "0.5 to 0.73",
    "tanh": "0.27 to 0.73",
    "softsign": "0.27 to 0.73",
}
_NOT_NEGATIVE = {"relu": "0.5 to 1", "relu6": "0.5 to 1", "softplus": "0.5 to 1"}


def check_head_chain(context: Context) -> Iterator[Diagnostic]:
    by_name = {node.name: node for node in context.graph.nodes}
    for output in context.graph.outputs.values():
        if output.is_trained:
            yield from _check_squeezed(context, output)
            yield from _check_scores(context, output)
        if output.is_trained and not output.gives_values:
            yield from _check_dropped(output, by_name)


def _check_squeezed(context: Context, output: Output) -> Iterator[Diagnostic]:
    """NN335: a sigmoid or softmax of what another function has limited already."""
    function, head = head_function(context.graph.nodes, output)
    if function not in ("sigmoid", "softmax") or head is None or not _is_function(head):
        return
    inner, maker = head_of(context.graph.nodes, head.inputs[0])
    given = _what_is_left(function, inner)
    if maker is None or not given:
        return
    yield Diagnostic(
        "NN335",
        f"the {function} of `{head.name}` follows a {inner}, which limits its range, so output `{output.name}` {given}",
        head.span,
        path=format_path(head.path),
        related=(Related(activation_span(context, maker), f"{inner} here"),),
        fixes=(activation_fix(context, maker, "linear", f"remove the {inner} of `{maker.name}`"),),
        severity=Severity.WARNING,
    )


def _check_scores(context: Context, output: Output) -> Iterator[Diagnostic]:
    """NN335 for a loss that wants scores, and gets probabilities; NN337 for one that takes their logarithm."""
    loss, _ = loss_of(output)
    function, head = head_function(context.graph.nodes, output)
    span, path = context.span("outputs", output.name, "loss"), f"outputs.{output.name}.loss"
    if head is None:
        return
    related = (Related(activation_span(context, head), f"{function} here"),)
    if loss in SCORE_LOSSES and function in ("sigmoid", "softmax"):
        yield Diagnostic(
            "NN335",
            f"loss `{loss}` needs scores with a margin between them, but a {function} keeps those of output "
            f"`{output.name}` between 0 and 1",
            span,
            path=path,
            related=related,
            fixes=(activation_fix(context, head, "linear", "make the head linear"),),
            severity=Severity.WARNING,
        )
    elif (
        loss in LOGARITHMS
        and function == "linear"
        and output.task == "regression"
        and is_signed(context.graph.nodes, output.value)
    ):
        yield Diagnostic(
            "NN337",
            f"loss `{loss}` takes the logarithm of output `{output.name}`, whose linear head gives negative values too",
            span,
            path=path,
            related=related,
            notes=("the logarithm of a negative value is NaN, and training stops at the first one",),
            fixes=(activation_fix(context, head, "softplus", "use `activation: softplus`, or `exponential`"),),
            severity=Severity.WARNING,
        )


def _what_is_left(function: str, inner: str) -> str:
    """What an output can still be behind both; empty where the inner function limits nothing that matters."""
    if function == "sigmoid":
        kept = _BOUNDED.get(inner) or _NOT_NEGATIVE.get(inner)
        return f"can only be {kept}" if kept else ""
    if inner in _BOUNDED:
        return "cannot give one class a probability near 1"
    return "learns nothing about a class whose score is 0" if inner.startswith("relu") else ""


def _is_function(node: Node) -> bool:
    """Whether it is an activation alone, rather than a layer that has one."""
    said = node.layer.own_activation or node.args.get("activation")
    return bool(said) and not node.weights and len(node.inputs) == 1 and not node.inside


def _passes_on(node: Node) -> bool:
    return node.layer.moves_values or node.layer.is_training_only or node.layer.follows_head


def _check_dropped(output: Output, by_name: Mapping[str, Node]) -> Iterator[Diagnostic]:
    """NN336: a dropout of what an output gives, with no weights behind it that could make up for it."""
    dropout: Node | None = None
    node = by_name.get(output.value.node)
    while node is not None and not node.weights and len(node.inputs) == 1:
        if node.layer.is_training_only and node.args.get("rate"):
            dropout = node
        elif not (_passes_on(node) or _is_function(node)):
            return
        node = by_name.get(node.inputs[0].node)
    if dropout is None or node is None or not node.weights:
        return
    yield Diagnostic(
        "NN336",
        f"`{dropout.name}` drops values of output `{output.name}`: in training, it sets {dropout.args['rate']:.0%} of "
        "the predictions to 0",
        dropout.span,
        path=format_path(dropout.path),
        related=(Related(node.span, f"`{node.name}` has the last weights"),),
        notes=("dropout keeps the layers after it from relying on single values, but no weights follow here",),
        fixes=(Fix(f"move it before `{node.name}`, or remove it"),),
        severity=Severity.WARNING,
    )
