"""Writes a draft as a spec that `check` accepts, and that reads back as exactly the layers of the draft."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnspec import pipeline
from nnspec.diagnostics import Severity, Span, SpecError
from nnspec.importers.keras.build_spec import Draft
from nnspec.importers.keras.writing import write_spec
from nnspec.ir.graph import Args, Graph
from nnspec.layers.registry import REGISTRY


def write_checked(draft: Draft, path: Path, fold: bool, here: Span) -> tuple[str, pipeline.Checked]:
    """The spec's text, folded where writing it out again gives exactly the layers that were read."""
    for is_folded in (True, False) if fold else (False,):
        text = write_spec(draft, fold=is_folded)
        path.write_text(text, encoding="utf-8")
        try:
            checked = pipeline.check(path)
        except SpecError as error:
            if is_folded:
                continue
            said = [f"{d.code}: {d.message}" for d in error.diagnostics if d.severity is Severity.ERROR]
            message = "the model computes something that a spec cannot express: " + said[0]
            raise SpecError.single("NN607", message, here, notes=said[1:]) from None
        if is_exact(draft, checked.graph):
            return text, checked
    raise AssertionError("a spec that is not folded is the list that it was written from")


def is_exact(draft: Draft, graph: Graph) -> bool:
    if len(graph.nodes) != len(draft.items):
        return False
    place = {id(item.node): i for i, item in enumerate(draft.items)}
    numbers = {node.name: i for i, node in enumerate(graph.nodes)}
    for node, item in zip(graph.nodes, draft.items, strict=True):
        wanted = [place[id(read.item.node)] if read.item is not None else read.value.node for read in item.reads]
        got = [numbers.get(value.node, value.node) for value in node.inputs]
        if node.kind != item.kind or got != wanted:
            return False
        if _plain(_unnamed(item.kind, node.args)) != _plain(_unnamed(item.kind, item.node.args)):
            return False
    return True


def _unnamed(kind: str, args: Args) -> Args:
    """Arguments without those that name a value, which is among what is read."""
    return {key: value for key, value in args.items() if key not in REGISTRY[kind].references}


def _plain(args: Args) -> str:
    """Arguments to compare: `3` and `[3, 3]` are the same size of a kernel; what was made of others is left out."""

    def said(value: object) -> object:
        if isinstance(value, list | tuple) and value and all(item == value[0] for item in value):
            return said(value[0])
        return {k: said(v) for k, v in value.items()} if isinstance(value, Mapping) else value

    return repr({key: said(value) for key, value in args.items() if not _is_made(value)})


def _is_made(value: object) -> bool:
    """Whether an argument is no plain data: what a layer made of those that are, which says where files stand."""
    if isinstance(value, list | tuple):
        return any(map(_is_made, value))
    return not isinstance(value, str | int | float | Mapping | None)
