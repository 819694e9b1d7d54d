"""Checks that `export.layout` names every axis of an input or output once."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Edit, Fix, did_you_mean, nearest
from nnspec.document import Mapping, to_plain
from nnspec.ir import axes as ax


def check_layout(context: Context) -> Iterator[Diagnostic]:
    layout = context.node("export", "layout")
    if not isinstance(layout, Mapping):
        return
    values = {**context.graph.inputs, **{name: o.value for name, o in context.graph.outputs.items()}}
    for name, node in layout.entries.items():
        path = f"export.layout.{name}"
        if name not in values:
            message = (
                f"`export.layout` names `{name}`, which is neither an input nor an output{did_you_mean(name, values)}"
            )
            fixes = tuple(Fix(f"use `{c}`", (Edit(layout.key_span(name), c),)) for c in nearest(name, values))
            notes = ("inputs and outputs: " + ", ".join(f"`{n}`" for n in values),)
            yield Diagnostic("NN602", message, layout.key_span(name), path=path, notes=notes, fixes=fixes)
            continue
        wanted = to_plain(node)
        known = ["batch", *ax.names(values[name].axes)]
        if sorted(wanted) != sorted(known):
            said = ", ".join(known)
            given = ", ".join(map(str, wanted))
            message = f"the layout of `{name}` must list each of ({said}) once, but it is ({given})"
            fixes = (Fix(f"list them all, in any order: `[{said}]`", (Edit(node.span, f"[{said}]"),)),)
            yield Diagnostic("NN602", message, node.span, path=path, fixes=fixes)
