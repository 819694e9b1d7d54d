"""Finds the layers in which a variant loses most, by variants that keep some layers in float32."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

MOST_TRIED = 24  # layers that are tried one by one
_GROUPS = 12  # of more layers, groups of neighbours are tried first
_NAMED = 5


def find_costly_layers(
    layers: Sequence[str], loss_without: Callable[[Sequence[str]], float], whole: float
) -> list[str]:
    """The layers without which the loss is smaller, those that matter most first; empty where no layer matters alone.

    Of a deep network it looks into the group of neighbours that matters most, so that it takes about two dozen trials.

    Args:
        loss_without: what the variant loses where these layers stay float32; it may be no number.
        whole: what it loses without exceptions.
    """
    candidates = list(layers)
    while True:
        groups = _split(candidates)
        losses = [(loss_without(group), group) for group in groups]
        helping = [(loss, group) for loss, group in losses if not math.isnan(loss) and not loss >= whole]
        helping.sort(key=lambda each: each[0])
        if not helping or len(groups) == len(candidates):
            return [layer for _, group in helping[:_NAMED] for layer in group]
        candidates = helping[0][1]


def _split(layers: list[str]) -> list[list[str]]:
    """One by one, or where there are too many as neighbours."""
    if len(layers) <= MOST_TRIED:
        return [[layer] for layer in layers]
    bounds = [len(layers) * i // _GROUPS for i in range(_GROUPS + 1)]
    return [layers[first:last] for first, last in pairwise(bounds)]
