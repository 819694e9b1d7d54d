"""Warns about reshapes that cut across what was joined, or that another one undoes: a permute is missing."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.checks.context import Context
from nnspec.diagnostics import Diagnostic, Fix, Related, Severity
from nnspec.document import format_path
from nnspec.ir import axes as ax
from nnspec.ir.axes import Atom, Axes
from nnspec.ir.graph import Graph, Node


def check_cut_parts(context: Context) -> Iterator[Diagnostic]:
    graph, joined = context.graph, dict[str, tuple[Node, int, int]]()
    makers = {node.name: node for node in graph.nodes}
    is_grouped = any("kernel_size" in node.args and node.args.get("groups", 1) > 1 for node in graph.nodes)
    for node in graph.nodes:
        if node.layer.joins_end_to_end:
            joined |= _parts(node)
        elif node.layer.moves_values and not node.layer.reorders_axes and len(node.inputs) == 1:
            yield from _check_cut(node, joined)
            if is_grouped:  # elsewhere, a pair of reshapes may be of no use, but nothing is missing
                yield from _check_undone(graph, node, makers.get(node.inputs[0].node))


def _parts(node: Node) -> dict[str, tuple[Node, int, int]]:
    """The axis along which equal parts were joined, by its key, with their number and size."""
    place = node.args["axis"] - 1
    sizes = {value.axes[place].size for value in node.inputs}
    whole = ax.whole_of(node.outputs[0].axes[place].atoms)
    (size,) = sizes if len(sizes) == 1 else (None,)
    return {whole.key: (node, len(node.inputs), size)} if whole is not None and isinstance(size, int) else {}


def _check_cut(node: Node, joined: dict[str, tuple[Node, int, int]]) -> Iterator[Diagnostic]:
    """NN346: `count` parts of `size` are read as `size` parts of `count`."""
    pieces: dict[str, list[tuple[str, Atom]]] = {}
    for axis in node.outputs[0].axes if joined else ():
        if len(axis.atoms) == 1 and axis.atoms[0].key in joined and not axis.atoms[0].is_whole:
            pieces.setdefault(axis.atoms[0].key, []).append((axis.name, axis.atoms[0]))
    for key, found in pieces.items():
        source, count, size = joined[key]
        is_whole_before = any(ax.whole_of(axis.atoms) is not None for axis in node.inputs[0].axes if _holds(axis, key))
        if count == size or [(a.size, a.step) for _, a in found] != [(size, count), (count, 1)] or not is_whole_before:
            continue
        slow, fast = (name for name, _ in found)
        yield Diagnostic(
            "NN346",
            f"`{node.kind}` cuts the {count} parts of {size} that `{source.name}` joined into {size} parts of {count}",
            node.span,
            path=format_path(node.path),
            related=(Related(source.span, f"{count} parts of {size} are joined here"),),
            notes=(
                f"in memory, one part follows the other: the first position of `{slow}` would hold the first {count} "
                f"of the {size} positions of the first part",
            ),
            fixes=(Fix(f"give the parts first, {count} × {size}; a `permute` after it puts `{fast}` last"),),
            severity=Severity.WARNING,
        )


def _holds(axis: ax.Axis, key: str) -> bool:
    return any(atom.key == key for atom in axis.atoms)


def _check_undone(graph: Graph, node: Node, first: Node | None) -> Iterator[Diagnostic]:
    """NN347: channels that are cut and merged again at once, as in a shuffle of channels without its permute."""
    if first is None or not first.layer.moves_values or first.layer.reorders_axes or len(first.inputs) > 1:
        return
    before, between, after = first.inputs[0].axes, first.outputs[0].axes, node.outputs[0].axes
    if _long(before) != _long(after) or len(_sizes(after)) < 2 or _is_read_besides(graph, first, node):
        return
    if len(_sizes(between)) != len(_sizes(before)) + 1 or not _is_cut_of_channels(before[-1], between):
        return
    yield Diagnostic(
        "NN347",
        f"`{node.name}` undoes `{first.name}`: together they change nothing",
        node.span,
        path=format_path(node.path),
        related=(Related(first.span, f"from {ax.describe(before)} to {ax.describe(between)} here"),),
        notes=("values move only if axes are reordered in between, as in a shuffle of channels",),
        fixes=(Fix("put a `permute` between the two"), Fix("or remove both")),
        severity=Severity.WARNING,
    )


def _is_cut_of_channels(channels: ax.Axis, between: Axes) -> bool:
    cut = ax.fuse(atom for axis in between[-2:] for atom in axis.atoms)
    return ax.is_unordered(channels) and cut == ax.fuse(channels.atoms)


def _long(axes: Axes) -> list[tuple[tuple[Atom, ...], ax.Size]]:
    """The axes that are longer than 1, by what they consist of."""
    return [(ax.fuse(axis.atoms), axis.size) for axis in axes if axis.size != 1]


def _sizes(axes: Axes) -> list[ax.Size]:
    return [axis.size for axis in axes if axis.size != 1]


def _is_read_besides(graph: Graph, node: Node, reader: Node) -> bool:
    """Whether anything but `reader` reads a node."""
    others = (value for other in graph.nodes if other is not reader for value in other.inputs)
    return any(value.node == node.name for value in (*others, *(output.value for output in graph.outputs.values())))
