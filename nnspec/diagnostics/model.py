"""The model of diagnostics: code, message, span, notes and fixes.

A user's fault is a `Diagnostic` with a `Span`; phases collect them and `SpecError` carries them out.
A fault of nnspec itself is a `CompilerBug`. Rendering lives in `text`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, field, replace
from enum import Enum, StrEnum

from nnspec.diagnostics.spans import Span
from nnspec.diagnostics.suggest import did_you_mean as did_you_mean
from nnspec.diagnostics.suggest import is_same_word
from nnspec.diagnostics.suggest import nearest as nearest
from nnspec.diagnostics.values import as_yaml
from nnspec.lazy import dataclass

MAX_DIAGNOSTICS = 1000  # users do not read more, and each takes time
MAX_ALSO = 3


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Applicability(StrEnum):
    """How sure a fix is: only machine-applicable ones are written by `nnspec fix`."""

    MACHINE = "machine-applicable"
    MAYBE = "maybe-incorrect"


@dataclass(frozen=True, slots=True)
class Edit:
    """Replaces the text of a span."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A fix of an error: a message and, if it is machine-applicable, the edits."""

    message: str
    edits: tuple[Edit, ...] = ()
    applicability: Applicability = Applicability.MAYBE


@dataclass(frozen=True, slots=True)
class Related:
    """A related span of a diagnostic, and why it is related.

    Attributes:
        label: what to say of it; where there is a `subject`, only what holds of that: `declared here`.
        subject: the name that the label is about. Equal labels of several names at one span are merged.
    """

    span: Span
    label: str
    subject: str = ""

    @property
    def text(self) -> str:
        """The whole label: `` `time` is declared here ``."""
        return f"`{self.subject}` is {self.label}" if self.subject else self.label


@dataclass(frozen=True, slots=True)
class AxisRef:
    """An axis that a diagnostic is about, or a part of one, by name.

    Attributes:
        node: the input or node whose axis it is; empty for that of any that is read.
    """

    name: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class NodeRef:
    """An input or a node of the model that a diagnostic is about, by name."""

    name: str


@dataclass(frozen=True, slots=True)
class KeyRef:
    """A key of the spec that a diagnostic is about, such as an argument that is missing."""

    name: str


Ref = AxisRef | NodeRef | KeyRef


class Reason(Enum):
    """What kind of thing is wrong, for what acts on it: codes and words are for readers."""

    AXES_OF_ONE_NAME = "a value would have two axes of one name"
    AXES_RUN_ALONG = "a layer runs along axes that seem to be others than was meant"
    AXES_CALLED_DIFFERENTLY = "values that are joined call their axes differently"
    REPEATED_SILENTLY = "a value would be repeated along an axis that is not written"
    VALUES_MIX = "a reshape regroups values of several axes"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault of a spec.

    Attributes:
        code: a key of `nnspec.diagnostics.codes.CODES`.
        message: one sentence that is complete without its context.
        span: the exact tokens at fault.
        label: what to say under the carets.
        path: where in the document, such as `model[3].Reshape.target_shape`.
        notes: reasons and witnesses.
        related: related spans, such as a declaration.
        fixes: proposals, the best first.
        about: the axes, nodes and keys in question. Whatever acts on a diagnostic reads these, never its words.
        reason: the type of error, where code acts on it.
        also: further expansions in which the same span is wrong, see `Report`.
    """

    code: str
    message: str
    span: Span
    _: KW_ONLY
    label: str = ""
    path: str = ""
    notes: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()
    fixes: tuple[Fix, ...] = ()
    severity: Severity = Severity.ERROR
    about: tuple[Ref, ...] = ()
    reason: Reason | None = None
    also: tuple[str, ...] = ()

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, and one about further expansions in which the same span is wrong."""
        if not self.also:
            return self.notes
        more = " and more" if len(self.also) > MAX_ALSO else ""
        return (*self.notes, f"also here, with other values: {', '.join(self.also[:MAX_ALSO])}{more}")

    @property
    def all_related(self) -> tuple[Related, ...]:
        """The related spans, and where the blocks and shared layers that led here are used."""
        steps = (Related(step.used, "used here") for step in reversed(self.span.trail) if step.used is not None)
        found: list[Related] = []
        for related in (*self.related, *steps):
            if not related.span.is_at(self.span) and not any(related.span.is_at(other.span) for other in found):
                found.append(related)
        return tuple(found)

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def _sort_key(self) -> tuple[str, int, int, str]:
        return (self.span.source.name, self.span.line, self.span.column, self.code)


@dataclass
class Report:
    """Collects the diagnostics of a phase. Equal diagnostics at the same span are kept once; too many end the phase.

    `refined` adds to each what is known by then, such as where its variables are set.
    """

    items: list[Diagnostic] = field(default_factory=list)
    _seen: set[tuple[str, str, int, int, str]] = field(default_factory=set)
    _places: dict[tuple[str, str, int, int], tuple[int, list[tuple[str, ...]]]] = field(default_factory=dict)
    _refiners: list[Callable[[Diagnostic], Diagnostic]] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        place = (diagnostic.code, span.source.name, span.line, span.column)
        fault = (*place, diagnostic.message)
        if fault in self._seen:
            return
        self._seen.add(fault)
        trail = tuple(map(str, span.trail))
        index, trails = self._places.setdefault(place, (len(self.items), []))
        if trails and trail != trails[0]:  # a diagnostic inside a repeat or block is reported for its first iteration
            if trail not in trails[: MAX_ALSO + 2]:
                trails.append(trail)
                self.items[index] = _also(self.items[index], trails[: MAX_ALSO + 2])
            return
        trails.append(trail)
        for refine in self._refiners:
            diagnostic = refine(diagnostic)
        if len(self.items) + 1 >= MAX_DIAGNOSTICS:
            more = f"there may be more: only the first {MAX_DIAGNOSTICS} errors are reported"
            self.items.append(replace(diagnostic, notes=(*diagnostic.notes, more)))
            raise SpecError(self.sorted())
        self.items.append(diagnostic)

    def revise(self, change: Callable[[Diagnostic], Diagnostic]) -> None:
        """Passes all that was collected through `change`."""
        self.items = [change(diagnostic) for diagnostic in self.items]

    @contextmanager
    def refined(self, refine: Callable[[Diagnostic], Diagnostic]) -> Iterator[None]:
        """Applies `refine` to every diagnostic that is added inside the block."""
        self._refiners.append(refine)
        try:
            yield
        finally:
            self._refiners.remove(refine)

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


def _also(diagnostic: Diagnostic, trails: list[tuple[str, ...]]) -> Diagnostic:
    """The diagnostic with the further expansions in which its span is wrong."""
    return replace(diagnostic, also=tuple(dict.fromkeys(trail[-1] for trail in trails[1:] if trail)))


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


def use_instead(word: str, meant: str, span: Span, candidates: Iterable[str] = ()) -> Fix:
    """A fix that replaces `word` with the known word `meant`.

    Certain where only case, blanks, `_` and `-` tell the two apart, and the text at `span` is that word itself.
    """
    is_certain = is_same_word(word, meant, candidates) and span.text.strip("'\"") == word
    applicability = Applicability.MACHINE if is_certain else Applicability.MAYBE
    return Fix(f"use `{meant}`", (Edit(span, as_yaml(meant) if meant != meant.strip() else meant),), applicability)
