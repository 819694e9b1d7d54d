"""The layers by kind: those of nnspec and of other installed packages.

A spec uses few of the kinds, so a kind's module is imported when the kind is first looked up. Which module holds which
kinds is in kinds.json, which `nnspec schema` writes.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from nnspec.layers import plugins
from nnspec.layers.kit.base import Layer

# `linear.dense` -> the kinds that its LAYERS hold, in the same order.
MODULES: Mapping[str, tuple[str, ...]] = {
    module: tuple(kinds)
    for module, kinds in json.loads(Path(__file__).with_name("kinds.json").read_text(encoding="utf-8")).items()
}


class Registry(Mapping[str, Layer]):
    """Kind -> layer. nnspec's own kinds are known at once; a module is imported when a kind of it is asked for.

    A kind that a package offers is one of the kinds where it can be used; `problem` says why another cannot.
    """

    def __init__(self, modules: Mapping[str, tuple[str, ...]]) -> None:
        self._modules = {kind: module for module, kinds in modules.items() for kind in kinds}
        self._loaded: dict[str, Layer] = {}

    def __getitem__(self, kind: str) -> Layer:
        if kind not in self._loaded:
            if kind in self._modules:
                module = importlib.import_module(f"nnspec.layers.{self._modules[kind]}")
                self._loaded.update((layer.kind, layer) for layer in module.LAYERS)
            else:
                self._loaded[kind] = self._of_a_package(kind)
        return self._loaded[kind]

    def __iter__(self) -> Iterator[str]:
        yield from self._modules
        yield from (kind for kind in plugins.kinds() if kind not in self._modules and kind in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, kind: object) -> bool:
        if not isinstance(kind, str):
            return False
        return kind in self._modules or isinstance(plugins.find(kind), Layer)

    def problem(self, kind: str) -> plugins.Problem | None:
        """Why a kind that a package offers is none of the kinds."""
        found = plugins.find(kind) if kind not in self._modules else None
        return found if isinstance(found, plugins.Problem) else None

    def problems(self) -> list[plugins.Problem]:
        """What is wrong with the layers of other packages, all of them imported."""
        found = [self.problem(kind) for kind in plugins.kinds()]
        return [problem for problem in found if problem is not None] + plugins.shadowed(self._modules)

    def shadowed(self, kind: str) -> plugins.Problem | None:
        """The layer of a package that is never used, because the kind is nnspec's own."""
        return next((problem for problem in plugins.shadowed(self._modules) if problem.kind == kind), None)

    def _of_a_package(self, kind: str) -> Layer:
        found = plugins.find(kind)
        if not isinstance(found, Layer):
            raise KeyError(kind)
        return found


REGISTRY = Registry(MODULES)
