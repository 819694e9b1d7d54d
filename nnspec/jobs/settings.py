"""The settings in a spec's `training` and `export` sections that a build uses."""

from __future__ import annotations

import sys
from importlib.util import find_spec

from nnspec.backends.base import ExportBackend, TrainingBackend
from nnspec.backends.registry import AUTO, TRAINING, export_backend, training_backend
from nnspec.pipeline import Checked
from nnspec.training.settings import Settings, fixed_batches


def settings_of(checked: Checked) -> Settings:
    node = checked.root.get("training")
    return Settings.from_section(checked.section("training"), node.span if node is not None else checked.root.span)


def fixed_batch(checked: Checked) -> int | None:
    """The only batch size that the deployed model takes; None where it takes any."""
    wanted: int | None = checked.section("export").get("batch")
    if wanted is not None:
        return wanted
    return next((batch for batch in fixed_batches(checked.graph, settings_of(checked)).values() if batch), None)


def engine_of(checked: Checked, given: str | TrainingBackend | None = None) -> TrainingBackend:
    """The engine that a job computes on, loaded: the given one, else that of the spec.

    Where the spec leaves it open, that is the one of this process, else the first that is installed.
    """
    if given is None:
        given = checked.section("training").get("backend")
    engine = training_backend(any_engine() if given == AUTO else given)
    engine.load()
    return engine


def any_engine() -> str:
    """An engine that Keras can run on here."""
    if "keras" in sys.modules:
        return str(sys.modules["keras"].backend.backend())
    return next((name for name in TRAINING if find_spec(name) is not None), next(iter(TRAINING)))


def exporter_of(checked: Checked, given: str | ExportBackend | None = None) -> ExportBackend:
    """The format that a job exports to: the given one, else that of the spec."""
    return export_backend(checked.section("export").get("format") if given is None else given)
