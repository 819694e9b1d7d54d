"""Which targets of a file count, where the spec says that padded or ignored ones do not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from nnspec.data.deployment import Deployment
from nnspec.runtime.errors import InputError
from nnspec.runtime.ports import BATCH, Metadata
from nnspec.runtime.rules.label_keys import label_key

Array = np.ndarray


def lengths_port(body: Metadata) -> dict[str, object] | None:
    """What is read beside the inputs: the number of steps of each sample that count; None where nothing is."""
    rule = body.get("counted") or {}
    if rule.get("lengths") is None:
        return None
    return {"dtype": "float64", "axes": [[BATCH, None]], "columns": None, "array": rule["lengths"], "gaps": []}


def counted_targets(
    name: str, metadata: Metadata, targets: Array, taken: Mapping[str, Array], lengths: Array | None
) -> NDArray[np.bool_] | None:
    """Axes as the targets; None where all count.

    Args:
        targets: as they stand in the file, axes `sample *target`.
        taken: the inputs of the same samples.
        lengths: what `lengths_port` reads.

    Raises:
        InputError: where an input has other steps than the targets.
    """
    rule = metadata["evaluation"][name].get("counted")
    if not rule:
        return None
    if "ignore" in rule:
        if targets.dtype.kind == "f":
            return np.asarray(targets != float(rule["ignore"]))
        ignored = label_key(rule["ignore"])
        return np.array([label_key(value) != ignored for value in targets.reshape(-1).tolist()]).reshape(targets.shape)
    axis = int(rule["axis"])
    if lengths is not None:
        real = np.arange(targets.shape[axis]) < lengths.reshape(-1, 1)
    else:
        real = _real_steps(str(rule["like"]), rule, metadata, taken)
    if real.shape != (len(targets), targets.shape[axis]):
        raise InputError(
            f"the targets of output `{name}` have {targets.shape[axis]} steps, but `{rule['like']}` has {real.shape[1]}"
        )
    shape = [size if i in (0, axis) else 1 for i, size in enumerate(targets.shape)]
    return np.asarray(np.broadcast_to(real.reshape(shape), targets.shape))


def _real_steps(name: str, rule: Metadata, metadata: Metadata, taken: Mapping[str, Array]) -> NDArray[np.bool_]:
    """Where an input is no padding: axes `sample step`."""
    transform = Deployment.from_json(metadata["preprocessing"]).inputs[name]
    order = [axis for axis, _ in metadata["inputs"][name]["axes"]]
    wanted = [order.index(axis) for axis in (BATCH, *rule["axes"])]
    padding = transform.padding(np.asarray(taken[name]).transpose(wanted))
    assert padding is not None, "an input that others are padded like says how it is padded"
    return np.asarray(~padding.reshape(len(padding), -1))
