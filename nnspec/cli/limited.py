"""Verbs that load an engine, in a process that may not have all memory: one that ends without a word is spoken for.

Engines end the process where they get no memory for a thread or a buffer. Under a limit of address space they therefore
run in a child process, whose end is told by NN625.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from nnspec.diagnostics.memory import address_space, ended_without_memory

VERBS = frozenset({"build", "train", "search", "export", "verify", "rebuild", "import"})
_WATCHED = "NNSPEC_WATCHED"
_FATAL = frozenset({signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGILL})
_LOADER = 127  # the exit code of the C library's loader, which no verb ends with: no memory for data of threads


def is_watched(arguments: Sequence[str]) -> bool:
    """Whether a command line is to run in a child process."""
    return bool(arguments) and arguments[0] in VERBS and _WATCHED not in os.environ and address_space()[0] is not None


def run_watched(command: Sequence[str]) -> int:
    """Runs a command to its end: its exit code, or 1 and NN625 where it was ended for want of memory."""
    from nnspec.cli.reporting import print_diagnostics

    child = subprocess.Popen(command, env={**os.environ, _WATCHED: "1"})
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which the terminal sends to the child as well
    signal.signal(signal.SIGTERM, lambda number, _: child.send_signal(number))
    try:
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if code == _LOADER:
        how = f"exit code {code}"
    elif code >= 0:
        return code
    elif -code in _FATAL:
        how = signal.Signals(-code).name
    else:
        return 128 - code
    print_diagnostics(ended_without_memory(how).diagnostics, "text", to_stderr=True)
    return 1


def own_command() -> list[str]:
    """This process' command line, for a child."""
    return [sys.executable, "-m", "nnspec.cli", *sys.argv[1:]]
