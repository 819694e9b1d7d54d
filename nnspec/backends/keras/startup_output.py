"""Loading a framework with its start-up log output suppressed, which C++ writes past Python to standard error."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_standard_error() -> Iterator[None]:
    """What is written to standard error inside is shown only where an exception leaves."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all
        kept = None
    with tempfile.TemporaryFile() as heard:
        if kept is not None:
            sys.stderr.flush()
            os.dup2(heard.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)
            if failed:
                heard.seek(0)
                sys.stderr.write(heard.read().decode(errors="replace"))
