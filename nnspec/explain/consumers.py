"""The page for those who use a deployed model: programs that run one, each tested as it is printed."""

from __future__ import annotations

from pathlib import Path

NAME = "consumers"


def consumers_page() -> str:
    """Complete programs by language."""
    return Path(__file__).with_name("consumers.md").read_text(encoding="utf-8")
