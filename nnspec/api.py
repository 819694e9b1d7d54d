"""The Python API: `nnspec.load(path)` gives a `Spec` that checks, compiles, exports and builds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nnspec import pipeline
from nnspec.diagnostics import Diagnostic
from nnspec.ir.graph import Graph

if TYPE_CHECKING:
    from nnspec.backends.types import KerasModel
    from nnspec.document.types import Plain
    from nnspec.jobs import Run


class Spec:
    """A spec file with overrides. Nothing is read before it is asked for."""

    def __init__(
        self, path: str | Path, overrides: Mapping[str, Plain] | None = None, *, allow_outside: bool = False
    ) -> None:
        self.path = Path(path)
        self.overrides = dict(overrides or {})
        self.allow_outside = allow_outside
        self._checked: pipeline.Checked | None = None

    def check(self) -> list[Diagnostic]:
        """All diagnostics; none if the spec has no errors or warnings. No framework is imported."""
        return pipeline.diagnose(self.path, self.overrides, allow_outside=self.allow_outside)

    @property
    def checked(self) -> pipeline.Checked:
        """The spec after all checks.

        Raises:
            SpecError: where it has errors.
        """
        if self._checked is None:
            self._checked = pipeline.check(self.path, self.overrides, allow_outside=self.allow_outside)
        return self._checked

    @property
    def graph(self) -> Graph:
        return self.checked.graph

    def compile(self) -> KerasModel:
        """The Keras model, compiled with the spec's optimizer, losses and metrics; weights by the spec's seed.

        Its outputs are those that have targets.
        """
        from nnspec.jobs.settings import engine_of, settings_of
        from nnspec.training.train import compile_model

        return compile_model(self.graph, settings_of(self.checked), engine_of(self.checked)).trained

    def train(self, out: str | Path, *, resume: bool = False, quiet: bool = True) -> Run:
        from nnspec.jobs import run_training
        from nnspec.progress import Progress

        return run_training(self.checked, Path(out), Progress(quiet=quiet), resume=resume)

    def export(
        self, out: str | Path, *, weights: str | Path | None = None, untrained: bool = False, quiet: bool = True
    ) -> Run:
        from nnspec.jobs import run_export
        from nnspec.progress import Progress

        path = Path(weights) if weights is not None else None
        checked = self.checked
        if untrained:  # no data are needed, so none are looked at
            checked = pipeline.check(self.path, self.overrides, without_data=True)
        return run_export(checked, Path(out), Progress(quiet=quiet), weights=path, untrained=untrained)

    def build(self, out: str | Path, *, resume: bool = False, quiet: bool = True) -> Run:
        """Trains, evaluates, exports and verifies; writes the results to `out`."""
        from nnspec.jobs import run_build
        from nnspec.progress import Progress

        return run_build(self.checked, Path(out), Progress(quiet=quiet), resume=resume)


def load(path: str | Path, overrides: Mapping[str, Plain] | None = None, *, allow_outside: bool = False) -> Spec:
    """A spec; `overrides` such as `{"vars.lookback": 12}` are put in before anything is checked."""
    return Spec(path, overrides, allow_outside=allow_outside)
