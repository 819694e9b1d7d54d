"""What `training.weights` says: a file of trained weights, and which layers start from it; without a framework."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec.document.types import Plain
from nnspec.ir.graph import Graph, Node
from nnspec.ir.names import keras_name
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from nnspec.backends.keras.stored_weights import StoredWeights

OF_A_BUILD = "model.keras"
Shapes = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Trained weights to start from.

    Attributes:
        source: the file, or the directory of a build, as the spec has it.
        nodes: which nodes, blocks or patterns take theirs, and what they are called in the file; None: all.
        left_out: those that do not.
    """

    source: str
    nodes: Mapping[str, str] | None = None
    left_out: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether a node starts from the file."""
        return (self.nodes is None or is_among(name, self.nodes)) and not is_among(name, self.left_out)


@dataclass(frozen=True, slots=True)
class Pair:
    """A node with weights, and the layers of the file that may have them: of each weight its own, or one for all."""

    node: Node
    layers: tuple[str, ...]


def start_of(value: Plain) -> Start | None:
    """The value of `training.weights`, which the schema has checked."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return Start(source=str(value))
    nodes, left_out = value.get("nodes"), value.get("except") or ()
    named = nodes if isinstance(nodes, Mapping) or nodes is None else {name: name for name in nodes}  # type: ignore[union-attr]
    return Start(source=str(value["from"]), nodes=named, left_out=tuple(left_out))  # type: ignore[arg-type]


def file_of(start: Start, place: Path) -> Path:
    """The file at a resolved path: of a build's directory, its Keras model."""
    return place / OF_A_BUILD if place.is_dir() else place


def pairs_of(graph: Graph, start: Start) -> list[Pair]:
    """Every node that takes its weights from the file."""
    holders = [node for node in graph.owners() if node.weights and start.takes(node.name)]
    if start.nodes is None:
        return [_pair(node, node.name) for node in holders]
    found: dict[str, Pair] = {}
    for ours, theirs in start.nodes.items():
        for node in holders:
            if is_among(node.name, (ours,)):
                found[node.name] = _pair(node, _name_there(node.name, ours, theirs))
    return list(found.values())


def _name_there(name: str, ours: str, theirs: str) -> str:
    """What a node is called in the file; `.` stands for the file itself, whose layers are then those of a block."""
    if ours == theirs or not name.startswith(ours):
        return name if ours == theirs else theirs
    rest = name[len(ours) :]
    return rest.removeprefix("/") if theirs == "." else theirs + rest


def is_among(name: str, said: Collection[str]) -> bool:
    """Whether a node is named, by itself, by a block that it is in, or by a pattern."""
    return any(name == one or name.startswith(f"{one}/") or fnmatchcase(name, one) for one in said)


def unknown_names(graph: Graph, said: Collection[str]) -> list[str]:
    """Those that name no node with weights, nor one that takes its words from the data."""
    holders = [node.name for node in graph.nodes if node.weights or node.layer.lacks_vocabulary(node)]
    return [one for one in said if not any(is_among(name, (one,)) for name in holders)]


def _pair(node: Node, name: str) -> Pair:
    own = node.args.get("own")
    if own is None:
        return Pair(node, (name,))
    return Pair(node, tuple(name if weight.name == "value" else f"{name}.{weight.name}" for weight in own))


def stored_name(name: str, known: Collection[str]) -> str | None:
    """What a layer is called in the file: Keras allows no slash, but layers of models within models have one here."""
    return next((each for each in (keras_name(name), name) if each in known), None)


def shapes_of(pair: Pair, stored: StoredWeights) -> Shapes | None:
    """The shapes of a node's weights in the file; None where it has no such layer."""
    layers = stored.layers()
    found: list[tuple[int, ...]] = []
    for name in pair.layers:
        known = stored_name(name, layers)
        if known is None:
            return None
        found += stored.shapes(layers[known]).values()
    return tuple(found)


def fits(node: Node, shapes: Sequence[tuple[int, ...]]) -> bool:
    """Whether a file has a node's weights, in whichever order."""
    return sorted(weight.shape for weight in node.weights) == sorted(shapes)


def names_in(stored: StoredWeights) -> Iterator[str]:
    """The layers of the file that have weights."""
    for name, layer in stored.layers().items():
        if stored.shapes(layer):
            yield name
