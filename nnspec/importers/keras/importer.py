"""Imports a Keras model, and verifies that the compiled spec gives the model's outputs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from nnspec.backends.keras.model import build_model
from nnspec.backends.registry import training_backend
from nnspec.backends.types import KerasModel
from nnspec.diagnostics import Source, Span, SpecError
from nnspec.diagnostics.unwritable import telling_unwritable
from nnspec.importers.keras import vocabularies
from nnspec.importers.keras.archive import read_archive
from nnspec.importers.keras.build_spec import Draft, build_draft, check_calls, is_mixed
from nnspec.importers.keras.classes import package_classes
from nnspec.importers.keras.comparison import (
    TOLERANCE,
    choose_batch_size,
    group_runs,
    is_alone,
    largest_difference,
    least_rows,
    refuse_wrong_zeros,
)
from nnspec.importers.keras.mask_flow import has_masks
from nnspec.importers.keras.network import Call, ImportFault, Network, Place, reason_of
from nnspec.importers.keras.observed_masks import Observed, Seen, observe_masks
from nnspec.importers.keras.own_blocks import OwnBlocks, read_blocks
from nnspec.importers.keras.refusals import collect_refusals, refuse_unread
from nnspec.importers.keras.source import read_network
from nnspec.importers.keras.stand_ins import stand_ins, standing_in
from nnspec.importers.keras.stored_weights import Stores, WeightsFile, stored_in
from nnspec.importers.keras.translate import MIXED
from nnspec.importers.keras.weight_transfer import carry_blocks, carry_weights
from nnspec.importers.keras.written_spec import write_checked
from nnspec.ir.graph import Graph
from nnspec.progress import Progress
from nnspec.verify.hostile_inputs import variants

LARGE = 30.0  # times what a network expects


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import wrote.

    Attributes:
        tables: the NumPy file with the model's constants that are too long for a spec, if there are some.
        error: the largest difference of the outputs, over the largest magnitude.
        notes: doubts of the checks that the model's own doing overruled, and what is not as in the model.
        layers: how many layers the spec has once written out; `lines` is how long it is.
    """

    spec: Path
    weights: Path
    tables: Path | None = None
    graph: Graph
    error: float
    lines: int
    notes: tuple[str, ...] = ()

    @property
    def layers(self) -> int:
        return len(self.graph.nodes)


def import_file(
    path: Path,
    out: Path,
    progress: Progress,
    *,
    name: str | None = None,
    fold: bool = True,
    blocks: Path | None = None,
) -> Imported:
    """Reads a .keras archive; writes OUT/NAME.yaml and OUT/NAME.weights.h5.

    Args:
        blocks: a file that says what custom classes compute; their code is neither needed nor run.

    Raises:
        SpecError: NN607 where the model has no counterpart as a spec, NN708 where its outputs differ; NN380 and NN381
            where a block is at fault.
    """
    here, name = Span(Source(str(path), "")), name or path.stem
    known = read_blocks(blocks)
    try:
        config, class_name = read_archive(path)
        network = read_network(config, class_name)
        learned = vocabularies.unsaved_vocabularies(network)
        # What is at fault is told before a framework is loaded.
        if learned:
            check_calls(network, known)
        draft = _draft(network, name, known) if not learned or known.given else None
    except ImportFault as fault:
        raise collect_refusals(fault, here) from None
    training_backend().load()
    import keras

    classes: dict[str, type] = {}
    stored: Stores | None = None
    if draft is not None and any(not one.block.is_shipped for one in draft.inlined):
        try:
            stored = WeightsFile(path).of
            classes = stand_ins(draft.inlined, stored)
        except ImportFault as fault:
            raise collect_refusals(fault, here) from None
    with progress.step("reading the model"), standing_in(classes):
        try:
            own = package_classes(network)
            model = keras.saving.load_model(path, custom_objects=own, compile=False, safe_mode=True)
        except Exception as error:
            raise SpecError.single("NN607", f"Keras cannot load `{path.name}`: {reason_of(error)}", here) from None
    if draft is None:
        draft = _with_words(learned, model, network, name, known, here)
    with standing_in(classes):
        model = _in_float32(model, network)
    draft = _with_masks(draft, model, network, name, known, here)
    made = _write(model, network, draft, name=name, out=out, progress=progress, here=here, fold=fold, stored=stored)
    return replace(made, notes=(*made.notes, *_untested_classes(classes)))


def _untested_classes(classes: Mapping[str, type]) -> list[str]:
    """What the comparison could not see: classes whose code is not here."""
    names = sorted(name for name in classes if not any(other.endswith(f">{name}") for other in classes))
    said = ", ".join(f"`{name}`" for name in names)
    return [f"the code of {said} was not run: what it computes is what the file of blocks says"] if names else []


def _learn(learned: list[Call], model: KerasModel, network: Network, known: OwnBlocks) -> None:
    """Takes the words that only the model knows.

    Raises:
        ImportFault: where it knows none, together with what else is at fault.
    """
    if not learned:
        return
    causes: list[ImportFault] = []
    for step in (partial(check_calls, network, known), partial(vocabularies.fill_in, learned, model)):
        try:
            step()
        except ImportFault as fault:
            causes += fault.causes
    if causes:
        raise ImportFault.of(causes)


def _draft(network: Network, name: str, known: OwnBlocks, observed: Observed | None = None) -> Draft:
    return build_draft(network, observed, _tables_of(name), known)


def _tables_of(name: str) -> str:
    """The file beside a spec of that name with its constants."""
    return f"{name}.npz"


def _with_words(
    learned: list[Call], model: KerasModel, network: Network, name: str, known: OwnBlocks, here: Span
) -> Draft:
    """The draft of a network some of whose words only the model knows."""
    try:
        vocabularies.fill_in(learned, model)
        return _draft(network, name, known)
    except ImportFault as fault:
        raise collect_refusals(fault, here) from None


def _in_float32(model: KerasModel, network: Network) -> KerasModel:
    """The model, computing in float32 as specs do where it computes in half precision: its weights are float32."""
    if not any(is_mixed(call.config) for call in network.calls):
        return model
    again = type(model).from_config(_without_policies(model.get_config()))
    again.set_weights(model.get_weights())
    return again


def _without_policies(config: object) -> object:
    if isinstance(config, Mapping):
        return {key: _without_policies(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_without_policies(value) for value in config)
    return "float32" if config in MIXED else config


def _with_masks(draft: Draft, model: KerasModel, network: Network, name: str, known: OwnBlocks, here: Span) -> Draft:
    """The draft with masks where the model has them, which only the model itself can tell."""
    if not has_masks(draft.graph, network.calls):
        return draft
    try:
        observed = _observe_masks(draft, model, least_rows(network))
        return _draft(network, name, known, observed)
    except ImportFault as fault:
        raise collect_refusals(fault, here) from None


def _observe_masks(draft: Draft, model: KerasModel, rows: int) -> dict[tuple[Place, ...], Seen]:
    """The model's masks on padded inputs, whose open axes are of one length where they cannot be of several.

    A layer called with the mask of another input wants as many steps as that has, which no shape says.

    Raises:
        ImportFault: where the model fails either way.
    """

    def observe(*, alike: bool) -> dict[tuple[Place, ...], Seen]:
        graph = draft.graph
        made = variants(graph, np.random.default_rng(7), batch=choose_batch_size(graph, rows), alike=alike)
        made.append(_make_large(made[0]))
        runs = [list(arrays.values()) for arrays, _ in group_runs(graph, made) if not is_alone(graph, arrays)]
        return observe_masks(model, runs)

    try:
        return observe(alike=False)
    except ImportFault as fault:
        try:
            return observe(alike=True)
        except ImportFault:
            raise fault from None


def _make_large(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Floats far from zero, in one row and another: a mask behind a layer may hide steps of such alone.

    What a `relu` or a `hard_sigmoid` makes of ordinary values is seldom zero for all features of a step.
    """
    changes = (lambda x: -np.abs(x), lambda x: x, np.abs)
    return {
        name: LARGE * np.stack([changes[row % len(changes)](values) for row, values in enumerate(array)])
        if array.dtype.kind == "f"
        else array
        for name, array in arrays.items()
    }


def import_model(
    model: KerasModel,
    out: Path,
    progress: Progress | None = None,
    *,
    name: str | None = None,
    fold: bool = True,
    blocks: Path | None = None,
) -> Imported:
    """The same for a Keras model in memory."""
    known = read_blocks(blocks)
    here, name = Span(Source(str(model.name), "")), name or str(model.name)
    try:
        network = read_network(model.get_config(), type(model).__name__)
        _learn(vocabularies.unsaved_vocabularies(network), model, network, known)
        draft = _draft(network, name, known)
    except ImportFault as fault:
        raise collect_refusals(fault, here) from None
    except NotImplementedError:  # Keras: the class does not say how it was made
        raise SpecError.single(
            "NN607", f"`{model.name}` is a subclassed model: its computation is code", here
        ) from None
    model = _in_float32(model, network)
    draft = _with_masks(draft, model, network, name, known, here)
    shown = progress or Progress(quiet=True)
    with telling_unwritable(out):
        return _write(model, network, draft, name=name, out=out, progress=shown, here=here, fold=fold)


def _write(
    model: KerasModel,
    network: Network,
    draft: Draft,
    *,
    name: str,
    out: Path,
    progress: Progress,
    here: Span,
    fold: bool,
    stored: Stores | None = None,
) -> Imported:
    try:
        refuse_unread(network, draft)
    except ImportFault as fault:
        raise collect_refusals(fault, here) from None
    out.mkdir(parents=True, exist_ok=True)
    spec, weights = out / f"{name}.yaml", out / f"{name}.weights.h5"
    with tempfile.TemporaryDirectory(dir=out, prefix=".nnspec-") as folder:
        tables = _write_tables(draft, Path(folder), _tables_of(name))
        text, checked = write_checked(draft, Path(folder) / spec.name, fold, here)
        graph = checked.graph
        with progress.step("compiling the spec"):
            compiled = build_model(graph)
        try:
            carry_weights(model, draft, graph, compiled)
            carry_blocks(draft, graph, compiled, stored or stored_in(model))
            with progress.step("comparing with the model"):
                error = largest_difference(model, network, draft, graph, compiled)
            if not error <= TOLERANCE:
                refuse_wrong_zeros(graph)
                if draft.doubts:
                    raise ImportFault.of(draft.doubts)
        except ImportFault as fault:
            raise collect_refusals(fault, here) from None
        if not error <= TOLERANCE:
            raise SpecError.single(
                "NN708",
                f"the spec imported from `{model.name}` gives other outputs than the model (relative "
                f"difference {error:.3g})",
                here,
                notes=["nothing was written; this is a bug in nnspec, please report it with the model"],
            )
        made = Path(folder) / weights.name
        compiled.model.save_weights(made)
        os.replace(made, weights)
        if tables is not None:
            os.replace(tables, out / tables.name)
        os.replace(Path(folder) / spec.name, spec)
    return Imported(
        spec=spec,
        weights=weights,
        tables=out / tables.name if tables is not None else None,
        graph=graph,
        error=error,
        lines=text.count("\n"),
        notes=tuple(dict.fromkeys(draft.notes)),
    )


def _write_tables(draft: Draft, folder: Path, name: str) -> Path | None:
    """The constants that the spec names a file for, where there are some."""
    if not draft.tables:
        return None
    arrays = {
        member: np.asarray(constant.value, np.float32).reshape(sizes)
        for member, (constant, sizes) in draft.tables.items()
    }
    np.savez(folder / name, **arrays)  # type: ignore[arg-type]
    return folder / name
