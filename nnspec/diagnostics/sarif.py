"""Diagnostics as SARIF 2.1.0, which code hosts show as annotations of a pull request.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from nnspec import __version__
from nnspec.diagnostics.codes import CODES, HOME, page_address
from nnspec.diagnostics.model import Diagnostic, Fix, Related
from nnspec.diagnostics.pages import code_page
from nnspec.diagnostics.spans import LINE_BREAKS, OVERRIDE, Span

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "SRCROOT"
_SURROGATES = re.compile("[\ud800-\udfff]")


def to_sarif(diagnostics: Iterable[Diagnostic], folder: Path | None = None) -> dict[str, object]:
    """A SARIF log of one run. Files below `folder` (default: where the command runs) are named relative to it."""
    root = (folder or Path.cwd()).resolve()
    listed = list(diagnostics)
    codes = sorted({diagnostic.code for diagnostic in listed})
    run = {
        "tool": {
            "driver": {
                "name": "nnspec",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": HOME,
                "rules": [_rule(code) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "newlineSequences": list(LINE_BREAKS),
        "originalUriBaseIds": {_ROOT: {"uri": root.as_uri().rstrip("/") + "/"}},
        "invocations": [{"executionSuccessful": True, "exitCode": int(any(d.is_error for d in listed))}],
        "results": [_result(diagnostic, codes.index(diagnostic.code), root) for diagnostic in listed],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> dict[str, object]:
    """A rule from the code's page: its first section is what it does, the whole page is the help."""
    page, name = code_page(code), CODES[code]
    does = page.split("## What it does\n", 1)[1].split("\n## ", 1)[0]
    return {
        "id": code,
        "name": "".join(word.capitalize() for word in name.split("-")),
        "shortDescription": {"text": name.replace("-", " ").capitalize()},
        "fullDescription": {"text": " ".join(does.split("\n\n")[0].split())},
        "help": {"text": page, "markdown": page},
        "helpUri": page_address(code),
        "defaultConfiguration": {"level": "error"},
    }


def _result(diagnostic: Diagnostic, index: int, root: Path) -> dict[str, object]:
    label = f" ({diagnostic.label})" if diagnostic.label else ""
    advice = [f"help: {fix.message}" for fix in diagnostic.fixes]
    lines = [diagnostic.message + label, *diagnostic.all_notes, *map(str, diagnostic.span.trail), *advice]
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": index,
        "level": str(diagnostic.severity),
        "message": {"text": _text("\n".join(lines))},
        "locations": [_location(diagnostic.span, root, path=diagnostic.path)],
    }
    related = [_related(place, number, root) for number, place in enumerate(diagnostic.all_related, start=1)]
    fixes = [_fix(fix, root) for fix in diagnostic.fixes if fix.edits]
    return result | ({"relatedLocations": related} if related else {}) | ({"fixes": fixes} if fixes else {})


def _location(span: Span, root: Path, *, path: str = "") -> dict[str, object]:
    place: dict[str, object] = {
        "physicalLocation": {"artifactLocation": _artifact(span, root), "region": _region(span)}
    }
    if path:
        place["logicalLocations"] = [{"fullyQualifiedName": _text(path)}]
    return place


def _related(place: Related, number: int, root: Path) -> dict[str, object]:
    return {"id": number, "message": {"text": _text(place.text)}, **_location(place.span, root)}


def _artifact(span: Span, root: Path) -> dict[str, str]:
    """Below the folder: a relative URI; elsewhere an absolute one. An override (`--set`) is no file, but has a name."""
    name = span.source.name
    if name == OVERRIDE:
        return {"uri": quote(name)}
    absolute = Path(os.path.abspath(root / name))
    if absolute.is_relative_to(root) and absolute != root:
        return {"uri": quote(os.fsencode(absolute.relative_to(root).as_posix())), "uriBaseId": _ROOT}
    return {"uri": "file://" + quote(os.fsencode(absolute.as_posix()))}


def _region(span: Span) -> dict[str, int]:
    """Columns count code points from 1 and end one past the last, as in a span."""
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(fix: Fix, root: Path) -> dict[str, object]:
    changes: dict[str, dict[str, object]] = {}
    replacements: dict[str, list[object]] = {}
    for edit in fix.edits:
        name = edit.span.source.name
        made = replacements.setdefault(name, [])
        made.append({"deletedRegion": _region(edit.span), "insertedContent": {"text": _text(edit.text)}})
        changes.setdefault(name, {"artifactLocation": _artifact(edit.span, root), "replacements": made})
    return {
        "description": {"text": _text(fix.message)},
        "artifactChanges": list(changes.values()),
        "properties": {"applicability": str(fix.applicability)},
    }


def _text(text: str) -> str:
    """Halves of surrogate pairs, which file names can hold, are no characters."""
    return _SURROGATES.sub("�", text)
