"""Go to definition, find references and rename."""

from __future__ import annotations

import re

from lsprotocol import types as lsp

from nnspec.ir.names import NAME_PATTERN
from nnspec.lsp.names import Name, names
from nnspec.lsp.positions import Positions
from nnspec.pipeline import Survey


def definition(survey: Survey, positions: Positions, uri: str, where: lsp.Position) -> list[lsp.Location]:
    mentions = _mentions(survey, positions, where)
    return [lsp.Location(uri, positions.range(name.span)) for name in mentions if name.is_declaration]


def references(
    survey: Survey, positions: Positions, uri: str, where: lsp.Position, with_declaration: bool
) -> list[lsp.Location]:
    mentions = _mentions(survey, positions, where)
    return [
        lsp.Location(uri, positions.range(name.span))
        for name in mentions
        if with_declaration or not name.is_declaration
    ]


def renamable(survey: Survey, positions: Positions, where: lsp.Position) -> lsp.Range | None:
    """The name at the cursor, where it can be changed: numbers that nnspec gives are not in the text."""
    here = _at(names(survey), positions, positions.offset(where))
    if here is None or here.span.text != here.text:
        return None
    return positions.range(here.span)


def rename(survey: Survey, positions: Positions, uri: str, where: lsp.Position, new: str) -> lsp.WorkspaceEdit | None:
    """The edits that change a name everywhere.

    Raises:
        ValueError: where `new` cannot be a name, or is one already.
    """
    known = names(survey)
    here = _at(known, positions, positions.offset(where))
    if here is None:
        return None
    if not re.fullmatch(NAME_PATTERN, new):
        raise ValueError(f"`{new}` cannot be a name: letters, digits, `_` and `-`, starting with a letter or `_`")
    if any(
        name.is_declaration and (name.kind, name.scope, name.text) == (here.kind, here.scope, new) for name in known
    ):
        raise ValueError(f"a {here.kind} `{new}` already exists")
    mentions = [name for name in known if name.is_same(here)]
    if any(name.span.text != here.text for name in mentions):
        raise ValueError(f"`{here.text}` is a generated name: name the layer with `name:` to rename it")
    return lsp.WorkspaceEdit(changes={uri: [lsp.TextEdit(positions.range(name.span), new) for name in mentions]})


def _mentions(survey: Survey, positions: Positions, where: lsp.Position) -> list[Name]:
    known = names(survey)
    here = _at(known, positions, positions.offset(where))
    return [name for name in known if here is not None and name.is_same(here)]


def _at(known: list[Name], positions: Positions, offset: int) -> Name | None:
    return next((name for name in known if positions.holds(name.span, offset)), None)
