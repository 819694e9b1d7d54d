"""What a run of a log is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class About:
    """What a run is of.

    Attributes:
        name: the network's, by which runs stand together.
        run: the build's.
        parameters: settings of the training and variables of the spec, by path.
        tags: hashes, versions, the seed.
    """

    name: str
    run: str
    description: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
