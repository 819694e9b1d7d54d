"""What a spec says of the workers that train it; without a framework."""

from __future__ import annotations

from nnspec.document.types import JsonObject
from nnspec.lazy import dataclass

_HERE = ("", "auto", "local")  # of Ray: one that runs here (or that the environment names), or a new one


@dataclass(frozen=True, slots=True)
class Distribution:
    """Workers that train data parallel.

    Attributes:
        workers: how many, more than one.
        ray: the address of the Ray cluster that they are on; empty: any; None: processes of this machine.
    """

    workers: int
    ray: str | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether the spec itself says where the cluster is: Ray finds the others on this machine."""
        return self.ray not in (None, *_HERE)


def distribution_of(training: JsonObject) -> Distribution | None:
    """That of a `training` section; None where a single process trains."""
    given = training.get("distribute") or {}
    workers = int(given.get("workers") or 1)
    if workers < 2:
        return None
    ray = given.get("ray") or None
    return Distribution(workers, "" if ray is True else ray)
