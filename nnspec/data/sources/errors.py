"""What a source says where data cannot be used; `base` has these names too."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnspec.runtime.csv_sniff import Proposal


class SourceError(ValueError):
    """A file cannot be used (NN502); the message completes `FILE cannot be used: …`."""


class OutsideError(SourceError):
    """A file that a pattern matches leads outside the spec's folder (NN510); the message is the whole sentence."""


class MisfitError(SourceError):
    """A file is sound but not what its input or output wants (NN506); the message is the whole sentence.

    Attributes:
        key: the option or path key of the spec that it is about.
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class ProposalError(SourceError):
    """A file is not written as the spec says; keys beside its path would say how it is (NN560).

    Attributes:
        shown: what messages call the file.
    """

    def __init__(self, shown: str, proposal: Proposal) -> None:
        super().__init__(proposal.reason)
        self.shown, self.proposal = shown, proposal
