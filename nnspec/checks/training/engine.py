"""Checks that the engine that a spec trains on is installed, and has what the spec uses."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from nnspec.backends.registry import AUTO
from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, NodeRef
from nnspec.diagnostics.extras import EXTRAS, install_command, is_installed
from nnspec.document import Scalar, locate, to_plain
from nnspec.ir.graph import Node
from nnspec.training.plan import plan_callbacks

TENSORFLOW = "tensorflow"  # has everything


def check_engine(context: Context) -> Iterator[Diagnostic]:
    """NN612 an engine that is not installed, NN614 what only TensorFlow has."""
    given = context.node("training", "backend")
    if not isinstance(given, Scalar) or given.value == TENSORFLOW:
        return
    name = str(given.value)
    if name == AUTO and find_spec(TENSORFLOW) is not None:  # which is then taken for what it alone has
        return
    if name in EXTRAS and not is_installed(name):
        message = f"`training.backend` is `{name}`, but the package {name} is not installed"
        yield Diagnostic("NN612", message, given.span, path="training.backend", fixes=(Fix(install_command(name)),))
    yield from only_on_tensorflow(context)


def only_on_tensorflow(context: Context) -> Iterator[Diagnostic]:
    """NN614: the layers and callbacks that Keras computes by TensorFlow on every engine."""
    fixes = (Fix("train on TensorFlow: `backend: tensorflow`"),)
    for node in filter(_needs_tensorflow, context.graph.nodes):
        message = f"`{node.kind}` runs only on TensorFlow, so no other backend can train `{node.name}`"
        yield Diagnostic("NN614", message, node.span, fixes=fixes, about=(NodeRef(node.name),))
    section = context.node("training", "callbacks")
    for index, callback in enumerate(plan_callbacks(to_plain(section) or []) if section is not None else ()):
        if callback.kind == "TensorBoard":
            span = locate(context.root, ("training", "callbacks", index)).span
            message = "the callback `TensorBoard` writes its files with TensorFlow"
            yield Diagnostic("NN614", message, span, fixes=(*fixes, Fix("log the metrics with `CSVLogger`")))


def _needs_tensorflow(node: Node) -> bool:
    return node.layer.runs_only_on_tensorflow(node) or any(map(_needs_tensorflow, node.inside))
