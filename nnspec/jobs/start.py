"""Puts the weights that a training starts from into its model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from nnspec.backends.keras.model import Compiled
from nnspec.backends.keras.stored_weights import StoredWeights, variables_by_path
from nnspec.backends.types import KerasVariable
from nnspec.data.sources import paths
from nnspec.diagnostics import Span, SpecError
from nnspec.ir.graph import Graph
from nnspec.jobs import vocabularies
from nnspec.layers.kit.held_layer import HeldLayer
from nnspec.pipeline import Checked
from nnspec.training.start import Pair, Start, file_of, pairs_of, start_of, stored_name


@dataclass(frozen=True, slots=True)
class StartFile:
    """Weights to start from, and the file that has them."""

    start: Start
    path: Path
    span: Span


def start_file(checked: Checked) -> StartFile | None:
    """What the spec starts from, which the checks have looked at."""
    start = start_of(checked.section("training").get("weights"))
    if start is None:
        return None
    section = checked.root.get("training")
    assert section is not None
    place = paths.resolve(start.source, checked.folder, section.span, "training.weights", allow_outside=True)
    return StartFile(start, file_of(start, place), section.span)


def named_file(checked: Checked) -> dict[str, Path]:
    """The file by what the spec calls it; empty where a training starts anew."""
    found = start_file(checked)
    return {} if found is None else {found.start.source: found.path}


def known_vocabularies(checked: Checked) -> vocabularies.Found:
    """The words of lookups that start from the file: those that its embeddings were trained with."""
    found = start_file(checked)
    if found is None:
        return {}
    names = {node.owner: node.name for node in checked.graph.owners()}
    stored = vocabularies.from_archive(checked.graph, found.path)
    return {owner: words for owner, words in stored.items() if found.start.takes(names[owner])}


def weights_loader(checked: Checked, say: Callable[[str], None]) -> Callable[[Compiled], None] | None:
    """What puts the weights into a model before it is trained; None where it starts anew."""
    found = start_file(checked)
    return None if found is None else partial(_load, checked.graph, found, say)


def _load(graph: Graph, file: StartFile, say: Callable[[str], None], compiled: Compiled) -> None:
    stored, pairs = StoredWeights(file.path), pairs_of(graph, file.start)
    layers = stored.layers()
    for pair in pairs:
        found: dict[str, np.ndarray] = {}
        for name in pair.layers:
            known = stored_name(name, layers)
            if known is None:
                raise _misfit(pair, file)
            arrays = stored.arrays(layers[known])
            found.update({(f"{name}:{place}" if len(pair.layers) > 1 else place): a for place, a in arrays.items()})
        for variable, array in _match_arrays(pair, compiled, found, file):
            variable.assign(array)
    for layer in compiled.model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    holders = sum(1 for node in graph.owners() if node.weights)
    say(f"started from {file.start.source}: {len(pairs)} of {holders} layers with weights")


def _match_arrays(
    pair: Pair, compiled: Compiled, arrays: Mapping[str, np.ndarray], file: StartFile
) -> list[tuple[KerasVariable, np.ndarray]]:
    """Each variable with its array: by the path under which Keras stores it, else in order."""
    layer = compiled.layers[pair.node.name]
    variables = pair.node.layer.keras_weights(layer)
    holder = layer.layer if isinstance(layer, HeldLayer) else layer
    places: dict[int, str] = {}
    if hasattr(holder, "save_own_variables"):
        places = {id(variable): place for place, variable in variables_by_path(holder).items()}
    wanted = [places.get(id(variable), "") for variable in variables]
    chosen = [arrays[place] for place in wanted] if set(wanted) <= set(arrays) else list(arrays.values())
    if [tuple(variable.shape) for variable in variables] != [array.shape for array in chosen]:
        raise _misfit(pair, file)
    return list(zip(variables, chosen, strict=True))


def _misfit(pair: Pair, file: StartFile) -> SpecError:
    message = f"the weights of `{pair.layers[0]}` in `{file.start.source}` do not fit `{pair.node.name}`"
    return SpecError.single("NN532", message, file.span, path="training.weights")
