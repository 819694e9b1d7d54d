"""What a spec says of the workers that train it; without a framework."""

from __future__ import annotations

from nnspec.document.types import JsonObject
from nnspec.lazy import dataclass


@dataclass(frozen=True, slots=True)
class Distribution:
    """Workers that train data parallel.

    Attributes:
        workers: how many, more than one.
        ray: the address of the Ray cluster that they are on; empty: any; None: processes of this machine.
    """

    workers: int
    ray: str | None = None


def distribution_of(training: JsonObject) -> Distribution | None:
    """That of a `training` section; None where a single process trains."""
    given = training.get("distribute") or {}
    workers = int(given.get("workers") or 1)
    if workers < 2:
        return None
    ray = given.get("ray") or None
    return Distribution(workers, "" if ray is True else ray)
