"""Which kind a Keras class is in a spec: one of Keras' own, or one of a package that is installed beside nnspec."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping

from nnspec.diagnostics import nearest
from nnspec.importers.keras.network import Config, ImportFault, Network
from nnspec.layers import plugins
from nnspec.layers.registry import REGISTRY

KERAS_MODULES = ("keras.layers", "keras.src.layers", "keras.src.models", "keras.models")


_IN_ITS_PLACE = (
    "compute the same with operations of `keras.ops` or other layers of Keras in the model, and save the model again"
)


def kind_of(class_name: str, module: str, name: str, registered: str = "") -> str:
    """The kind of a layer of this class.

    Args:
        name: the layer's own, for what is told.
        registered: the name under which the class was registered, with its package.

    Raises:
        ImportFault: where neither nnspec nor a package has one.
    """
    is_registered = ">" in registered
    if is_registered or not module.startswith(KERAS_MODULES):
        found = _kinds_of_packages().get(f"{module}.{class_name}")
        if found is not None:
            return found
        said, of = (registered, "") if is_registered else (class_name, f" of `{module}`")
        raise ImportFault(
            f"layer `{name}` is a `{said}`{of}, a custom class: a spec cannot contain its code",
            help=f"say what it computes as a block, under `{said}` in a file for `--blocks`",
        )
    if class_name not in REGISTRY:
        close = nearest(class_name, REGISTRY)
        raise ImportFault(
            f"layer `{name}` is a `{class_name}`, which nnspec does not support",
            help=f"the closest supported layer is `{close[0]}`" if close else _IN_ITS_PLACE,
        )
    return class_name


def _kinds_of_packages() -> dict[str, str]:
    """The kinds that packages offer, by the Keras class that they say they are made of."""
    kinds = [kind for kind in plugins.kinds() if kind in REGISTRY]
    return {REGISTRY[kind].keras_class: kind for kind in kinds if REGISTRY[kind].keras_class}


def package_classes(network: Network) -> dict[str, type]:
    """The classes of packages that a network's layers are, by name, so that Keras can load its file."""
    known = _kinds_of_packages()
    wanted = {path for call in network.calls for path in _classes_in((call.module, call.kind), call.config)}
    found: dict[str, type] = {}
    for path in sorted(wanted & known.keys()):
        module, _, name = path.rpartition(".")
        found[name] = getattr(importlib.import_module(module), name)
    return found


def _classes_in(own: tuple[str, str], config: Config) -> Iterator[str]:
    """The classes of a layer and of those that it wraps, as `module.Class`."""
    yield ".".join(own)
    pending: list[object] = [config]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            if "class_name" in part and part.get("module"):
                yield f"{part['module']}.{part['class_name']}"
            pending += part.values()
        elif isinstance(part, list | tuple):
            pending += part
