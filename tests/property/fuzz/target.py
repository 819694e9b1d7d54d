"""What is fuzzed: everything that `nnspec check` and `nnspec fix` do with the bytes of a file, in one call.

A user's fault is a list of diagnostics. An exception, a run of over 5 s or more than 1 GB are faults of nnspec.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from nnspec.diagnostics import Diagnostic
from nnspec.diagnostics.apply import fix_text
from nnspec.diagnostics.text import to_json, to_text
from nnspec.pipeline import diagnose
from tests.support.paths import ERRORS

SECONDS = 60  # of processor time, after which a document is taken for one that never ends
MEGABYTES = 1024


def folder_with_data(folder: Path) -> Path:
    """A folder for specs, with data files beside them, and the path of a spec in it."""
    if not (folder / "data").is_dir():
        shutil.copytree(ERRORS / "data", folder / "data")
    return folder / "spec.yaml"


def run_on(path: Path, data: bytes) -> list[Diagnostic]:
    """Checks the bytes as a spec, and does with the diagnostics all that the command line does."""
    path.write_bytes(data)
    diagnostics = diagnose(path)
    to_text(diagnostics)
    to_text(diagnostics, colour=True).encode("utf-8", "surrogateescape")
    json.dumps(to_json(diagnostics))
    for diagnostic in diagnostics:
        span = diagnostic.span
        assert diagnostic.message
        assert (1, 1) <= (span.line, span.column) <= (span.end_line, span.end_column)
        assert span.end_line <= len(span.source.starts) + 1
    try:
        fix_text(data.decode("utf-8-sig"), diagnostics)
    except UnicodeDecodeError:
        assert any(diagnostic.code == "NN102" for diagnostic in diagnostics)
    return diagnostics
