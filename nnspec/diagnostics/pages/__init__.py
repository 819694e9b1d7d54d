"""The page of each code: what is wrong, why it is bad, an example, and what to do instead."""

from __future__ import annotations

import re
from pathlib import Path


def code_page(code: str) -> str:
    """A code's page: what it does, why it is bad, an example, what to use instead."""
    text = Path(__file__).with_name(f"{code}.md").read_text(encoding="utf-8")
    return re.sub(r"\n{3,}", "\n\n", text)
