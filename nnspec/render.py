"""Diagnostics as text with source lines and carets, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nnspec.codes import CODES
from nnspec.diagnostics import Applicability, Diagnostic, Edit, Fix, Severity, Source, Span

_STYLES = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "1;34", "help": "1;36", "note": "1;32"}


class Painter:
    """Colours words where a terminal shows them."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and text else text


def to_text(diagnostics: Iterable[Diagnostic], *, colour: bool = False) -> str:
    """All diagnostics as a person reads them, and a line that counts them."""
    paint = Painter(colour)
    listed = list(diagnostics)
    blocks = [_one(diagnostic, paint) for diagnostic in listed]
    errors = sum(d.is_error for d in listed)
    warnings = len(listed) - errors
    counts = [f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    if counts:
        blocks.append(paint("error" if errors else "warning", " and ".join(counts)) + "\n")
    return "\n".join(blocks)


def _one(d: Diagnostic, paint: Painter) -> str:
    style = "error" if d.severity is Severity.ERROR else "warning"
    lines = [f"{paint(style, f'{d.severity}[{d.code}]')}{paint('bold', ': ' + visible(d.message))}"]
    edits = [edit for fix in d.fixes for edit in fix.edits]
    last = max([d.span.line, *(r.span.line for r in d.related), *(e.span.line + e.text.count("\n") for e in edits)])
    width = len(str(last))
    lines += _excerpt(d.span, d.label, "^", style, width, paint, first=True)
    for related in d.related:
        is_first = related.span.source != d.span.source
        lines += _excerpt(related.span, related.label, "-", "gutter", width, paint, first=is_first)
    margin = " " * width
    for step in d.span.trail:
        lines.append(f"{margin} {paint('gutter', '=')} in {step}")
    for note in d.notes:
        lines.append(f"{margin} {paint('gutter', '=')} {paint('note', 'note')}: {visible(note)}")
    for fix in d.fixes:
        lines += _fix(fix, width, paint)
    lines.append(f"{margin} {paint('gutter', '=')} see: nnspec explain {d.code}")
    return "\n".join(lines) + "\n"


def _excerpt(span: Span, label: str, mark: str, style: str, width: int, paint: Painter, *, first: bool) -> list[str]:
    text = span.source.line(span.line)
    empty = " " * width + paint("gutter", " |")
    lines = [" " * width + paint("gutter", "-->" if first else ":::") + f" {visible(str(span))}"]
    if not text:
        return lines
    start = min(span.column, len(text) + 1)
    end = span.end_column if span.end_line == span.line else len(text.rstrip()) + 1
    count = max(1, min(end, len(text) + 1) - start)
    shown = visible(text)
    if len(shown) > 160:  # a long line is shown around the place
        cut = max(0, start - 60)
        shown, start = "…" + shown[cut : cut + 150] + "…", start - cut + 1
        count = min(count, len(shown) - start)
    carets = paint(style, mark * max(1, count))
    lines += [empty, f"{paint('gutter', f'{span.line:>{width}} |')} {shown.rstrip()}"]
    lines.append(f"{empty} {' ' * (start - 1)}{carets}{' ' + paint(style, label) if label else ''}")
    return lines


def visible(text: str) -> str:
    """The text without control characters, which a terminal would obey; every character keeps its column."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)


def _fix(fix: Fix, width: int, paint: Painter) -> list[str]:
    how = " (machine-applicable: nnspec fix)" if fix.applicability is Applicability.MACHINE and fix.edits else ""
    lines = [f"{paint('help', 'help')}: {fix.message}{how}"]
    for group in _neighbours(fix.edits):
        lines += _edited(group, width, paint)
    return lines


def _neighbours(edits: Iterable[Edit]) -> list[list[Edit]]:
    """The edits in order, those that touch the same line together."""
    groups: list[list[Edit]] = []
    for edit in sorted(edits, key=lambda e: (e.span.line, e.span.column)):
        last = groups[-1][-1].span if groups else None
        if last is not None and edit.span.line <= last.end_line and edit.span.source is last.source:
            groups[-1].append(edit)
        else:
            groups.append([edit])
    return groups


def _edited(edits: list[Edit], width: int, paint: Painter) -> list[str]:
    """The lines as they would read, after edits that touch each other's lines."""
    first, last = edits[0].span, edits[-1].span
    source, text = first.source, ""
    line, column = first.line, 1
    for edit in edits:
        text += _between(source, line, column, edit.span.line, edit.span.column) + edit.text
        line, column = edit.span.end_line, edit.span.end_column
    lines = (text + source.line(line)[column - 1 :]).split("\n")
    replaced = last.end_line - first.line + 1
    result = []
    for i, shown in enumerate(lines):
        sign = "~" if i < replaced else "+"
        result.append(f"{paint('gutter', f'{first.line + i:>{width}} {sign}')} {visible(shown)}".rstrip())
    return result


def _between(source: Source, line: int, column: int, end_line: int, end_column: int) -> str:
    """The text from one place to another."""
    if line == end_line:
        return source.line(line)[column - 1 : end_column - 1]
    inner = [source.line(n) for n in range(line + 1, end_line)]
    return "\n".join([source.line(line)[column - 1 :], *inner, source.line(end_line)[: end_column - 1]])


def _span_json(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def to_json(diagnostics: Iterable[Diagnostic]) -> dict[str, Any]:
    """The contract of `--format json`."""
    return {
        "diagnostics": [
            {
                "code": d.code,
                "name": CODES[d.code],
                "severity": str(d.severity),
                "message": d.message,
                "label": d.label,
                "file": d.span.source.name,
                **_span_json(d.span),
                "path": d.path,
                "notes": [*d.notes, *(f"in {step}" for step in d.span.trail)],
                "related": [{"message": r.label, "file": r.span.source.name, **_span_json(r.span)} for r in d.related],
                "fixes": [
                    {
                        "message": fix.message,
                        "applicability": str(fix.applicability),
                        "edits": [{**_span_json(e.span), "text": e.text} for e in fix.edits],
                    }
                    for fix in d.fixes
                ],
            }
            for d in diagnostics
        ]
    }
