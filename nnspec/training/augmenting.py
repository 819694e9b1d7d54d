"""Samples that are changed at random in training, as the data section's `augment` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from nnspec.backends.base import Samples
from nnspec.backends.types import Values
from nnspec.data.augment.augmentation import Augmentation
from nnspec.ir.graph import Graph


def augment_samples(graph: Graph, samples: Samples, augmentation: Augmentation | None, seed: int) -> Samples:
    """The samples, each batch of which is changed anew in every epoch."""
    if augmentation is None:
        return samples
    changes = augmentation
    inputs, outputs = list(graph.inputs), list(graph.outputs)

    def change(parts: tuple[Values, ...], chosen: np.ndarray, epoch: int) -> tuple[Values, ...]:
        x, y, *rest = parts
        weights = _named(rest[0], outputs) if rest else None
        found = changes.apply(_named(x, inputs), _named(y, outputs), weights, chosen, seed, epoch)
        alike = zip(found, parts, strict=False)
        return tuple(new if isinstance(old, Mapping) else next(iter(new.values())) for new, old in alike if new)

    return replace(samples, change=change)


def _named(values: Values, names: list[str]) -> dict[str, np.ndarray]:
    """Arrays by name; one that stands alone is the only one."""
    return dict(values) if isinstance(values, Mapping) else {names[0]: values}
