"""Work in a forked process, which starts at once since TensorFlow is loaded already, and can be killed."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


def forked(log: Path, work: Callable[[TextIO], object], *, mode: str = "w") -> int:
    """Starts it; the process, which ends with 0, or with 1 where the work raised, and the log says what.

    Args:
        log: where it writes, a line at once.
        mode: `a`: behind what is there.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with log.open(mode, encoding="utf-8", buffering=1) as stream:
            print("started", file=stream)
            os.dup2(stream.fileno(), 2)  # where TensorFlow talks of devices that are not there
            try:
                work(stream)
                code = 0
            except BaseException:
                traceback.print_exc(file=stream)
    finally:
        os._exit(code)
