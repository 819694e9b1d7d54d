"""Plots that are painted but not laid out and written, which takes a third of a small build's processor time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SVG = '<svg xmlns="http://www.w3.org/2000/svg"></svg>'
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@contextmanager
def blank_plots() -> Iterator[None]:
    """What matplotlib writes is an empty picture; all that is drawn on its axes before that runs as ever."""
    from matplotlib.figure import Figure

    def savefig(figure: Figure, target: Path | io.StringIO, **options: object) -> None:
        if isinstance(target, Path):
            target.write_bytes(_PNG_SIGNATURE)
        else:
            target.write(_SVG)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Figure, "savefig", savefig)
        yield
