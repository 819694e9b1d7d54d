"""Checks `export.targets`: which layers a device or runtime takes of the file, and what would change that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nnspec.checks.context import Context, input_slots, output_slots
from nnspec.diagnostics import Diagnostic, Fix, NodeRef, Severity, Span, SpecError
from nnspec.diagnostics.lists import enumerated, joined, quoted
from nnspec.diagnostics.values import as_yaml
from nnspec.document import Sequence, to_plain
from nnspec.training.plan import DEFAULTS

if TYPE_CHECKING:  # the lowering needs NumPy, which other specs do not
    from nnspec.backends.base import Deployable
    from nnspec.backends.targets import ForeseeingBackend, Foreseen
    from nnspec.document.types import Plain

MOST = 8  # of a long list, the first
ADVICE = {"yes": "worth it", "maybe": "to be measured", "no": "not worth it"}


def check_export_targets(context: Context) -> Iterator[Diagnostic]:
    """NN621 of a target that does not take the whole file, NN622 where that cannot be told."""
    given = context.node("export", "targets")
    if not isinstance(given, Sequence) or not given.items:
        return
    from nnspec.backends.registry import export_backend
    from nnspec.backends.targets import ForeseeingBackend

    export = context.node("export")
    section = to_plain(export) if export is not None else None
    assert isinstance(section, dict)
    backend = export_backend(str(section["format"]) if "format" in section else None)
    names = [str(to_plain(item)) for item in given.items]
    try:
        if not isinstance(backend, ForeseeingBackend):
            raise SpecError.single("NN622", f"there is no table of the targets that run {backend.title}", given.span)
        trials = _Trials(backend, _network(context, section), names)
        for name, item in zip(names, given.items, strict=True):
            if not trials.foresee(name, {}).is_whole:
                yield _diagnostic(context, trials, name, item.span)
    except SpecError as error:
        message = f"what `export.targets` support of the file cannot be determined yet: {error.diagnostics[0].message}"
        yield Diagnostic("NN622", message, given.span, path="export.targets", severity=Severity.WARNING)


def _network(context: Context, section: Mapping[str, Plain]) -> Deployable:
    from dataclasses import replace

    from nnspec.backends.base import Deployable
    from nnspec.data.deployment import Deployment

    deployment = Deployment()
    if context.plan is not None:
        from nnspec.data.foreseen import foresee_deployment

        deployment = foresee_deployment(context.plan, input_slots(context.graph), output_slots(context.graph))
        if not section.get("scaling", True):
            deployment = deployment.unscaled
    layout = section.get("layout")
    return Deployable(
        graph=context.graph,
        weights={},
        deployment=replace(deployment, has_labels=bool(section.get("labels", True))),
        layout={name: list(map(str, axes)) for name, axes in layout.items()} if isinstance(layout, dict) else {},
        layers={},
        options=section,
        span=context.span("export"),
    )


class _Trials:
    """What targets take of a network's file, as the spec has it and with other settings of `export`."""

    def __init__(self, backend: ForeseeingBackend, network: Deployable, names: list[str]) -> None:
        self.backend = backend
        self.network = network
        self.names = names
        self.known: dict[str, dict[str, Foreseen]] = {}

    def foresee(self, name: str, changes: Mapping[str, Plain]) -> Foreseen:
        from dataclasses import replace

        key = as_yaml(dict(changes))
        if key not in self.known:
            changed = replace(self.network, options={**self.network.options, **changes})
            if "labels" in changes:
                changed = replace(changed, deployment=replace(self.network.deployment, has_labels=False))
            self.known[key] = dict(zip(self.names, self.backend.foresee(changed, self.names), strict=True))
        return self.known[key][name]

    def improve(self, context: Context, name: str) -> dict[str, Plain]:
        """The settings with which a target takes more, each tried on top of those before it."""
        from nnspec.backends.targets import OPERATOR, SIZE

        changes: dict[str, Plain] = {}
        newer = range(self.backend.needed_opset(self.network) + 1, self.backend.newest_opset + 1)
        trials = (("batch", SIZE, [_batch_size(context)]), ("labels", "", [False]), ("opset", OPERATOR, newer))
        for key, reason, values in trials:
            found = self.foresee(name, changes)
            if key in self.network.options or (reason and reason not in found.reasons):
                continue
            for value in values:
                then = self.foresee(name, {**changes, key: value})
                if (len(then.refused), then.nodes - then.taken) < (len(found.refused), found.nodes - found.taken):
                    changes, found = {**changes, key: value}, then
        return changes


def _batch_size(context: Context) -> int:
    """1, or as many as a stateful network carries states of."""
    if not any(node.is_stateful for node in context.graph.nodes):
        return 1
    trained = context.node("training", "batch_size")
    size = to_plain(trained) if trained is not None else DEFAULTS["batch_size"]
    return next(iter(dict(context.graph.batches).values()), None) or (size if isinstance(size, int) else 1)


def _diagnostic(context: Context, trials: _Trials, name: str, span: Span) -> Diagnostic:
    from nnspec.backends.targets import RANK, SIZE

    found, changes = trials.foresee(name, {}), trials.improve(context, name)
    target, then = found.target, trials.foresee(name, changes)
    refused, nodes = list(found.refused.items()), {node.name for node in context.graph.nodes}
    layers = [layer for layer in found.refused if layer in nodes]
    does = "leaves to the CPU" if target.runs_rest else "does not run the file: it lacks"
    what = _list_layers(context, found)
    counted = f" ({len(layers)} of {len(nodes)} layers)" if layers else ""
    notes = [f"{_title(context, layer)}: {_reasons(found, operators)}" for layer, operators in refused[:MOST]]
    notes += [f"and {len(refused) - MOST} more"] * (len(refused) > MOST)
    notes.append(f"according to {target.source} it supports {_counts(found)}")
    if found.limits:
        said = " ".join(f"{operator}: {limit.rstrip('. ')}." for operator, limit in sorted(found.limits.items()))
        notes.append(f"not checked: limits of the operators that it supports: {said}")
    fixes = []
    if changes:
        rest = "everything" if then.is_whole else f"all but {_list_layers(context, then)}: {_counts(then)}"
        fixes.append(Fix(f"with `export: {as_yaml(dict(changes))}` it supports {rest}"))
    symbols = {str(a.size): a for v in context.graph.inputs.values() for a in v.axes if not isinstance(a.size, int)}
    if SIZE in then.reasons and symbols:
        fixes.append(Fix(f"give {quoted(symbols)} a fixed size"))
    if RANK in then.reasons:
        fixes.append(Fix(f"keep values to {target.max_rank} axes, batch included"))
    fixes.append(Fix(f"remove `{name}` from `targets`"))
    return Diagnostic(
        "NN621",
        f"{target.title} {does} {what}{counted}",
        span,
        path="export.targets",
        notes=tuple(notes),
        fixes=tuple(fixes),
        severity=Severity.WARNING,
        about=tuple(NodeRef(layer) for layer in layers),
    )


def _list_layers(context: Context, found: Foreseen) -> str:
    """`` `lstm_1`, `dense_1` and what the file adds to output `kind` ``."""
    nodes = {node.name for node in context.graph.nodes}
    layers = [layer for layer in found.refused if layer in nodes]
    others = [_title(context, layer) for layer in found.refused if layer not in nodes]
    return joined([*([enumerated(layers, MOST)] if layers else []), *others])


def _title(context: Context, layer: str) -> str:
    kinds = {node.name: node.kind for node in context.graph.nodes}
    if layer in kinds:
        return f"`{layer}` ({kinds[layer]})"
    if layer in context.graph.inputs:
        return f"what the file does to input `{layer}`"
    return f"what the file adds to output `{layer}`" if layer in context.graph.outputs else "the order of the outputs"


def _reasons(found: Foreseen, operators: Mapping[str, frozenset[str]]) -> str:
    """Each operator by the first of its reasons, those first that nothing else could fix."""
    from nnspec.backends.targets import OPERATOR, RANK, SIZE

    texts = {
        OPERATOR: "is not among its operators",
        RANK: f"reads a value of more than {found.target.max_rank} axes",
        SIZE: "reads a value of open size",
    }
    own: dict[str, list[str]] = {}
    for operator, reasons in operators.items():
        own.setdefault(next(text for reason, text in texts.items() if reason in reasons), []).append(operator)
    return "; ".join(f"{joined(own[text], 'or')} {text}" for text in texts.values() if text in own)


def _counts(found: Foreseen) -> str:
    """What the target takes, and whether that is worth it where another computes the rest."""
    groups = f"{found.partitions} group{'' if found.partitions == 1 else 's'}"
    advice = f", {ADVICE[found.verdict]}" if found.target.runs_rest else ""
    return f"{found.taken} of {found.nodes} operators in {groups}{advice}"
