"""Where things lie in the repository."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "nnspec"
SPECS = ROOT / "specs"
DATA = SPECS / "data"
PAGES = PACKAGE / "diagnostics" / "pages"
ERRORS = ROOT / "tests" / "golden" / "errors"
