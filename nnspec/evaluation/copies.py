"""The targets of outputs that reconstruct an input: the input itself, as the network reads it, in original units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nnspec.data.deployment import Deployment
from nnspec.runtime.ports import BATCH, Metadata

Array = np.ndarray


def copied_targets(name: str, metadata: Metadata, taken: Mapping[str, Array]) -> Array:
    """Axes `sample *output`, in the order of the network's own.

    Args:
        taken: the inputs of some samples.
    """
    body, deployment = metadata["evaluation"][name], Deployment.from_json(metadata["preprocessing"])
    encoded = deployment.columns.get(body["of"])
    raw = {port: np.asarray(taken[port]) for port in ([body["of"]] if encoded is None else encoded.ports)}
    if encoded is not None:
        read = encoded.apply(raw)
    else:
        order = [axis for axis, _ in metadata["inputs"][body["of"]]["axes"]]
        raw[body["of"]] = raw[body["of"]].transpose([order.index(axis) for axis in (BATCH, *body["input_axes"])])
        given = deployment.inputs.get(body["of"])
        read = raw[body["of"]] if given is None else given.apply(raw[body["of"]])
    learned = np.asarray(read, np.float32).transpose(0, *(1 + i for i in body["order"]))
    return np.asarray(deployment.outputs[name].restore(learned, raw))
