"""Checks that the weights to start from are there and fit; reads names and shapes from the file, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.checks.context import Context
from nnspec.data.sources import paths
from nnspec.diagnostics import Diagnostic, Fix, NodeRef, Span, SpecError, did_you_mean
from nnspec.diagnostics.lists import enumerated
from nnspec.document import to_plain
from nnspec.training.start import (
    OF_A_BUILD,
    Pair,
    Shapes,
    Start,
    file_of,
    fits,
    names_in,
    pairs_of,
    shapes_of,
    start_of,
    unknown_names,
)

if TYPE_CHECKING:
    pass

_PATH = "training.weights"
_SUFFIXES = (".keras", ".h5")
MOST = 4  # of layers that do not fit are told one by one


def check_start(context: Context) -> Iterator[Diagnostic]:
    """NN501, NN510 and NN533 for the file, NN532 for weights that do not fit."""
    node = context.node("training", "weights")
    start = start_of(to_plain(node)) if node is not None else None
    if start is None:
        return
    for key, said in (("nodes", tuple(start.nodes or ())), ("except", start.left_out)):
        for name in unknown_names(context.graph, said):
            holders = [each.name for each in context.graph.nodes if each.weights]
            guess = did_you_mean(name, [*holders, *_blocks(holders)])
            message = f"`{key}` names `{name}`, but no node with weights has this name{guess}"
            notes = (f"nodes with weights: {enumerated(holders)}",)
            yield Diagnostic("NN532", message, context.span("training", "weights", key), path=_PATH, notes=notes)
    if context.folder is not None:
        span = context.span("training", "weights", "from")
        yield from _check_file(context, start, context.folder, span)


def _blocks(names: list[str]) -> list[str]:
    return list(dict.fromkeys(name.rpartition("/")[0] for name in names if "/" in name))


def _check_file(context: Context, start: Start, folder: Path, span: Span) -> Iterator[Diagnostic]:
    try:
        place = paths.resolve(start.source, folder, span, _PATH, allow_outside=context.allow_outside)
    except SpecError as error:
        yield from error.diagnostics
        return
    file = file_of(start, place)
    if place.is_dir() and not file.is_file():
        message = f"`{start.source}` is not a build directory: it has no `{OF_A_BUILD}`"
        fix = Fix("name a directory that `nnspec build` or `nnspec train` wrote, or a .keras or .weights.h5 file")
        yield Diagnostic("NN533", message, span, path=_PATH, fixes=(fix,))
    elif not file.is_file():
        yield paths.missing_file(start.source, place, span, _PATH)
    elif file.suffix not in _SUFFIXES:
        message = f"`{start.source}` is neither a .keras nor a .weights.h5 file"
        fix = Fix("save weights with `model.save('model.keras')` or `model.save_weights('model.weights.h5')`")
        yield Diagnostic("NN533", message, span, path=_PATH, fixes=(fix,))
    else:
        yield from _check_weights(context, start, file, span)


def _check_weights(context: Context, start: Start, file: Path, span: Span) -> Iterator[Diagnostic]:
    from nnspec.backends.keras.stored_weights import StoredWeights  # reading a file takes NumPy

    try:
        stored = StoredWeights(file)
        names = list(names_in(stored))
    except ValueError as error:
        yield Diagnostic("NN533", f"`{start.source}` is damaged, or not a Keras file: {error}", span, path=_PATH)
        return
    if not names:
        message = f"`{start.source}` has no layers with weights"
        note = "Keras 2 stores them differently: load such a model with Keras 3, and save it as .keras"
        yield Diagnostic("NN533", message, span, path=_PATH, notes=(note,))
        return
    misfits = []
    for pair in pairs_of(context.graph, start):
        shapes = shapes_of(pair, stored)
        if shapes is None or not fits(pair.node, shapes):
            misfits.append(_misfit(start, pair, shapes, names, span))
    yield from misfits[:MOST]
    if len(misfits) > MOST:
        message = f"{len(misfits) - MOST} more layers have no weights in `{start.source}` that fit"
        fix = Fix(
            "name the ones that fit: `nodes: [encoder, conv2d_*]`, or map them to their names there: "
            "`nodes: {mine: theirs}`"
        )
        yield Diagnostic("NN532", message, span, path=_PATH, fixes=(fix,))


def _misfit(start: Start, pair: Pair, shapes: Shapes | None, names: list[str], span: Span) -> Diagnostic:
    node, layer = pair.node, pair.layers[0]
    own = ", ".join(f"{weight.name} {weight.shape}" for weight in node.weights)
    notes: tuple[str, ...] = ()
    if shapes is None:
        message = f"`{node.name}` has {own}, but `{start.source}` has no layer `{layer}`{did_you_mean(layer, names)}"
        called = Fix(f"give its name there: `weights: {{from: {start.source}, nodes: {{{node.name}: NAME}}}}`")
        fixes: tuple[Fix, ...] = (called,)
        notes = (f"layers with weights there: {enumerated(names)}",)
    else:
        there = ", ".join(map(str, shapes)) or "no weights"
        message = f"`{node.name}` has {own}, but `{layer}` of `{start.source}` has {there}"
        fixes = ()
    anew = Fix(f"or train it from the beginning: `weights: {{from: {start.source}, except: [{node.name}]}}`")
    return Diagnostic(
        "NN532", message, span, path=_PATH, notes=notes, fixes=(*fixes, anew), about=(NodeRef(node.name),)
    )
