"""What a source says where data cannot be used; `base` has these names too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnspec.diagnostics import Diagnostic, Fix, Span

if TYPE_CHECKING:
    from nnspec.runtime.rules.csv_sniff import Proposal


class SourceError(ValueError):
    """A file cannot be used (NN502); the message completes `FILE cannot be used: …`.

    Attributes:
        remedy: what to do, where that can be said.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def help(self) -> tuple[Fix, ...]:
        """What to do, as a diagnostic says it."""
        return (Fix(self.remedy),) if self.remedy else ()


class OutsideError(SourceError):
    """A file that a pattern matches leads outside the spec's folder (NN510); the message is the whole sentence."""


class MisfitError(SourceError):
    """A file is sound but not what its input or output wants (NN506); the message is the whole sentence.

    Attributes:
        key: the option or path key of the spec that it is about.
        code: of its diagnostic.
    """

    def __init__(self, message: str, key: str = "", code: str = "NN506") -> None:
        super().__init__(message)
        self.key, self.code = key, code


class ToldError(SourceError):
    """A source cannot be used, by a code and with notes and fixes of its own; the message is the whole sentence."""

    def __init__(self, code: str, message: str, *fixes: str, notes: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.code, self.fixes, self.notes = code, fixes, notes

    def diagnostic(self, span: Span, path: str) -> Diagnostic:
        """At the place of the spec that names the source."""
        fixes = tuple(Fix(fix) for fix in self.fixes)
        return Diagnostic(self.code, str(self), span, path=path, notes=tuple(self.notes), fixes=fixes)


class ProposalError(SourceError):
    """A file is not written as the spec says; keys beside its path would say how it is (NN560).

    Attributes:
        shown: what messages call the file.
        table: of a query, the table whose file it is.
    """

    table: str = ""

    def __init__(self, shown: str, proposal: Proposal) -> None:
        super().__init__(proposal.reason)
        self.shown, self.proposal = shown, proposal
