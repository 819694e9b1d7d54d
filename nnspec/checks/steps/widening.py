"""Proposes dilations or a kernel size with which a causal stack sees its whole window, tried on the graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from nnspec.ir.graph import Field, Graph, Node, Value, Window
from nnspec.ir.receptive_field import propagate
from nnspec.layers.kit.args import as_tuple
from nnspec.lazy import dataclass

MOST_LAYERS = 64  # of a stack; past that nothing is proposed


@dataclass(frozen=True)
class Slider:
    """A layer whose kernel slides along the axis and keeps its length.

    Attributes:
        position: of the axis in what the layer reads.
    """

    node: Node
    position: int
    kernel: int
    dilation: int

    def window(self, kernel: int, dilation: int) -> Window:
        old = self.node.windows[self.position]
        return replace(old, span=1 + (kernel - 1) * dilation)


def sliders(graph: Graph, value: Value, axis: str) -> list[Slider]:
    """The causal convolutions on the way to a value, in order."""
    reached = {value.node}
    for node in reversed(graph.nodes):
        if node.name in reached:
            reached.update(each.node for each in node.inputs)
    return [found for node in graph.nodes if node.name in reached and (found := _slider(node, axis)) is not None]


def _slider(node: Node, axis: str) -> Slider | None:
    source = node.inner if node.inner is not None else node
    if source.args.get("padding") != "causal" or "kernel_size" not in source.args:
        return None
    places = [place for place in node.windows if node.inputs[0].axes[place].origin == axis]
    if len(places) != 1:
        return None
    (kernel,), (dilation,) = as_tuple(source.args["kernel_size"], 1), as_tuple(source.args["dilation_rate"], 1)
    if as_tuple(source.args["strides"], 1) != (1,):
        return None
    return Slider(node, places[0], kernel, dilation)


def field_with(graph: Graph, value: Value, axis: str, changed: Mapping[str, Mapping[int, Window]]) -> Field:
    """The value's field along an axis if these nodes had these windows."""
    fields: dict[tuple[str, str], Mapping[str, Field]] = {(n, "output"): v.fields for n, v in graph.inputs.items()}
    for node in graph.nodes:
        inputs = [replace(each, fields=fields[each.node, each.port]) for each in node.inputs]
        windows = {**node.windows, **changed.get(node.name, {})}
        depends = any(each.fields for each in node.outputs)
        made = propagate(inputs, [each.axes for each in node.outputs], windows) if depends else {}
        fields.update({(node.name, each.port): made for each in node.outputs})
    return fields[value.node, value.port][axis]


def proposals(graph: Graph, value: Value, axis: str, wanted: int) -> Iterator[str]:
    """Dilations of the layers that are there, or of more of them, and one kernel for all, that just see `wanted`."""
    stack = sliders(graph, value, axis)
    if not stack or len(stack) > MOST_LAYERS:
        return
    names = ", ".join(f"`{slider.node.name}`" for slider in stack)

    def sees(kernels: Sequence[int], dilations: Sequence[int]) -> bool:
        changed = {
            slider.node.name: {slider.position: slider.window(kernel, dilation)}
            for slider, kernel, dilation in zip(stack, kernels, dilations, strict=True)
        }
        size = field_with(graph, value, axis, changed).size
        return size is None or size >= wanted

    kernels = [slider.kernel for slider in stack]
    dilations = _dilations(kernels, sees)
    if dilations is not None:
        yield f"`dilation_rate` {_list_numbers(dilations)} in {names}"
    elif len(set(kernels)) == 1 and kernels[0] > 1:
        yield from _more_layers(graph, value, axis, wanted, stack)
    now = [slider.dilation for slider in stack]
    kernel = next((k for k in range(min(kernels), wanted + 1) if sees([max(k, own) for own in kernels], now)), None)
    if kernel is not None:
        yield f"`kernel_size: {kernel}` in {names}"


def _more_layers(graph: Graph, value: Value, axis: str, wanted: int, stack: Sequence[Slider]) -> Iterator[str]:
    """The least number of further layers, tried as one window that is as wide as theirs behind the last one."""
    kernel, last = stack[0].kernel, stack[-1]
    for more in range(1, MOST_LAYERS - len(stack) + 1):
        powers = [kernel**i for i in range(len(stack) + more)]
        changed = {
            each.node.name: {each.position: each.window(kernel, d)} for each, d in zip(stack, powers, strict=False)
        }
        tail = sum(powers[len(stack) - 1 :])
        size = field_with(
            graph, value, axis, {**changed, last.node.name: {last.position: last.window(kernel, tail)}}
        ).size
        if size is not None and size >= wanted:
            yield f"`dilation_rate` {_list_numbers(powers)}, with {more} more such layer{'s' if more > 1 else ''}"
            return


def _list_numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _dilations(kernels: Sequence[int], sees: Callable[[Sequence[int], Sequence[int]], bool]) -> list[int] | None:
    """The smallest powers, 1, 2, 4, …, that see far enough and leave no gaps: no base larger than a kernel."""
    for base in range(2, max(min(kernels), 2) + 1):
        powers = [base**i for i in range(len(kernels))]
        if sees(kernels, powers):
            while powers[-1] > 1 and sees(kernels, [*powers[:-1], powers[-1] - 1]):
                powers[-1] -= 1
            return powers
    return None
