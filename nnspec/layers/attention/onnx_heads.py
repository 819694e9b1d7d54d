"""Projections to heads as ONNX nodes: all of one input by one product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nnspec.backends.onnx.ops.projection import write_dense_product
from nnspec.lazy import dataclass, np

if TYPE_CHECKING:
    from nnspec.backends.onnx.lowering import Array, Lowering
    from nnspec.backends.onnx.view import Group, View


@dataclass(frozen=True)
class Heads:
    """A projection to heads: kernel (feature, head, size) and bias (head, size)."""

    kernel: Array
    bias: Array | None

    @classmethod
    def of(cls, weights: Mapping[str, Array], name: str) -> Heads:
        return cls(weights[f"{name}_kernel"], weights.get(f"{name}_bias"))

    def scaled(self, factor: float) -> Heads:
        by = self.kernel.dtype.type(factor)
        return Heads(self.kernel * by, None if self.bias is None else self.bias * by)

    @property
    def count(self) -> int:
        return int(self.kernel.shape[1])

    @property
    def size(self) -> int:
        return int(self.kernel.shape[2])


def join_groups(groups: Sequence[Group]) -> Group:
    return tuple(factor for group in groups for factor in group)


def group_by_source(parts: Mapping[str, Heads], sources: Mapping[str, View]) -> Iterator[tuple[View, dict[str, Heads]]]:
    """The projections by the input that they project."""
    for view in dict.fromkeys(sources[name] for name in parts):
        yield view, {name: part for name, part in parts.items() if sources[name] is view}


def columns_of(parts: Mapping[str, Heads]) -> tuple[Array, Array | None]:
    """The kernels of several projections side by side, (feature, column), and their biases."""
    kernels = [part.kernel.reshape(len(part.kernel), -1) for part in parts.values()]
    biases = [part.bias.reshape(-1) for part in parts.values() if part.bias is not None]
    return np.concatenate(kernels, axis=1), np.concatenate(biases) if biases else None


def project(lowering: Lowering, view: View, places: Sequence[int], parts: Mapping[str, Heads]) -> dict[str, str]:
    """All projections of one input by one product: tensors of (lead, head, step, size); the key's, with size first.

    Args:
        places: the axes that are attended.
    """
    kernel, bias = columns_of(parts)
    hint = "_".join(parts)
    if len({part.size for part in parts.values()}) == 1:  # one transpose for all of them
        first = next(iter(parts.values()))
        head = lowering.factor("head", sum(part.count for part in parts.values()))
        size = lowering.factor("size", first.size)
        whole = write_dense_product(lowering, view, kernel, bias, (*head, *size), hint)
        if list(parts) == ["key"]:
            return {"key": _heads_first(lowering, whole, places, head, size, is_key=True).tensor}
        ready = _heads_first(lowering, whole, places, head, size)
        result = split_dim(lowering, ready, {name: part.count for name, part in parts.items()}, len(ready.dims) - 3)
        if "key" in result:
            heads = lowering.factor("head", parts["key"].count)
            dims = (*ready.dims[:-3], heads, *ready.dims[-2:])
            own = replace(ready, tensor=result["key"], dims=dims, axes=dims)
            result["key"] = lowering.arrange(own, (*dims[:-2], dims[-1], dims[-2])).tensor
        return result
    whole = write_dense_product(lowering, view, kernel, bias, lowering.factor("column", kernel.shape[1]), hint)
    widths = {name: part.count * part.size for name, part in parts.items()}
    result = {}
    for name, tensor in split_dim(lowering, whole, widths, len(whole.dims) - 1).items():
        head, size = lowering.factor("head", parts[name].count), lowering.factor("size", parts[name].size)
        made = (*head, *size)
        own = replace(whole, tensor=tensor, dims=(*whole.dims[:-1], made), axes=(*whole.axes[:-1], made))
        result[name] = _heads_first(lowering, own, places, head, size, is_key=name == "key").tensor
    return result


def _heads_first(
    lowering: Lowering, view: View, places: Sequence[int], head: Group, size: Group, *, is_key: bool = False
) -> View:
    lead = [group for i, group in enumerate(view.axes[:-1]) if i not in places]
    steps = join_groups([view.axes[i] for i in places])
    return lowering.arrange(view, (*lead, head, size, steps) if is_key else (*lead, head, steps, size))


def split_dim(lowering: Lowering, view: View, lengths: Mapping[str, int], dim: int) -> dict[str, str]:
    if len(lengths) == 1:
        return dict.fromkeys(lengths, view.tensor)
    sizes = lowering.constant(np.asarray(list(lengths.values()), np.int64), "sizes")
    tensors = lowering.nodes("Split", view.tensor, sizes, outputs=len(lengths), axis=dim)
    return dict(zip(lengths, tensors, strict=True))
