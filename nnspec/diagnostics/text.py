"""Diagnostics as text with source lines and carets, and as JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from nnspec.diagnostics.codes import CODES
from nnspec.diagnostics.lists import quoted
from nnspec.diagnostics.model import (
    Applicability,
    AxisRef,
    Diagnostic,
    Edit,
    Fix,
    KeyRef,
    NodeRef,
    Ref,
    Related,
    Severity,
)
from nnspec.diagnostics.spans import Source, Span

_STYLES = {"error": "1;31", "warning": "1;33", "bold": "1", "gutter": "1;34", "help": "1;36", "note": "1;32"}
MAX_LINE = 160  # terminal columns of a source line; a longer one is shown around the place
MAX_WORDS = 2000  # characters of a message


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
    lines = [f"{paint(style, f'{d.severity}[{d.code}]')}{paint('bold', ': ' + _shorten(d.message))}"]
    places = d.all_related
    edits = [edit for fix in d.fixes for edit in fix.edits]
    last = max([d.span.line, *(r.span.line for r in places), *(e.span.line + e.text.count("\n") for e in edits)])
    width = len(str(last))
    lines += _excerpts([Related(d.span, d.label)], "^", style, width, paint, first=True)
    for group in _group_by_line(places):
        is_first = group[0].span.source != d.span.source
        lines += _excerpts(group, "-", "gutter", width, paint, first=is_first)
    margin = " " * width
    for step in d.span.trail:
        lines.append(f"{margin} {paint('gutter', '=')} {_shorten(str(step))}")
    for note in d.all_notes:
        lines.append(f"{margin} {paint('gutter', '=')} {paint('note', 'note')}: {_shorten(note)}")
    for fix in d.fixes:
        lines += _fix(fix, width, paint)
    lines.append(f"{margin} {paint('gutter', '=')} see: nnspec explain {d.code}")
    return "\n".join(lines) + "\n"


def _group_by_line(places: Iterable[Related]) -> list[list[Related]]:
    """The labels; neighbours on the same line are grouped, in the order of the line."""
    groups: list[list[Related]] = []
    for place in places:
        here, last = place.span, groups[-1][0].span if groups else None
        if last is not None and here.source is last.source and here.line == last.line == last.end_line == here.end_line:
            groups[-1].append(place)
        else:
            groups.append([place])
    return [sorted(group, key=lambda place: place.span.column) for group in groups]


def _excerpts(places: list[Related], mark: str, style: str, width: int, paint: Painter, *, first: bool) -> list[str]:
    """A source line with several marks; the labels follow the last mark."""
    span = places[0].span
    text = span.source.line(span.line)
    empty = " " * width + paint("gutter", " |")
    lines = [" " * width + paint("gutter", "-->" if first else ":::") + f" {visible(str(span))}"]
    if not text:
        return lines
    ends = [p.span.end_column if p.span.end_line == p.span.line else len(text.rstrip()) + 1 for p in places]
    start = min(span.column, len(text) + 1)
    shown, left, right = _window(visible(text), start - 1, max(ends) - 1)
    under, done = "", 0
    for place, end in zip(places, ends, strict=True):
        begin = min(max(place.span.column - 1, left), right)
        before = cells(shown[: max(0, begin - left) + (left > 0)])
        marked = cells(text[begin : min(end - 1, right)]) or 1
        if before < done:
            continue
        under += " " * (before - done) + paint(style, mark * marked)
        done = before + marked
    label = _shorten(_join_labels(places))
    lines += [empty, f"{paint('gutter', f'{span.line:>{width}} |')} {shown.rstrip()}"]
    lines.append(f"{empty} {under}{' ' + paint(style, label) if label else ''}")
    return lines


def _join_labels(places: Iterable[Related]) -> str:
    """The labels of several spans as one: `a` and `b` are declared here."""
    about: dict[tuple[str, bool], list[str]] = {}
    for place in places:
        if place.label:
            subjects = about.setdefault((place.label, bool(place.subject)), [])
            if place.subject and place.subject not in subjects:
                subjects.append(place.subject)
    return ", ".join(
        f"{quoted(subjects)} {'are' if len(subjects) > 1 else 'is'} {label}" if subjects else label
        for (label, _), subjects in about.items()
    )


def _window(text: str, start: int, end: int) -> tuple[str, int, int]:
    """What is shown of a line, and which characters of it: all, or what fits the terminal around a range."""
    if cells(text) <= MAX_LINE:
        return text, 0, len(text)
    left = right = max(0, start - MAX_LINE // 4)
    room = MAX_LINE - 10
    while right < len(text) and room > 0:
        room -= cells(text[right])
        right += 1
    return ("…" if left else "") + text[left:right] + ("…" if right < len(text) else ""), left, right


def _shorten(text: str) -> str:
    """Words in a message: what cannot be shown taken out, and of very long values only the beginning."""
    return visible(text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + "…")


def cells(text: str) -> int:
    """How many columns of a terminal a text takes: East Asian wide characters take two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_character_cells, text))


def _character_cells(character: str) -> int:
    if (
        unicodedata.category(character) in ("Mn", "Me") or "\u1160" <= character <= "\u11ff"
    ):  # vowels within a Hangul block
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def visible(text: str) -> str:
    """The text without control characters, which a terminal would obey; every character keeps its column."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)


def _fix(fix: Fix, width: int, paint: Painter) -> list[str]:
    how = " (machine-applicable: nnspec fix)" if fix.applicability is Applicability.MACHINE and fix.edits else ""
    lines = [f"{paint('help', 'help')}: {_shorten(fix.message)}{how}"]
    for group in _neighbours(fix.edits):
        lines += _apply_edits(group, width, paint)
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


def _apply_edits(edits: list[Edit], width: int, paint: Painter) -> list[str]:
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
        result.append(f"{paint('gutter', f'{first.line + i:>{width}} {sign}')} {_cut(visible(shown))}".rstrip())
    return result


def _cut(text: str) -> str:
    return text if len(text) <= MAX_LINE else text[: MAX_LINE - 10] + "…"


def _between(source: Source, line: int, column: int, end_line: int, end_column: int) -> str:
    """The text from one position to another."""
    if line == end_line:
        return source.line(line)[column - 1 : end_column - 1]
    inner = [source.line(n) for n in range(line + 1, end_line)]
    return "\n".join([source.line(line)[column - 1 :], *inner, source.line(end_line)[: end_column - 1]])


def _ref_json(ref: Ref) -> dict[str, str]:
    match ref:
        case AxisRef():
            return {"axis": ref.name, **({"of": ref.node} if ref.node else {})}
        case NodeRef():
            return {"node": ref.name}
        case KeyRef():
            return {"key": ref.name}


def _span_json(span: Span) -> dict[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def to_json(diagnostics: Iterable[Diagnostic]) -> dict[str, object]:
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
                "notes": [*d.all_notes, *map(str, d.span.trail)],
                "related": [
                    {"message": r.text, "file": r.span.source.name, **_span_json(r.span)} for r in d.all_related
                ],
                "about": [_ref_json(ref) for ref in d.about],
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
