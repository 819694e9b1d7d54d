"""Layers and inputs that lead to no output."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nnspec.diagnostics import Diagnostic, Fix
from nnspec.document import Mapping, format_path
from nnspec.expansion.expand import Expanded
from nnspec.expansion.naming import Reference


def unreached(expanded: Expanded, sound: Collection[str], sources: Sequence[Reference | None]) -> Iterator[Diagnostic]:
    """NN405 for what nothing reads, judged by names alone, so that faults elsewhere do not hide it.

    Args:
        sound: the names of the layers that could be inferred; the others have a fault already.
        sources: what the outputs read; where one reads nothing known, nothing can be judged.
    """
    if not sources or any(source is None for source in sources):
        return
    reached = {source.key for source in sources if source is not None}
    for item in reversed(expanded.items):
        if item.name in reached:
            reached.update(reference.key for reference in item.reads if reference is not None)
    for item in expanded.items:
        if item.name in sound and item.name not in reached:
            yield Diagnostic(
                "NN405",
                f"nothing reads `{item.name}`: it leads to no output",
                item.span,
                path=format_path(item.path),
                fixes=(Fix("read it with `from:`, name it as an output, or leave it out"),),
            )
    inputs = expanded.root.get("inputs")
    if not isinstance(inputs, Mapping):
        return
    for name in inputs.entries:
        if name not in reached:
            message = f"nothing reads input `{name}`: it leads to no output"
            yield Diagnostic("NN405", message, inputs.key_span(name), path=f"inputs.{name}")
