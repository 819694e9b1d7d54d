"""The `training` section with defaults, and its callbacks; without a framework."""

from __future__ import annotations

import os.path
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from nnspec.catalogue import keras_objects
from nnspec.ir.graph import Args
from nnspec.lazy import dataclass

DEFAULTS: Args = {
    "optimizer": "Adam",
    "epochs": 10,
    "batch_size": 32,
    "seed": 0,
    "shuffle": True,
    "restore_best": True,
    "monitor": "val_loss",
    "class_weight": None,
    "precision": "float32",
    "accumulate": 1,
    "weights": None,
    "callbacks": [],
    "checkpoint": None,
    "distribute": None,
    "log": None,
}
# The argument of a callback that says where it writes, and whether that is a folder.
WRITES = {
    "ModelCheckpoint": ("filepath", False),
    "CSVLogger": ("filename", False),
    "TensorBoard": ("log_dir", True),
    "BackupAndRestore": ("backup_dir", True),
}
# What a build writes itself.
OWN_FILES = frozenset(
    {
        "checkpoint", "history.csv", "history.png", "interface.json", "manifest.json", "metrics.json", "model.keras",
        "data.json", "folds", "folds.json", "model.onnx", "preprocessing.json", "report.html", "spec.yaml",
        "verify.json", "MODEL_CARD.md",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planned:
    """A callback of a spec.

    Attributes:
        given: the arguments that the spec says.
    """

    kind: str
    given: Args

    @property
    def arguments(self) -> dict[str, Any]:
        """Every argument, defaults filled in."""
        return {**keras_objects.defaults("callbacks", self.kind), **self.given}

    @property
    def monitor(self) -> str | None:
        """The metric that it watches; None where it watches none."""
        arguments = self.arguments
        if self.kind == "ModelCheckpoint" and not arguments["save_best_only"]:
            return None
        found: str | None = arguments.get("monitor")
        return found

    @property
    def place(self) -> tuple[str, str] | None:
        """The argument that says where it writes, and its value; None where it writes nothing."""
        if self.kind not in WRITES:
            return None
        key = WRITES[self.kind][0]
        return key, str(self.arguments[key])

    @property
    def metrics(self) -> dict[str, bool | None]:
        """The metrics that it adds to those of an epoch."""
        return {"learning_rate": None} if self.kind == "ReduceLROnPlateau" else {}


def plan_callbacks(callbacks: Iterable[object]) -> list[Planned]:
    """The callbacks of a `training` section."""
    return [Planned(*_catalogued("callbacks", value)) for value in callbacks]


def _catalogued(family: str, value: object) -> tuple[str, Args]:
    assert isinstance(value, str | Mapping), "the schema has checked it"
    return keras_objects.canonical(family, value)


def optimizer_arguments(value: object) -> Args:
    """The arguments of the optimizer that updates the weights: of one that scales the loss, those of the inner one."""
    _, arguments = _catalogued("optimizers", value)
    inner = arguments.get("inner_optimizer")
    return optimizer_arguments(inner) if inner is not None else arguments


def resolve_inside(path: str) -> str | None:
    """The path below the build directory, `..` resolved; None where it leads out of it."""
    plain = path.replace("\\", "/")
    if plain.startswith(("/", "~")) or plain[1:2] == ":":
        return None
    found = os.path.normpath(plain).replace(os.sep, "/")
    return None if found.split("/")[0] == ".." else found


def placeholders(path: str) -> Iterator[str]:
    """The names in braces, such as `epoch` and `val_loss`.

    Raises:
        ValueError: where a brace is alone, or what it holds is no name.
    """
    for _, name, form, conversion in string.Formatter().parse(path):
        if name is None:
            continue
        if not name.isidentifier() and not name.replace("-", "_").isidentifier():
            raise ValueError(f"`{{{name}}}` is not the name of a metric")
        is_wide = any(len(digits) > 2 for digits in re.findall(r"\d+", form or ""))  # a width of a billion is a bomb
        if "/" in (form or "") or conversion or is_wide:
            raise ValueError(f"`{{{name}:{form}}}` is not a number format")
        format(0.5 if form and form[-1:] in "eEfFgG%" else 1, form or "")
        yield name
