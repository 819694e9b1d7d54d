"""What a device or runtime would take of a deployed model: the part of the seam that a check asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from nnspec.backends.base import Deployable

OPERATOR, SIZE, RANK = "operator", "size", "rank"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A device or runtime.

    Attributes:
        title: what messages call it.
        source: the package and its version that say what it takes.
        operators: with their domain, as in `ai.onnx:Add`, each with what the target says of its limits.
        needs_sizes: whether nodes that read a value of open size are left to the CPU.
        max_rank: of the values that nodes read.
        runs_rest: whether what it does not take is computed on the CPU; else it does not run the file at all.
    """

    title: str
    source: str
    operators: Mapping[str, str]
    needs_sizes: bool
    max_rank: int
    runs_rest: bool


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What a target takes of a model.

    Attributes:
        nodes: how many nodes there are, those in bodies of loops among them.
        taken: how many of them the target computes.
        partitions: into how many groups those fall.
        refused: by layer, or input or output where the file does more with one: the operators that the target does not
            take, each with the reasons (`operator`, `size`, `rank`).
        limits: what the target says of the operators that it takes, and nobody has checked.
    """

    target: Target
    nodes: int
    taken: int
    partitions: int
    refused: Mapping[str, Mapping[str, frozenset[str]]]
    limits: Mapping[str, str]

    @property
    def is_whole(self) -> bool:
        """Whether the target takes all of the model."""
        return self.taken == self.nodes

    @property
    def reasons(self) -> frozenset[str]:
        """All reasons for which it does not."""
        return frozenset(reason for own in self.refused.values() for found in own.values() for reason in found)

    @property
    def verdict(self) -> str:
        """`yes`, `maybe` or `no`: whether the model is worth running there, by the bounds of ONNX Runtime's checker."""
        share = self.taken / max(1, self.nodes)
        if self.partitions == 1:
            return "yes" if share > 0.75 else "maybe" if share > 0.5 else "no"
        return "maybe" if self.partitions == 2 and share > 0.75 else "no"


@runtime_checkable
class ForeseeingBackend(Protocol):
    """An export backend that can tell what targets take of a model before it has weights."""

    @property
    def newest_opset(self) -> int:
        """The newest operator set that it writes."""

    def needed_opset(self, network: Deployable) -> int:
        """The operator set that it writes where the spec names none."""

    def foresee(self, network: Deployable, targets: Sequence[str]) -> list[Foreseen]:
        """What each target would take of the network's file, whatever its weights turn out to be.

        Raises:
            SpecError: NN601 where a layer has no lowering of its own.
        """
