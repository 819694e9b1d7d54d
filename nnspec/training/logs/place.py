"""`training.log`: where to log. Standard library only: checks read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from nnspec.lazy import dataclass
from nnspec.training.plan import resolve_inside

KINDS = ("tensorboard", "mlflow")
_SERVER = re.compile(r"https?://[^/@\s]+(/\S*)?")


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A place to log to.

    Attributes:
        kind: tensorboard or mlflow.
        text: as the spec has it: a folder below that of the spec, or an MLflow server's address.
    """

    kind: str
    text: str

    @property
    def is_server(self) -> bool:
        return self.kind == "mlflow" and bool(_SERVER.fullmatch(self.text))

    @property
    def fault(self) -> str:
        """What is wrong with it; empty where nothing is."""
        if self.is_server:
            return ""
        if "://" in self.text:
            if self.kind != "mlflow":
                return f"`{self.text}` is not a folder"
            if "@" in self.text:
                return "the address holds a name or a password, which every copy of the model would carry"
            return f"`{self.text}` is neither a folder nor an address such as `http://127.0.0.1:5000`"
        return "" if resolve_inside(self.text) is not None else f"`{self.text}` leaves the folder of the spec"

    def folder(self, of_spec: Path) -> Path:
        """The folder, of a place that is one."""
        return (of_spec / self.text).absolute()


def log_places(section: Mapping[str, object] | None) -> list[LogPlace]:
    """The places that `training.log` names, as it is written."""
    return [LogPlace(kind, str((section or {})[kind])) for kind in KINDS if (section or {}).get(kind) is not None]
