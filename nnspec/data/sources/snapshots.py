"""Sources whose rows are made once and kept: databases, and queries. What is read later is what was checked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager

from nnspec.data.sources.base import SourceFacts, SourcePlan
from nnspec.data.sources.stamps import stamps_of
from nnspec.data.sources.typed import Part, TypedSource
from nnspec.runtime.engine.types import Table

_KEPT = 2


class SnapshotSource(TypedSource):
    """A typed table whose rows are made by `make`."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[Hashable, tuple[Hashable | None, Table]] = {}

    @abstractmethod
    def make(self, plan: SourcePlan) -> Table:
        """The rows, in an engine of their own.

        Raises:
            SourceError: where they cannot be had.
        """

    def probe(self, plan: SourcePlan, wanted: Sequence[str], kept: Sequence[str]) -> SourceFacts:
        """As any typed table, of rows that are made anew where it is not known that they are the same."""
        stamp = self.stamp(plan)
        found = self._made.get(plan.identity)
        if found is not None and (stamp is None or found[0] != stamp):
            del self._made[plan.identity]
        return super().probe(plan, wanted, kept)

    def forget(self) -> None:
        """Drops all rows, so that they are made anew."""
        self._made.clear()
        self._facts.clear()

    def stamp(self, plan: SourcePlan) -> Hashable | None:
        """Of all tables, None where that of one is not known."""
        parts = list(plan.parts.values())
        stamps = [
            part.source.stamp(part) if isinstance(part.source, TypedSource) else stamps_of(part.files())
            for part in parts
        ]
        return None if not stamps or None in stamps else tuple(stamps)

    @contextmanager
    def open_parts(self, plan: SourcePlan) -> Iterator[Iterator[Part]]:
        found = self._made.get(plan.identity)
        if found is None:
            found = self.stamp(plan), self.make(plan)
            while len(self._made) >= _KEPT:
                del self._made[next(iter(self._made))]
            self._made[plan.identity] = found
        yield iter([Part(found[1])])
