"""Diagnostics: what nnspec says about a spec, where, why, and how to mend it.

A user's fault is a `Diagnostic` with a `Span`; phases collect them and `SpecError` carries them out.
A fault of nnspec itself is a `CompilerBug`. Rendering lives in `render`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Applicability(StrEnum):
    """How sure a fix is: only machine-applicable ones are written by `nnspec fix`."""

    MACHINE = "machine-applicable"
    MAYBE = "maybe-incorrect"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A text that spans point into: its name as the user gave it, and its lines."""

    name: str
    text: str

    def line(self, number: int) -> str:
        """The line with this number (from 1), without its line break; empty past the end."""
        lines = self.text.splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of a source: lines and columns from 1, `end_column` is one past the last character.

    `trail` says which expansions led here, outermost first (`repeat: dilation = 4`).
    """

    source: Source
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    trail: tuple[str, ...] = ()

    def within(self, trail: tuple[str, ...]) -> Span:
        """The same place, reached through one more expansion."""
        return replace(self, trail=trail + self.trail) if trail else self

    @property
    def start(self) -> Span:
        """The empty span at the beginning of this one: where an insertion goes."""
        return replace(self, end_line=self.line, end_column=self.column)

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the text of a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A way to mend a fault: a message and, where it can be done by machine, the edits."""

    message: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = Applicability.MAYBE


@dataclass(frozen=True, slots=True)
class Related:
    """A second place that has to do with a fault, and why."""

    span: Span
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault of a spec.

    Attributes:
        code: a key of `nnspec.codes.CODES`.
        message: one sentence that stands alone.
        span: the exact tokens at fault.
        label: what to say under the carets.
        path: where in the document, such as `model[3].Reshape.target_shape`.
        notes: reasons and witnesses.
        related: further places, such as a declaration.
        fixes: proposals, the best first.
    """

    code: str
    message: str
    span: Span
    label: str = ""
    path: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()
    severity: Severity = Severity.ERROR

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def _sort_key(self) -> tuple[str, int, int, str]:
        return (self.span.source.name, self.span.line, self.span.column, self.code)


@dataclass
class Report:
    """Collects the diagnostics of a phase. The same fault at the same place is kept once."""

    items: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, str, int, int, str]] = field(default_factory=set)

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        key = (diagnostic.code, span.source.name, span.line, span.column, diagnostic.message)
        if key not in self._seen:
            self._seen.add(key)
            self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.add(diagnostic)

    @property
    def has_errors(self) -> bool:
        return any(d.is_error for d in self.items)

    def sorted(self) -> list[Diagnostic]:
        return sorted(self.items, key=Diagnostic._sort_key)

    def raise_errors(self) -> None:
        """Ends the phase.

        Raises:
            SpecError: where an error was collected; it carries the warnings too.
        """
        if self.has_errors:
            raise SpecError(self.sorted())

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)


class SpecError(Exception):
    """The user's spec, data or request is at fault; `diagnostics` says where and why."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = list(diagnostics)
        super().__init__("; ".join(f"{d.span}: {d.code}: {d.message}" for d in self.diagnostics))

    @classmethod
    def single(
        cls,
        code: str,
        message: str,
        span: Span,
        *,
        notes: Iterable[str] = (),
        fixes: Iterable[Fix] = (),
        path: str = "",
    ) -> SpecError:
        return cls([Diagnostic(code, message, span, notes=tuple(notes), fixes=tuple(fixes), path=path)])


class CompilerBug(Exception):
    """nnspec is at fault: what its checks promised did not hold. Names the spec's line that it was working on."""


def nearest(word: str, candidates: Iterable[str], limit: int = 1) -> list[str]:
    """The candidates that `word` was probably meant to be, best first; case alone never counts as a difference."""
    folded: dict[str, str] = {}
    for candidate in candidates:
        folded.setdefault(candidate.lower(), candidate)
    return [folded[m] for m in difflib.get_close_matches(word.lower(), list(folded), n=limit, cutoff=0.6)]


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """` — did you mean `x`?`, or nothing."""
    close = nearest(word, candidates)
    return f"; did you mean `{close[0]}`?" if close else ""
