"""The open documents and their results: one check per text, however many requests use it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types as lsp

from nnspec.diagnostics import Applicability, CompilerBug, Diagnostic, Fix, Severity, Source, Span
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey, survey

# A text with top-level keys none of which is a spec's is another kind of YAML, which is left alone.
_OURS = re.compile(r"^[\"']?(nnspec|inputs|model|outputs)[\"']?\s*:", re.MULTILINE)
_KEY = re.compile(r"^[\"']?[\w.\-/]+[\"']?\s*:(\s|$)", re.MULTILINE)


@dataclass(kw_only=True)
class Document:
    """An open document.

    Attributes:
        known: what is known of the newest text, or None before it was checked.
        last_good: the newest text that was valid YAML.
        seconds: how long the last check took.
    """

    uri: str
    path: Path
    text: str
    version: int | None
    encoding: lsp.PositionEncodingKind | str
    allow_outside: bool = False
    known: Survey | None = None
    last_good: Survey | None = None
    seconds: float = 0.0
    positions: Positions = field(init=False)

    def __post_init__(self) -> None:
        self.change(self.text, self.version)

    def change(self, text: str, version: int | None) -> None:
        self.text, self.version, self.known = text, version, None

    def forget(self) -> None:
        """What is known may be out of date: a file that the spec names has changed."""
        self.known = None

    @property
    def is_spec(self) -> bool:
        return _OURS.search(self.text) is not None or _KEY.search(self.text) is None

    def survey(self) -> Survey:
        """What is known of the text, checked now where that has not been done."""
        if self.known is None:
            started = time.perf_counter()
            self.known = self.check(self.text)
            self.positions = Positions(self.known.source, self.encoding)
            self.seconds = time.perf_counter() - started
            if self.known.root is not None:
                self.last_good = self.known
        return self.known

    def check(self, text: str) -> Survey:
        """What is known of a text that stands for this document."""
        source = Source(str(self.path), text)
        if not self.is_spec:
            return Survey(source)
        try:
            return survey(self.path, source, allow_outside=self.allow_outside)
        except CompilerBug as bug:
            return Survey(source, diagnostics=(_fault_of_nnspec(str(bug), source),))
        except Exception as error:  # the server outlives every document
            return Survey(source, diagnostics=(_fault_of_nnspec(repr(error), source),))


def _fault_of_nnspec(what: str, source: Source) -> Diagnostic:
    fix = Fix("please report it: this is a bug in nnspec, not in your spec", (), Applicability.MAYBE)
    return Diagnostic("internal", f"internal error: {what}", Span(source), fixes=(fix,), severity=Severity.WARNING)
