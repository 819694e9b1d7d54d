"""The place of a part of a text within the scalar that holds it, however the scalar is written."""

from __future__ import annotations

from nnspec.diagnostics import Span

_ESCAPES = {"x": 2, "u": 4, "U": 8}
_BLANK_ESCAPES = "ntrve0 _NLP\n"


def place_in_scalar(span: Span, value: str, start: int, length: int) -> Span:
    """The span of `value[start : start + length]`, from its first word on; all of `span` where it is not found there.

    Plain, quoted, folded and literal scalars hold the same words in the same order; only blanks, line breaks and
    escapes differ. A value that stands elsewhere, such as a variable's, is not found.

    Args:
        span: of the whole scalar.
    """
    source = span.source
    begin, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
    offsets = _offsets(source.text[begin:end], value)
    if offsets is None:
        return span
    words = [index for index in range(max(start, 0), len(value)) if index in offsets]
    if not words:
        last = max(offsets, default=None)
        return span if last is None else _between(span, begin + offsets[last][0], begin + offsets[last][1])
    first = words[0]
    last = max((index for index in words if index < start + max(length, 1)), default=first)
    return _between(span, begin + offsets[first][0], begin + offsets[last][1])


def _between(span: Span, begin: int, end: int) -> Span:
    first, last = span.source.character(begin), span.source.character(end - 1)
    if last.line != first.line:  # what is marked ends with its line
        width = len(span.source.line(first.line)) + 1
        return span.moved(line=first.line, column=first.column, end_line=first.line, end_column=width)
    return span.moved(line=first.line, column=first.column, end_line=last.line, end_column=last.end_column)


def _offsets(raw: str, value: str) -> dict[int, tuple[int, int]] | None:
    """Where each character of `value` that is no blank begins and ends in the text of its scalar."""
    style = raw[:1]
    at = 1 if style in ("'", '"') else 0
    if style in ("|", ">"):
        at = raw.find("\n") + 1
        if at == 0:
            return None
    found: dict[int, tuple[int, int]] = {}
    for index, sign in enumerate(value):
        if sign.isspace():
            continue
        at = _next_word(raw, at, style)
        width = _width(raw, at, sign, style)
        if width == 0:
            return None
        found[index] = at, at + width
        at += width
    return found


def _next_word(raw: str, at: int, style: str) -> int:
    """The next position that is no blank, nor an escape of one."""
    while at < len(raw):
        if raw[at].isspace():
            at += 1
        elif style == '"' and raw[at] == "\\" and raw[at + 1 : at + 2] in tuple(_BLANK_ESCAPES):
            at += 2
        else:
            break
    return at


def _width(raw: str, at: int, sign: str, style: str) -> int:
    """How many characters of the scalar's text are this one; 0 where it is another."""
    if style == "'" and raw[at : at + 2] == "''":
        return 2 if sign == "'" else 0
    if style == '"' and raw[at : at + 1] == "\\":
        kind = raw[at + 1 : at + 2]
        if kind in _ESCAPES:
            digits = raw[at + 2 : at + 2 + _ESCAPES[kind]]
            return 2 + len(digits) if int(digits or "0", 16) == ord(sign) else 0
        return 2 if kind == sign else 0
    return 1 if raw[at : at + 1] == sign else 0
