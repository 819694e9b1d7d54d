"""The operators of each target, as its runtime states or shows them; `python -m tests.tools.targets` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from nnspec.backends.targets import Target

FILE = Path(__file__).with_name("operators.json")


@cache
def load_targets() -> Mapping[str, Target]:
    """By name, as `export.targets` has them."""
    body = json.loads(FILE.read_text(encoding="utf-8"))
    return {name: Target(**entry) for name, entry in body.items()}
