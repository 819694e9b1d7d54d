"""Layers of other installed packages: the entry points of the group `nnspec.layers`.

Such a package says in its pyproject.toml

    [project.entry-points."nnspec.layers"]
    ScaleShift = "my_package.layers:ScaleShift"

where the name is the kind that a spec writes, and the object a class derived from `nnspec.layers.kit.base.Layer`. It is
imported when a spec names the kind, or where all kinds are asked for. What is wrong with one is a `Problem`, and the
kind is then unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from nnspec.catalogue.entry_points import find_all
from nnspec.diagnostics.lists import quoted
from nnspec.ir.layer_failure import say
from nnspec.ir.names import NAME_PATTERN, STRUCTURE
from nnspec.layers.kit.args import Arg
from nnspec.layers.kit.base import Layer
from nnspec.lazy import dataclass

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "nnspec.layers"
# What a layer cannot do without: its axes, and the Keras layer that trains.
_REQUIRED = ("infer", "to_keras")
# What a class could define once under another name, which nothing would read now.
_RENAMED = {"is_verb": "is_axis_operation", "passes_at_inference": "is_training_only", "undo": "invert_scaling"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a layer of another package cannot be used: completes `` `ScaleShift` of the package `scaleshift` 1.0 …``."""

    kind: str
    package: str
    reason: str

    def __str__(self) -> str:
        return f"`{self.kind}` of the package {self.package} {self.reason}"


def kinds() -> Iterable[str]:
    """The kinds that packages offer, whether they can be used or not."""
    return find_all(GROUP)


def find(kind: str) -> Layer | Problem | None:
    """The layer of a kind that a package offers, or why it cannot be used; None where no package offers it."""
    return _load(kind) if kind in find_all(GROUP) else None


def shadowed(builtin: Mapping[str, str]) -> list[Problem]:
    """What packages offer under a name that nnspec itself has: it is never used."""
    return [
        Problem(kind, _package(point), "is never used, since nnspec has a layer of this name")
        for kind, points in find_all(GROUP).items()
        if kind in builtin
        for point in points
    ]


@cache
def _load(kind: str) -> Layer | Problem:
    first, *others = find_all(GROUP)[kind]
    package = _package(first)
    if others:
        also = " and ".join(_package(point) for point in others)
        return Problem(kind, package, f"has the name of a layer of {also}: uninstall all but one")
    try:
        found = first.load()
    except (Exception, SystemExit) as error:
        return Problem(kind, package, f"cannot be loaded from `{first.value}`: {say(error)}")
    try:
        layer = found() if isinstance(found, type) else found
    except (Exception, SystemExit) as error:
        return Problem(kind, package, f"cannot be created: `{first.value}()` fails with {say(error)}")
    reason = _unfit(kind, layer)
    if reason:
        return Problem(kind, package, f"{reason} (`{first.value}`)")
    layer.package = package
    return layer  # type: ignore[no-any-return]


def _unfit(kind: str, layer: object) -> str:
    """What an object lacks to be a layer of this kind; empty where it is one."""
    if not isinstance(layer, Layer):
        return "is not a layer: it must be a class derived from `nnspec.layers.kit.base.Layer`"
    if getattr(layer, "kind", None) != kind:
        return f"has kind `{getattr(layer, 'kind', None)}`: the entry point must have the name of the kind"
    missing = [name for name in _REQUIRED if getattr(type(layer), name) is getattr(Layer, name)]
    if missing:
        return f"has no `{missing[0]}`"
    for old, new in _RENAMED.items():
        if hasattr(layer, old):
            return f"defines `{old}`, which is called `{new}` now"
    if not re.search(NAME_PATTERN, kind) or kind in STRUCTURE:
        return f"has a name that no layer can have: letters, digits and `_`, except {quoted(STRUCTURE)}"
    args: object = layer.args
    if not isinstance(args, Mapping):
        return f"has `args` of type {type(args).__name__}: they must map each argument to an `Arg`"
    if not all(isinstance(arg, Arg) for arg in args.values()):
        return "has `args` that are not `nnspec.layers.kit.args.Arg`"
    return ""


def _package(point: EntryPoint) -> str:
    """`` `scaleshift` 1.0 ``."""
    distribution = point.dist
    if distribution is None:
        return f"`{point.value.partition(':')[0].partition('.')[0]}`"
    return f"`{distribution.name}` {distribution.version}"
