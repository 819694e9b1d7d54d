"""Scores that rounding alone tells apart are one: samples with the same inputs have the same rank.

A network's outputs for the same inputs differ in their last bits with the size of a batch and the runtime. Among a few
hundred rows many are alike, and a rank that rounding decides would change an area under a curve in its third digit.
"""

from __future__ import annotations

import numpy as np

ROUNDING = 2e-6  # relative to a score: some ten units in the last place of a float32
_UNIT = 1.1 * 2.0**-24  # a unit in the last place of a share between 0.5 and 1
_CLEAR = 1000 * _UNIT  # nearer to 1 a unit is no rounding, but tells apart what a sigmoid was given


def as_tied(scores: np.ndarray, *, are_shares: bool = False) -> np.ndarray:
    """Scores, of which those that differ by rounding have the same value: axes `row`, float64.

    A group is no wider than rounding, so that many scores close to one another keep their order.

    Args:
        are_shares: that they are what a sigmoid or softmax gives: near 1 they are far closer to one another than what
            they were made of.
    """
    order = np.argsort(scores, kind="stable")
    ordered = scores[order].astype(np.float64)
    if not len(ordered):
        return ordered
    reach = _rounding_of(ordered, are_shares)
    begins = np.append(True, np.diff(ordered) > np.maximum(reach[1:], reach[:-1]))
    first = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))  # of a run of close scores
    width = reach[first]
    part = np.floor(np.divide(ordered - ordered[first], width, out=np.zeros_like(ordered), where=width > 0))
    begins |= np.append(True, np.diff(part) != 0)
    first = np.maximum.accumulate(np.where(begins, np.arange(len(ordered)), 0))
    found = np.empty_like(ordered)
    found[order] = np.where(np.isnan(ordered), np.nan, ordered[first])
    return found


def _rounding_of(scores: np.ndarray, are_shares: bool) -> np.ndarray:
    """How far rounding moves each score."""
    if not are_shares:
        return np.asarray(ROUNDING * np.abs(scores))
    near_one = np.clip(1 - scores, 0, None)
    return np.asarray(
        ROUNDING * np.minimum(np.abs(scores), near_one) + np.where((scores > 0.5) & (near_one > _CLEAR), _UNIT, 0)
    )
