"""Imports a Keras model, and verifies that the compiled spec gives the model's outputs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nnspec import pipeline
from nnspec.backends.keras.model import Compiled, as_array, build_model, predict, reset_states
from nnspec.backends.registry import training_backend
from nnspec.diagnostics import Diagnostic, Fix, Severity, Source, Span, SpecError
from nnspec.importers.keras import vocabularies
from nnspec.importers.keras.archive import read_archive
from nnspec.importers.keras.block_weights import Holder, assign
from nnspec.importers.keras.build_spec import Draft, build_draft, check_calls, is_mixed
from nnspec.importers.keras.classes import package_classes
from nnspec.importers.keras.mask_flow import has_masks
from nnspec.importers.keras.network import Call, ImportFault, Network
from nnspec.importers.keras.observed_masks import Observed, observe_masks
from nnspec.importers.keras.own_blocks import OwnBlocks, read_blocks
from nnspec.importers.keras.source import read_network
from nnspec.importers.keras.stand_ins import stand_ins, standing_in
from nnspec.importers.keras.stored_weights import Stores, WeightsFile, layer_at, stored_in
from nnspec.importers.keras.translate import MIXED
from nnspec.importers.keras.writing import write_spec
from nnspec.ir.graph import Graph
from nnspec.layers.registry import REGISTRY
from nnspec.progress import Progress
from nnspec.verify import differences
from nnspec.verify.hostile_inputs import variants

TOLERANCE = 1e-5


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
        learned = vocabularies.learned(network)
        # What is at fault is told before a framework is loaded.
        if learned:
            check_calls(network, known)
        draft = _draft(network, name, known) if not learned or known.given else None
    except ImportFault as fault:
        raise _refused(fault, here) from None
    training_backend().load()
    import keras

    classes: dict[str, type] = {}
    stored: Stores | None = None
    if draft is not None and any(not one.block.is_shipped for one in draft.inlined):
        try:
            stored = WeightsFile(path).of
            classes = stand_ins(draft.inlined, stored)
        except ImportFault as fault:
            raise _refused(fault, here) from None
    with progress.step("reading the model"), standing_in(classes):
        try:
            own = package_classes(network)
            model = keras.saving.load_model(path, custom_objects=own, compile=False, safe_mode=True)
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise SpecError.single("NN607", f"Keras cannot load `{path.name}`: {reason}", here) from None
    if draft is None:
        draft = _with_words(learned, model, network, name, known, here)
    with standing_in(classes):
        model = _in_float32(model, network)
    draft = _with_masks(draft, model, network, name, known, here)
    made = _write(model, network, draft, name, out, progress, here, fold, stored)
    return replace(made, notes=(*made.notes, *_trusted(classes)))


def _trusted(classes: Mapping[str, type]) -> list[str]:
    """What the comparison could not see: classes whose code is not here."""
    names = sorted(name for name in classes if not any(other.endswith(f">{name}") for other in classes))
    said = ", ".join(f"`{name}`" for name in names)
    return [f"the code of {said} was not run: what it computes is what the file of blocks says"] if names else []


def _learn(learned: list[Call], model: Any, network: Network, known: OwnBlocks) -> None:
    """Takes the words that only the model knows.

    Raises:
        ImportFault: where it knows none, together with what else is at fault.
    """
    causes: list[ImportFault] = []
    for step in (
        (partial(check_calls, network, known), partial(vocabularies.fill_in, learned, model)) if learned else ()
    ):
        try:
            step()
        except ImportFault as fault:
            causes += fault.causes
    if causes:
        raise ImportFault(str(causes[0]), help=causes[0].help, causes=causes)


def _draft(network: Network, name: str, known: OwnBlocks, observed: Observed | None = None) -> Draft:
    return build_draft(network, observed, _tables_of(name), known)


def _tables_of(name: str) -> str:
    """The file beside a spec of that name with its constants."""
    return f"{name}.npz"


def _with_words(learned: list[Call], model: Any, network: Network, name: str, known: OwnBlocks, here: Span) -> Draft:
    """The draft of a network some of whose words only the model knows."""
    try:
        vocabularies.fill_in(learned, model)
        return _draft(network, name, known)
    except ImportFault as fault:
        raise _refused(fault, here) from None


def _in_float32(model: Any, network: Network) -> Any:
    """The model, computing in float32 as specs do where it computes in half precision: its weights are float32."""
    if not any(is_mixed(call.config) for call in network.calls):
        return model
    again = type(model).from_config(_without_policies(model.get_config()))
    again.set_weights(model.get_weights())
    return again


def _without_policies(config: Any) -> Any:
    if isinstance(config, Mapping):
        return {key: _without_policies(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return type(config)(_without_policies(value) for value in config)
    return "float32" if config in MIXED else config


def _with_masks(draft: Draft, model: Any, network: Network, name: str, known: OwnBlocks, here: Span) -> Draft:
    """The draft with masks where the model has them, which only the model itself can tell."""
    if not has_masks(draft.graph, network.calls):
        return draft
    runs = variants(draft.graph, np.random.default_rng(7))
    try:
        observed = observe_masks(model, [list(arrays.values()) for arrays in runs])
        return _draft(network, name, known, observed)
    except ImportFault as fault:
        raise _refused(fault, here) from None


def import_model(
    model: Any,
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
        _learn(vocabularies.learned(network), model, network, known)
        draft = _draft(network, name, known)
    except ImportFault as fault:
        raise _refused(fault, here) from None
    except NotImplementedError:
        raise SpecError.single(
            "NN607", f"`{model.name}` is a subclassed model: its computation is code", here
        ) from None
    model = _in_float32(model, network)
    draft = _with_masks(draft, model, network, name, known, here)
    return _write(model, network, draft, name, out, progress or Progress(quiet=True), here, fold)


def _refused(fault: ImportFault, here: Span) -> SpecError:
    """Every cause once, each with what to do about it."""
    told = {str(cause): cause for cause in fault.causes}
    return SpecError(
        [
            Diagnostic("NN607", message, here, fixes=(Fix(cause.help),) if cause.help else ())
            for message, cause in told.items()
        ]
    )


def _write(
    model: Any,
    network: Network,
    draft: Draft,
    name: str,
    out: Path,
    progress: Progress,
    here: Span,
    fold: bool,
    stored: Stores | None = None,
) -> Imported:
    out.mkdir(parents=True, exist_ok=True)
    spec, weights = out / f"{name}.yaml", out / f"{name}.weights.h5"
    with tempfile.TemporaryDirectory(dir=out, prefix=".nnspec-") as folder:
        tables = _write_tables(draft, Path(folder), _tables_of(name))
        text, checked = _checked(draft, Path(folder) / spec.name, fold, here)
        graph = checked.graph
        with progress.step("compiling the spec"):
            compiled = build_model(graph)
        try:
            carry_weights(model, draft, graph, compiled)
        except ImportFault as fault:
            raise _refused(fault, here) from None
        carry_blocks(draft, graph, compiled, stored or stored_in(model))
        with progress.step("comparing with the model"):
            try:
                error = largest_difference(model, network, draft, graph, compiled)
            except ImportFault as fault:
                raise _refused(fault, here) from None
        if not error <= TOLERANCE:
            _refuse_wrong_zeros(graph, here)
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


def _refuse_wrong_zeros(graph: Graph, here: Span) -> None:
    """Tells where a model computes by a fault of Keras what no spec says.

    Keras' unrolled loop zeroes masked steps at the wrong end where it runs backwards; a spec's layer does not.

    Raises:
        SpecError: NN607, a diagnostic for each such layer.
    """
    faults = []
    for node in graph.nodes:
        both = [part for part in (node, node.inner, node.backward) if part is not None]
        runs_both_ways = node.inner is not None and REGISTRY[node.kind].loses_mask_with_states
        is_backward = runs_both_ways or node.args.get("go_backwards")
        if is_backward and node.inputs[0].mask and any(part.args.get("unroll") for part in both):
            faults.append(
                ImportFault(
                    f"layer `{node.name}` ({node.kind}) runs backwards with `unroll`, where Keras zeroes the wrong "
                    "steps of padded sequences, and a spec does not",
                    help="set `unroll=False` in the model, and save that",
                )
            )
    if faults:
        raise _refused(ImportFault(str(faults[0]), causes=faults), here)


def _checked(draft: Draft, path: Path, fold: bool, here: Span) -> tuple[str, pipeline.Checked]:
    """The spec's text, folded where writing it out again gives exactly the layers that were read."""
    for is_folded in (True, False) if fold else (False,):
        text = write_spec(draft, fold=is_folded)
        path.write_text(text, encoding="utf-8")
        try:
            checked = pipeline.check(path)
        except SpecError as error:
            if is_folded:
                continue
            said = [f"{d.code}: {d.message}" for d in error.diagnostics if d.severity is Severity.ERROR]
            message = "the model computes something that a spec cannot express: " + said[0]
            raise SpecError.single("NN607", message, here, notes=said[1:]) from None
        if _is_exact(draft, checked.graph):
            return text, checked
    raise AssertionError("a spec that is not folded is the list that it was written from")


def _is_exact(draft: Draft, graph: Graph) -> bool:
    if len(graph.nodes) != len(draft.items):
        return False
    place = {id(item.node): i for i, item in enumerate(draft.items)}
    numbers = {node.name: i for i, node in enumerate(graph.nodes)}
    for node, item in zip(graph.nodes, draft.items, strict=True):
        wanted = [place[id(read.item.node)] if read.item is not None else read.value.node for read in item.reads]
        got = [numbers.get(value.node, value.node) for value in node.inputs]
        if node.kind != item.kind or got != wanted or _plain(node.args) != _plain(item.node.args):
            return False
    return True


def _plain(args: Mapping[str, Any]) -> str:
    """Arguments to compare: `3` and `[3, 3]` are the same size of a kernel; what was made of others is left out."""

    def said(value: Any) -> Any:
        if isinstance(value, list | tuple) and value and all(item == value[0] for item in value):
            return said(value[0])
        return {k: said(v) for k, v in value.items()} if isinstance(value, Mapping) else value

    return repr({key: said(value) for key, value in args.items() if not _is_made(value)})


def _is_made(value: Any) -> bool:
    """Whether an argument is no plain data: what a layer made of those that are, which says where files stand."""
    if isinstance(value, list | tuple):
        return any(map(_is_made, value))
    return not isinstance(value, str | int | float | Mapping | None)


# ------------------------------------------------------------------------------------------------- weights


def carry_weights(model: Any, draft: Draft, graph: Graph, compiled: Compiled) -> None:
    """Every layer's weights from the model to the compiled spec.

    Raises:
        ImportFault: where a layer has others.
    """
    for node, item in zip(graph.nodes, draft.items, strict=True):
        if item.call is None or not node.weights:
            continue
        source = layer_at(model, item.call.path)
        made = node.layer.keras_weights(compiled.layers[node.name])
        weights = own_weights(source)
        if [tuple(v.shape) for v in weights] != [tuple(v.shape) for v in made]:
            raise ImportFault(f"layer `{item.call.name}` ({node.kind}) has other weights than in the spec")
        for variable, value in zip(made, weights, strict=True):
            variable.assign(value)
    for layer in compiled.model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()


def carry_blocks(draft: Draft, graph: Graph, compiled: Compiled, stored: Stores) -> None:
    """The weights of custom classes to the blocks that stand for them."""
    nodes = {id(item): node for item, node in zip(draft.items, graph.nodes, strict=True)}
    for one in draft.inlined:
        holders = [
            Holder(item.origin, nodes[id(item)], compiled.layers[nodes[id(item)].name])
            for item in one.items
            if item.origin is not None and nodes[id(item)].weights
        ]
        if holders:
            for variable, array in assign(one.block, one.call.name, holders, stored(one.call.path)):
                variable.assign(array)


def own_weights(layer: Any) -> list[Any]:
    """A layer's weights without those of a layer that is its activation: that one is a layer of its own."""
    inner = getattr(layer, "activation", None)
    apart = {id(variable) for variable in getattr(inner, "weights", ())}
    return [variable for variable in layer.weights if id(variable) not in apart]


# ------------------------------------------------------------------------------------------------- proof


def largest_difference(model: Any, network: Network, draft: Draft, graph: Graph, compiled: Compiled) -> float:
    """The largest difference of an output over its largest magnitude, with padding at every place and without."""
    rng, worst = np.random.default_rng(11), 0.0
    again = 2 if any(node.is_stateful for node in graph.nodes) else 1  # the second goes on from the first
    batch = _batch_size(graph)
    for arrays in [made for length in (12, 19) for made in variants(graph, rng, batch=batch, length=length)]:
        reset_states(model)
        reset_states(compiled.model)
        for _ in range(again):
            try:
                wanted = _results(model, network, graph, arrays, batch)
            except Exception as error:
                reason = next((line for line in str(error).splitlines() if line), type(error).__name__)
                raise ImportFault(f"Keras itself cannot run the model on random inputs: {reason}") from None
            got = predict(compiled.model, graph, arrays)
            pairs = list(zip(graph.outputs, wanted, strict=True))
            found = max(_difference(got[name], as_array(value)) for name, value in pairs)
            if found > TOLERANCE and again == 1 and _is_alone(graph, arrays):  # as the model: rounding differs by batch
                got = predict(compiled.model, graph, _repeated(arrays, batch))
                found = min(found, max(_difference(got[name][:1], as_array(value)) for name, value in pairs))
            worst = max(worst, found)
    return worst


def _is_alone(graph: Graph, arrays: Mapping[str, np.ndarray]) -> bool:
    return not graph.batches and all(len(array) == 1 for array in arrays.values())


def _repeated(arrays: Mapping[str, np.ndarray], batch: int) -> dict[str, np.ndarray]:
    return {name: np.repeat(array, batch, axis=0) for name, array in arrays.items()}


def _batch_size(graph: Graph) -> int:
    """A number of samples that no axis is long.

    On TensorFlow, Keras takes a number for each sample for a bias where there are as many samples as channels, or one
    alone, and adds it along those.
    """
    values = [*graph.inputs.values(), *(value for node in graph.nodes for value in node.outputs)]
    sizes = {axis.size for value in values for axis in value.axes}
    return next(count for count in range(4, 4 + len(sizes) + 1) if count not in sizes)


def _results(model: Any, network: Network, graph: Graph, arrays: Mapping[str, np.ndarray], batch: int) -> list[Any]:
    """The model's own outputs, in the order of the network's; one sample alone is run among others like it."""
    if _is_alone(graph, arrays):
        many = _repeated(arrays, batch)
        return [as_array(value)[:1] for value in _results(model, network, graph, many, batch)]
    import keras

    listed = [arrays[name] for name in graph.inputs]
    if any(value.dtype == "string" for value in graph.inputs.values()):
        listed = [
            keras.ops.convert_to_tensor(array, value.dtype)
            for array, value in zip(listed, graph.inputs.values(), strict=True)
        ]
    is_chain = isinstance(model, keras.Sequential)  # which does not say how its one input is packed
    given = model(listed[0] if is_chain else keras.tree.pack_sequence_as(model.input, listed), training=False)
    is_named = isinstance(given, Mapping)
    return [given[name] for name in network.outputs] if is_named else list(keras.tree.flatten(given))


def _difference(got: np.ndarray, wanted: np.ndarray) -> float:
    """Relative, over what Keras gives a number for: of no step at all it takes a mean that is none, and nnspec 0."""
    if wanted.dtype.kind != "f" or got.shape != wanted.shape:
        return differences(got, wanted)[1]
    lost = np.isnan(wanted)
    if np.isnan(got[~lost]).any():
        return float("inf")
    return differences(np.where(lost, 0, got), np.where(lost, 0, wanted))[1]
