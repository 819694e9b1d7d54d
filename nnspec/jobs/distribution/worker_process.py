"""A worker as a process: `python -m nnspec.jobs.distribution.worker_process RANK COORDINATOR LOG quiet|aloud`.

It reads its share of a training as a line of JSON, and ends when its standard input does, so that no worker outlives
the build.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from nnspec.jobs.distribution.share import Share
from nnspec.jobs.distribution.worker import train_share
from nnspec.progress import Progress
from nnspec.unused_packages import claim_process


def main(rank: int, coordinator: str, log: str, is_quiet: bool) -> None:
    """Trains as one of the workers; the first reports its epochs, and what libraries print is written to the log."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the build is interrupted, and ends its workers
    claim_process()
    share = Share.from_json(sys.stdin.readline())
    threading.Thread(target=_listen, daemon=True).start()
    shown = os.fdopen(os.dup(2), "w", encoding="utf-8")
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)
    train_share(share, rank, coordinator, Progress(quiet=is_quiet or rank > 0, stream=shown))


def _listen() -> None:
    while sys.stdin.read(1):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "quiet")
