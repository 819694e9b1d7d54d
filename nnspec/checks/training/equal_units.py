"""Warns of layers whose units all start with the same weights, and finds those that start so that they never learn."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.catalogue import keras_objects
from nnspec.checks.context import Context
from nnspec.checks.heads.task import activation_span
from nnspec.diagnostics import Diagnostic, Edit, Fix, Related, Severity, Span
from nnspec.document import Mapping, Scalar, format_path, locate
from nnspec.document import Node as Written
from nnspec.inference.heads import head_of
from nnspec.ir.graph import Graph, Node

_FLAT_AT_ZERO = ("relu", "relu6")  # whose slope at 0 is taken for 0 by TensorFlow and JAX
_MAY_START_AT_ZERO = ("linear", "sigmoid", "hard_sigmoid", "softmax")  # branches, gates and heads
_KEY = "kernel_initializer"
_CONSTANTS = {"Zeros": 0.0, "Ones": 1.0}


def check_equal_units(context: Context) -> Iterator[Diagnostic]:
    """NN385: a kernel of equal numbers within the network; one that training does not change is meant."""
    if context.node("training", "weights") is not None:
        return
    ends = {output.value.node for output in context.graph.outputs.values()}
    for node in context.graph.nodes:
        source = node.inner if node.inner is not None and node.layer.repeats_inner else node
        if _KEY not in source.given or "recurrent_initializer" in source.args or not _is_trained(source):
            continue
        value = _constant(source, _KEY)
        function, head = _function_behind(context.graph, node)
        count = source.args.get("units", source.args.get("filters"))
        if value == 0 and head is not None and function in _FLAT_AT_ZERO and _has_no_bias(source):
            yield _dead(context, node, source, function, head)
        elif value is None or (value == 0 and function in _MAY_START_AT_ZERO) or not isinstance(count, int):
            continue
        elif count > 1 and node.name not in ends:
            yield _equal(context, node, source, count)


def _constant(node: Node, argument: str) -> float | None:
    """The one number that an initializer writes everywhere; None where it is another kind."""
    given = node.args.get(argument)
    if given is None:
        return None
    kind, arguments = keras_objects.canonical("initializers", given)
    value = arguments.get("value", 0.0) if kind == "Constant" else _CONSTANTS.get(kind)
    return float(value) if isinstance(value, int | float) else None


def _is_trained(node: Node) -> bool:
    return any(weight.name == "kernel" and weight.is_trainable for weight in node.weights)


def _has_no_bias(node: Node) -> bool:
    """Whether none is added when the training starts."""
    return not node.args.get("use_bias", True) or _constant(node, "bias_initializer") == 0


def _function_behind(graph: Graph, node: Node) -> tuple[str, Node | None]:
    """The function that a layer's values go through first, its own or that of every reader."""
    function, head = head_of([node], node.outputs[0])
    readers = list(_readers(graph, node))
    if function != "linear" or any(output.value.node == node.name for output in graph.outputs.values()):
        return function, head
    names = {"linear" if one.weights else head_of([one], one.outputs[0])[0] for one in readers}
    return (names.pop(), readers[0]) if len(names) == 1 else ("linear", None)


def _readers(graph: Graph, node: Node) -> Iterator[Node]:
    """Those that read what a node gives, behind what acts in training alone."""
    for one in graph.nodes:
        if any(read.node == node.name for read in one.inputs):
            yield from _readers(graph, one) if one.layer.is_training_only else [one]


def _dead(context: Context, node: Node, source: Node, function: str, head: Node) -> Diagnostic:
    return Diagnostic(
        "NN385",
        f"`{node.name}` never learns: its kernel starts as zeros, and the slope of {function} at 0 is 0",
        _span(context, source),
        path=format_path((*source.path, source.layer.kind, _KEY)),
        related=(Related(activation_span(context, head), f"{function} here"),),
        notes=("all that it gives is 0, for any input, and no gradient passes it",),
        fixes=(_without(context, source),),
    )


def _equal(context: Context, node: Node, source: Node, count: int) -> Diagnostic:
    parts = "units" if "units" in source.args else "filters"
    return Diagnostic(
        "NN385",
        f"all {count} {parts} of `{node.name}` start with the same weights, so they start as one",
        _span(context, source),
        path=format_path((*source.path, source.layer.kind, _KEY)),
        notes=("random weights tell units apart; with equal ones only what reads them can",),
        fixes=(_without(context, source), Fix("for a kernel that is to stay so, write `trainable: false`")),
        severity=Severity.WARNING,
    )


def _span(context: Context, node: Node) -> Span:
    found = _said(context, node)
    return node.span if found is None else found.span


def _said(context: Context, node: Node) -> Written | None:
    """Where the spec says the initializer."""
    body = locate(context.root, (*node.path, node.layer.kind))
    return body.get(_KEY) if isinstance(body, Mapping) else None


def _without(context: Context, node: Node) -> Fix:
    """The usual initializer; the edit is left out where the same layer is used several times."""
    found, usual = _said(context, node), node.layer.args[_KEY].default
    is_written = isinstance(found, Scalar) and not found.span.text.startswith("$") and node.shared is None
    edits = (Edit(found.span, str(usual)),) if found is not None and is_written else ()
    return Fix(f"use the default, `{usual}`", edits)
