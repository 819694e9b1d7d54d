"""`inputs: {person: {axes: {feature: auto}}}`: a size that follows from the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from nnspec.diagnostics import Diagnostic, Fix, Report
from nnspec.document import Mapping, Node, Scalar, format_path
from nnspec.expansion.auto_arguments import AUTO, Count, with_value
from nnspec.expansion.items import Expanded


def has_auto_sizes(expanded: Expanded) -> bool:
    return any(True for _ in auto_sizes(expanded))


def auto_sizes(expanded: Expanded) -> Iterator[tuple[str, str, Node]]:
    """The inputs with a size that is `auto`: name, axis and its place."""
    inputs = expanded.root.get("inputs")
    for name, body in inputs.entries.items() if isinstance(inputs, Mapping) else ():
        axes = body.get("axes") if isinstance(body, Mapping) else None
        for axis, size in axes.entries.items() if isinstance(axes, Mapping) else ():
            if isinstance(size, Scalar) and size.value == AUTO:
                yield name, axis, size


def settle_sizes(expanded: Expanded, count: Callable[[str, str], Count], report: Report) -> Expanded:
    """The document with every size `auto` replaced by that of the data.

    Args:
        count: of an axis, by the names of the input and of the axis.
    """
    root = expanded.root
    for name, axis, size in auto_sizes(expanded):
        path = ("inputs", name, "axes", axis)
        found = count(name, axis)
        if found.number is None:
            message = f"`{axis}: auto` of input `{name}` is the size of its data, but {found.why}"
            fixes = (Fix(found.remedy),)
            report.add(Diagnostic("NN553", message, size.span, path=format_path(path), fixes=fixes))
        else:
            root = with_value(root, path, Scalar(found.number, size.span))
    return replace(expanded, root=root)
