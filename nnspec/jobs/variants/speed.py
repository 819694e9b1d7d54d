"""How fast a form of a model is beside another, on a machine that does other things too."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from nnspec.backends.base import Session

LEAST_RUNS, MOST_RUNS = 9, 200
SECONDS = 2.0  # of both together, unless that is too short for the least runs
FASTER = 1.05  # a smaller difference is noise


def relative_speed(whole: Session, other: Session, feed: Mapping[str, np.ndarray]) -> float:
    """How often `other` runs while `whole` runs once, on one thread.

    Both run in turn, so that what slows the machine slows both, and the median of each counts.
    """
    sessions = (whole, other)
    times: tuple[list[float], list[float]] = ([], [])
    for session in sessions:  # what the first run allocates is not timed
        session.run(feed)
    started = time.perf_counter()
    while len(times[0]) < MOST_RUNS and (len(times[0]) < LEAST_RUNS or time.perf_counter() - started < SECONDS):
        for taken, session in zip(times, sessions, strict=True):
            before = time.perf_counter()
            session.run(feed)
            taken.append(time.perf_counter() - before)
    return float(np.median(times[0]) / np.median(times[1]))
