"""Which stored weight belongs to which of a block's: said in its file, by the name of an item, or the only one left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from nnspec.backends.keras.stored_weights import Stored, described, variables_by_path
from nnspec.backends.types import KerasCallable, KerasVariable
from nnspec.diagnostics import Fix, Span, SpecError, did_you_mean
from nnspec.document import Scalar
from nnspec.importers.keras.items import Origin
from nnspec.importers.keras.own_blocks import OwnBlock
from nnspec.ir.graph import Node


@dataclass(frozen=True, eq=False)
class Holder:
    """An item of a block that has weights: its node, and what holds them in Keras."""

    origin: Origin
    node: Node
    layer: KerasCallable

    @property
    def variables(self) -> list[KerasVariable]:
        return list(self.node.layer.keras_weights(self.layer))

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """As the class would have them, which for declared weights are the sizes of their axes."""
        own = self.node.args.get("own")
        return [w.sizes for w in own] if own else [weight.shape for weight in self.node.weights]


@dataclass(eq=False, kw_only=True)
class _Assignment:
    """One layer's weights on their way.

    Attributes:
        stored: those that nothing has taken yet.
        left: the weights that have none yet.
    """

    block: OwnBlock
    layer: str
    stored: Stored
    whole: Mapping[str, np.ndarray]
    found: list[tuple[KerasVariable, np.ndarray]] = field(default_factory=list)
    left: list[tuple[str, KerasVariable, tuple[int, ...]]] = field(default_factory=list)

    def fail(self, message: str, span: Span | None = None, fixes: Sequence[Fix] = ()) -> SpecError:
        notes = [f"the archive has for layer `{self.layer}`: {described(self.whole)}"]
        return SpecError.single("NN381", message, span or self.block.span, notes=notes, fixes=fixes)

    def give(self, what: str, variable: KerasVariable, shape: tuple[int, ...], path: str, span: Span | None) -> None:
        array = self.stored.pop(path)
        if _plain(array.shape) != _plain(shape):
            message = f"`{what}` of the block of `{self.block.class_name}` is {shape}, but `{path}` is {array.shape}"
            raise self.fail(message, span)
        self.found.append((variable, array.reshape(tuple(variable.shape))))

    def at(self, path: str, span: Span) -> str:
        """The path of one array: itself, or the only one below it."""
        below = [place for place in self.stored if place == path or place.startswith(f"{path}/")]
        if len(below) != 1:
            said = "does not lead to a weight" if not below else f"leads to {len(below)} weights"
            message = f"`{path}` {said} of layer `{self.layer}`{did_you_mean(path, self.stored)}"
            raise self.fail(message, span)
        return below[0]

    def folder(self, holder: Holder, path: str, span: Span | None) -> None:
        """A Keras layer's weights from a folder, each by its own path, or all in order."""
        below = {p.removeprefix(f"{path}/"): p for p in self.stored if p.startswith(f"{path}/")}
        places = {id(variable): place for place, variable in variables_by_path(holder.layer).items()}
        weights = list(zip(holder.variables, holder.node.weights, holder.shapes, strict=True))
        wanted = [places.get(id(variable), "") for variable, _, _ in weights]
        if not set(wanted) <= set(below):
            if not below:
                message = f"the archive has nothing under `{path}`{did_you_mean(path, _folders(self.whole))}"
                raise self.fail(message, span)
            if len(below) != len(weights):
                message = (
                    f"`{holder.origin.name}` ({holder.node.kind}) has {len(weights)} weights, but the archive has "
                    f"{len(below)} under `{path}`"
                )
                raise self.fail(message, span)
            wanted = list(below)
        for (variable, weight, shape), place in zip(weights, wanted, strict=True):
            self.give(f"{holder.origin.name}.{weight.name}", variable, shape, below[place], span)


def assign(
    block: OwnBlock, layer: str, holders: Sequence[Holder], stored: Stored
) -> list[tuple[KerasVariable, np.ndarray]]:
    """Every variable of a block's items with its stored values.

    Args:
        layer: what the layer is called in the model.

    Raises:
        SpecError: NN381 where a weight has none, where shapes differ, and where the archive has more.
    """
    work = _Assignment(block=block, layer=layer, stored=dict(stored), whole=dict(stored))
    said = block.weights
    _check_names(work, holders)
    seen: set[int] = set()
    for holder in holders:
        if id(holder.layer) in seen:
            continue  # a layer that is used twice
        seen.add(id(holder.layer))
        name = holder.origin.name
        whole = said.get(name)
        weights = list(zip(holder.variables, holder.node.weights, holder.shapes, strict=True))
        own = [f"{name}.{weight.name}" for _, weight, _ in weights]
        if whole is not None and len(weights) == 1:
            work.give(name, weights[0][0], weights[0][2], work.at(str(whole.value), whole.span), whole.span)
        elif whole is not None:
            work.folder(holder, str(whole.value), whole.span)
        elif set(own) & set(said) or "own" in holder.node.args:
            for key, (variable, _, shape) in zip(own, weights, strict=True):
                place = said.get(key)
                if place is None:
                    work.left.append((key, variable, shape))
                else:
                    work.give(key, variable, shape, work.at(str(place.value), place.span), place.span)
        elif any(path.startswith(f"{_folder(name, said)}/") for path in work.stored):
            work.folder(holder, _folder(name, said), None)
        else:
            work.left += [(key, variable, shape) for key, (variable, _, shape) in zip(own, weights, strict=True)]
    _give_the_rest(work)
    return work.found


def _folder(name: str, said: Mapping[str, Scalar]) -> str:
    """Where an item's weights lie if it is called as in the class: `encoder/dense` below what is said of `encoder`."""
    steps = name.split("/")
    for count in range(len(steps) - 1, 0, -1):
        place = said.get("/".join(steps[:count]))
        if place is not None:
            return "/".join((str(place.value), *steps[count:]))
    return name


def _check_names(work: _Assignment, holders: Sequence[Holder]) -> None:
    known = [h.origin.name for h in holders]
    known += [f"{h.origin.name}.{weight.name}" for h in holders for weight in h.node.weights]
    known += ["/".join(steps[:i]) for steps in (name.split("/") for name in known) for i in range(1, len(steps))]
    for key, place in work.block.weights.items():
        if key not in known:
            message = f"the block of `{work.block.class_name}` has no weight `{key}`{did_you_mean(key, known)}"
            notes = [f"its weights: {', '.join(f'`{name}`' for name in dict.fromkeys(known))}"]
            raise SpecError.single("NN381", message, place.span, notes=notes)


def _give_the_rest(work: _Assignment) -> None:
    """What nothing names: a weight named as its folder, or the only one left of each side."""
    left = []
    for key, variable, shape in work.left:
        item = _folder(key.rpartition(".")[0], work.block.weights)
        below = [path for path in work.stored if path.startswith(f"{item}/")]
        if len(below) == 1:
            work.give(key, variable, shape, below[0], None)
        else:
            left.append((key, variable, shape))
    if len(left) == 1 == len(work.stored):
        key, variable, shape = left.pop()
        work.give(key, variable, shape, next(iter(work.stored)), None)
    if left:
        key = left[0][0]
        fix = Fix(f"set its path: `weights: {{{key}: …/vars/0}}`")
        message = f"where `{key}` {left[0][2]} of the block of `{work.block.class_name}` is stored is not known"
        raise work.fail(message, fixes=[fix])
    if work.stored:
        message = f"the block of `{work.block.class_name}` takes no weight from `{next(iter(work.stored))}`"
        raise work.fail(message, fixes=[Fix("assign it under `weights`, or add its layer to the block")])


def _folders(stored: Stored | Mapping[str, np.ndarray]) -> list[str]:
    return list(dict.fromkeys(path.rpartition("/vars/")[0] for path in stored))


def _plain(shape: Sequence[int]) -> list[int]:
    return [int(size) for size in shape if size != 1]
