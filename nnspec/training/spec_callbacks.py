"""The callbacks of a spec as Keras objects, which write only below the build directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nnspec.backends.types import KerasCallback
from nnspec.catalogue import keras_objects
from nnspec.diagnostics import CompilerBug
from nnspec.training.plan import Planned, optimizer_arguments, plan_callbacks, resolve_inside
from nnspec.training.settings import Settings


def user_callbacks(settings: Settings, known: Mapping[str, bool | None], folder: Path) -> list[KerasCallback]:
    """The callbacks of the spec; files that they write go below `folder`.

    Where the optimizer averages the weights, the metrics of validation are those of the averages, which are deployed.
    """
    found = plan_callbacks(settings["callbacks"])
    optimizer = optimizer_arguments(settings["optimizer"])
    if optimizer.get("use_ema") and not any(callback.kind == "SwapEMAWeights" for callback in found):
        found.insert(0, Planned("SwapEMAWeights", {}))
    return [_user_callback(callback, known, folder) for callback in found]


def _user_callback(callback: Planned, known: Mapping[str, bool | None], folder: Path) -> KerasCallback:
    arguments = dict(callback.given)
    if callback.place is not None:
        key, path = callback.place
        below = resolve_inside(path)
        if below is None:
            raise CompilerBug(f"callback `{callback.kind}` would write `{path}`, which the checks let pass")
        target = folder / below
        target.parent.mkdir(parents=True, exist_ok=True)
        arguments[key] = str(target)
    is_higher_better = known.get(callback.arguments.get("monitor", ""))
    if (
        callback.arguments.get("mode") == "auto" and is_higher_better is not None
    ):  # Keras does not know metrics of one of many outputs
        arguments["mode"] = "max" if is_higher_better else "min"
    return keras_objects.build("callbacks", {callback.kind: arguments})
