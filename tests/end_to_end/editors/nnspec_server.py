"""What the tests of `nnspec lsp` share: its command line, documents for it, and what is asked of it."""

from __future__ import annotations

import sys

from lsprotocol import types as lsp

from tests.end_to_end.editors.client import Editor
from tests.support.paths import ERRORS, ROOT

SPECS = sorted((ROOT / "specs").glob("*.yaml"))
FAULTY = sorted(ERRORS.glob("*.yaml"))
COMMAND = [sys.executable, "-m", "nnspec.cli", "lsp", "--stdio"]
HEAD = "nnspec: 1\ninputs:\n  x: {axes: {time: 10, feature: 5}}\n"
TAIL = "outputs:\n  y: {task: regression}\n"
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))
NAMES = """\
nnspec: 1
vars: {look: 10, half: $(look // 2)}
inputs: {x: {axes: {time: $look, feature: 5}}}
layers: {enc: {Dense: {units: $half}}}
blocks:
  residual:
    parameters: {filters: 5}
    model:
      - Dense: {units: $filters, name: inner, from: input}
      - Add: {from: [inner, inner]}
model:
  - share: enc
  - repeat: {for: {n: [1, 2]}, model: [{Dense: {units: $n}}]}
  - block: {use: residual, filters: $(half + 1), name: body}
  - Flatten: {name: flat, from: body}
  - Dense: {units: $(look * 2)}
outputs: {y: {task: regression, from: flat}, z: {task: regression, from: dense_3}}
"""


def spec(items: str, more: str = "") -> str:
    return f"{HEAD}{more}model:\n{items}\n{TAIL}"


def identifier(uri: str) -> lsp.TextDocumentIdentifier:
    return lsp.TextDocumentIdentifier(uri)


def text_at(text: str, where: lsp.Range) -> str:
    """The text of a range, counted in UTF-16 as the protocol does."""
    lines = text.split("\n")
    if where.start.line != where.end.line:
        return "\n".join(lines[where.start.line : where.end.line + 1])
    units = lines[where.start.line].encode("utf-16-le")
    return units[2 * where.start.character : 2 * where.end.character].decode("utf-16-le")


def actions_of(editor: Editor, uri: str, only: list[lsp.CodeActionKind | str] | None = None) -> list[lsp.CodeAction]:
    context = lsp.CodeActionContext(diagnostics=[], only=only)
    return list(editor.ask("text_document_code_action", lsp.CodeActionParams(identifier(uri), WHOLE, context)))


def applied(text: str, action: lsp.CodeAction, uri: str) -> str:
    """The text after an action's edits, as an editor makes them."""
    assert action.edit is not None
    assert action.edit.changes is not None
    result = text
    for edit in sorted(action.edit.changes[uri], key=lambda e: e.range.start, reverse=True):
        starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]
        start, end = (
            starts[min(p.line, len(starts) - 1)]
            + len(
                text[starts[min(p.line, len(starts) - 1)] :].encode("utf-16-le")[: 2 * p.character].decode("utf-16-le")
            )
            for p in (edit.range.start, edit.range.end)
        )
        result = result[:start] + edit.new_text + result[end:]
    return result
