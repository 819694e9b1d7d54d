"""Checks that a training can be spread over workers."""

from __future__ import annotations

from collections.abc import Iterator

from nnspec.backends.registry import AUTO
from nnspec.checks.context import Context
from nnspec.data.sources.servers import check_server
from nnspec.diagnostics import Diagnostic, Fix, NodeRef, Span
from nnspec.diagnostics.extras import install_command, is_installed
from nnspec.document import to_plain
from nnspec.training.distribution import Distribution, distribution_of
from nnspec.training.plan import DEFAULTS
from nnspec.training.watched import watched_metrics

PATH = "training.distribute"
ENGINE = "jax"  # whose distribution API Keras has


def check_distribution(context: Context) -> Iterator[Diagnostic]:
    """NN615 another engine than JAX, NN616 what workers cannot share, NN636 a cluster elsewhere, NN612 no Ray."""
    section = context.node("training")
    given = to_plain(section) if section is not None else None
    if not isinstance(given, dict):
        return
    distribution = distribution_of(given)
    if distribution is None:
        return
    span = context.span("training", "distribute")
    engine = given.get("backend", "tensorflow")
    if engine not in (ENGINE, AUTO):
        message = f"`distribute` needs `backend: jax`: with Keras 3, `{engine}` does not train on several workers"
        yield Diagnostic("NN615", message, span, path=PATH, fixes=(Fix("set `training: {backend: jax}`"),))
    if distribution.is_elsewhere:
        yield from check_server(distribution.ray or "", span, f"{PATH}.ray", allow_outside=context.allow_outside)
    if distribution.ray is not None and not is_installed("ray"):
        message = "`distribute: {ray: …}` needs Ray, which is not installed"
        yield Diagnostic("NN612", message, span, path=PATH, fixes=(Fix(f"`{install_command('ray')}`"),))
    yield from _check_batch(context, distribution, {**DEFAULTS, **given}["batch_size"])
    yield from _check_sharing(context, given, span)


def _check_batch(context: Context, distribution: Distribution, batch: int) -> Iterator[Diagnostic]:
    workers = distribution.workers
    if batch % workers == 0:
        return
    message = f"a batch of {batch} samples cannot be divided equally among {workers} workers"
    nearest = max(workers, round(batch / workers) * workers)
    span = context.span("training", "batch_size" if context.node("training", "batch_size") else "distribute")
    fix = Fix(f"choose a multiple: `batch_size: {nearest}`")
    yield Diagnostic("NN616", message, span, path="training.batch_size", fixes=(fix,))


def _check_sharing(context: Context, given: dict[str, object], span: Span) -> Iterator[Diagnostic]:
    """What each worker would do differently, or only one of them could."""
    for node in context.graph.nodes:
        if node.is_stateful:
            message = f"`{node.name}` carries a state from batch to batch, which workers do not share"
            fixes = (Fix("train it in one process: remove `distribute`"),)
            yield Diagnostic("NN616", message, node.span, fixes=fixes, about=(NodeRef(node.name),))
    settings = {**DEFAULTS, **given}
    for name in watched_metrics(str(settings["monitor"]), settings["callbacks"]):
        message = f"`{name}` is computed from all predictions, which no worker has"
        fixes = (Fix("monitor a metric of the history, such as `val_loss`"),)
        yield Diagnostic("NN616", message, span, path=PATH, fixes=fixes)
    if context.node("search") is not None:
        message = "the trials of a search are processes of one worker each"
        fixes = (Fix("remove `distribute`, and run several trials at once: `nnspec search --workers N`"),)
        yield Diagnostic("NN616", message, span, path=PATH, fixes=fixes)
