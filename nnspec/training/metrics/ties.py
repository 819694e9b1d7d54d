"""Scores that rounding alone tells apart are one: samples with the same inputs have the same rank.

A network's outputs for the same inputs differ in their last bits with the size of a batch and the runtime. Among a few
hundred rows many are alike, and a rank that rounding decides would change an area under a curve in its third digit.
"""

from __future__ import annotations

import numpy as np

ROUNDING = 2e-6  # relative to a score: some ten units in the last place of a float32


def as_tied(scores: np.ndarray) -> np.ndarray:
    """Scores, of which those that differ by rounding have the same value: axes `row`, float64.

    A group is no wider than rounding, so that many scores close to one another keep their order.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order].astype(np.float64)
    if not len(ordered):
        return ordered
    reach = ROUNDING * np.maximum(np.abs(ordered[1:]), np.abs(ordered[:-1]))
    begins = np.append(True, np.diff(ordered) > reach)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))  # of a run of close scores
    width = ROUNDING * np.abs(ordered[first])
    part = np.floor(np.divide(ordered - ordered[first], width, out=np.zeros_like(ordered), where=width > 0))
    begins |= np.append(True, np.diff(part) != 0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))
    found = np.empty_like(ordered)
    found[order] = np.where(np.isnan(ordered), np.nan, ordered[first])
    return found
