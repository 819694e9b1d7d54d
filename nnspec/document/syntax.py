"""Messages for YAML syntax errors. Loaded only for an error."""

from __future__ import annotations

import yaml

from nnspec.diagnostics import Diagnostic, Fix, Related, Source, Span
from nnspec.document.nodes import MAX_DEPTH

_BEGUN = {
    "while parsing a flow mapping": "mapping",
    "while parsing a flow sequence": "list",
    "while parsing a block mapping": "mapping",
    "while parsing a block collection": "list",
    "while scanning a quoted scalar": "quoted text",
}
_PROBLEMS = {
    "mapping values are not allowed in this context": (
        "a second `: ` in one value",
        "quote the text, or put the inner mapping in braces",
    ),
    "expected ',' or '}'": ("expected `,` or `}`", "close the mapping with `}`"),
    "expected ',' or ']'": ("expected `,` or `]`", "close the list with `]`"),
    "found unexpected end of stream": ("the file ends", "close the open bracket or quote"),
    "found character that cannot start any token": (
        "a value cannot start with this character",
        "quote the text",
    ),
    "expected key": ("expected a key", "start all keys of a mapping in the same column"),
    "expected '-' indicator": ("expected `- `", "start all items of a list in the same column"),
}


def syntax_error(source: Source, error: yaml.MarkedYAMLError) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    said = error.problem or ""
    if "nesting" in said:  # libyaml has a limit too, and reads ahead
        place = Span(source) if mark is None else source.character(source.offset(mark.line + 1, mark.column + 1))
        return Diagnostic("NN106", f"the document is nested more than {MAX_DEPTH} levels deep", place)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    if not source.text[source.offset(line, column) :].strip():
        end = source.character(max(0, len(source.text.rstrip()) - 1))  # at the end of the file: the last character
        line, column = end.line, end.end_column
    text = source.line(line)
    indent = text[: len(text) - len(text.lstrip())]
    if "\t" in indent or "\\t" in said or text[column - 1 : column] == "\t":
        return _tab(source, line, text.index("\t") + 1 if "\t" in text else column)
    return _report_syntax(Span.between(source, line=line, column=column, end_line=line, end_column=column + 1), error)


def _tab(source: Source, line: int, column: int) -> Diagnostic:
    fix = Fix("indent with spaces, two per level")
    span = Span.between(source, line=line, column=column, end_line=line, end_column=column + 1)
    return Diagnostic("NN104", "tab in the indentation: YAML allows only spaces", span, fixes=(fix,))


def _report_syntax(here: Span, error: yaml.MarkedYAMLError) -> Diagnostic:
    """What the scanner says, and where what it was reading begins."""
    problem = (error.problem or "it cannot be read").replace("did not find expected", "expected")
    fixes: tuple[Fix, ...] = ()
    if problem in _PROBLEMS:
        problem, advice = _PROBLEMS[problem]
        fixes = (Fix(advice),)
    begun, start = _BEGUN.get(error.context or ""), error.context_mark
    context = f" ({error.context})" if error.context and begun is None else ""
    related: tuple[Related, ...] = ()
    if begun is not None and start is not None:
        context = f" in the {begun} that starts on line {start.line + 1}"
        there = Span.between(
            here.source,
            line=start.line + 1,
            column=start.column + 1,
            end_line=start.line + 1,
            end_column=start.column + 2,
        )
        related = (Related(there, f"the {begun} starts here"),)
    return Diagnostic("NN103", f"not valid YAML: {problem}{context}", here, related=related, fixes=fixes)


def bad_character(source: Source, error: yaml.reader.ReaderError) -> Diagnostic:
    """libyaml counts bytes, so the place is found by looking for the character."""
    character = error.character if isinstance(error.character, int) else ord(str(error.character)[:1] or "\0")
    span = source.character(max(0, source.text.find(chr(character))))
    fixes = (Fix("remove the character, or write it as an escape in double quotes"),)
    return Diagnostic("NN103", f"character U+{character:04X} is not allowed in YAML", span, fixes=fixes)
