"""The results that the verbs return."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nnspec.document.types import JsonObject


@dataclass
class Run:
    """What a build gave.

    Attributes:
        metrics: `{split: {output: metrics}}`, as in metrics.json.
        history: one row an epoch.
        verification: as in verify.json.
        file: the name of the deployed model, where there is one.
    """

    folder: Path
    metrics: JsonObject = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    verification: JsonObject = field(default_factory=dict)
    file: str = "model.onnx"

    @property
    def model(self) -> Path:
        """The deployed model, of whichever format."""
        return self.folder / self.file

    @property
    def onnx(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def keras(self) -> Path:
        return self.folder / "model.keras"
