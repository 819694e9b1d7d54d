"""The iterations of a `repeat`: the variables of each, from `for` or `times`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nnspec.diagnostics import Diagnostic, Fix, Report, Span
from nnspec.document import Mapping, Node, to_plain


def rounds_of(
    body: Mapping, substituted: Callable[[Node], Node], report: Report, most: int
) -> list[dict[str, Any]] | None:
    """The variables of every round; None where a fault (NN113) was reported.

    Args:
        substituted: replaces the variables of a node.
        most: how many rounds `times` may ask for.
    """

    def fault(message: str, span: Span, *fixes: Fix) -> None:
        report.add(Diagnostic("NN113", message, span, fixes=fixes))

    loop, times = body.get("for"), body.get("times")
    if (loop is None) == (times is None):
        message = "needs `for` or `times`" if loop is None else "takes either `for` or `times`, not both"
        fix = Fix("`for: {units: [8, 16]}` loops over values of a variable; `times: 3` just repeats")
        fault(f"`repeat` {message}", body.span, fix)
        return None
    if times is not None:
        count = to_plain(substituted(times))
        if count is None:
            return None
        if not isinstance(count, int) or not 0 <= count <= most:
            fault(f"`times` must be an integer from 0 to {most}, but it is `{count}`", times.span)
            return None
        return [{}] * count
    if not isinstance(loop, Mapping):
        return None
    columns: dict[str, list[Any]] = {}
    for name, node in loop.entries.items():
        values = to_plain(substituted(node))
        if values is None:
            return None
        if not isinstance(values, list):
            fix = Fix(f"write a list: `{name}: [{values}]`, or `$(range({values}))` for 0, 1, 2, …")
            fault(f"`{name}` of `for` must be a list, but it is `{values}`", node.span, fix)
            return None
        columns[name] = values
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"`{n}` has {k}" for n, k in lengths.items())
        fault(f"the lists of `for` are iterated in parallel and must have the same length: {said}", loop.span)
        return None
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
